// WINDOW_UPDATE (RFC 9113 §6.9).
import { ErrorCode, streamFault } from '../fault.ts';
import type { Http2Fault } from '../fault.ts';
import type { FrameWriter } from '../frame-writer.ts';
import { frameSizeFault, FrameType, protocolFault, readUint31, writeFrameHeader } from './frame.ts';
import type { Frame } from './frame.ts';

export function parseWindowUpdateFrame(frame: Frame): Http2Fault | null {
  if (frame.length !== 4) return frameSizeFault('a WINDOW_UPDATE frame that is not 4 octets long');
  if (windowIncrement(frame) > 0) return null;
  const reason = 'a WINDOW_UPDATE of 0';
  return frame.streamId === 0
    ? protocolFault(reason)
    : streamFault(frame.streamId, ErrorCode.PROTOCOL_ERROR, reason);
}

/** The increment of a parsed frame, in octets. */
export function windowIncrement(frame: Frame): number {
  return readUint31(frame.buffer, frame.start);
}

export function writeWindowUpdateFrame(writer: FrameWriter, streamId: number, increment: number): void {
  writeFrameHeader(writer, 4, FrameType.WINDOW_UPDATE, 0, streamId);
  writer.writeUint32(increment);
}
