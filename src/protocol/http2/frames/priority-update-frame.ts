// PRIORITY_UPDATE (RFC 9218 §7.1): a changed `priority` of a stream, named in the payload.
import type { Http2Fault } from '../fault.ts';
import { frameSizeFault, protocolFault, readUint31 } from './frame.ts';
import type { Frame } from './frame.ts';

const ID_BYTES = 4;

export function parsePriorityUpdateFrame(frame: Frame): Http2Fault | null {
  if (frame.streamId !== 0) return protocolFault('PRIORITY_UPDATE on a stream');
  if (frame.length < ID_BYTES) return frameSizeFault('a PRIORITY_UPDATE frame shorter than 4 octets');
  return prioritizedStreamId(frame) === 0 ? protocolFault('PRIORITY_UPDATE of stream 0') : null;
}

export function prioritizedStreamId(frame: Frame): number {
  return readUint31(frame.buffer, frame.start);
}

export function prioritizedField(frame: Frame): string {
  return frame.buffer.toString('latin1', frame.start + ID_BYTES, frame.end);
}
