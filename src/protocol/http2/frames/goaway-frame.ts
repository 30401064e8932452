// GOAWAY (RFC 9113 §6.8).
import type { Http2Fault } from '../fault.ts';
import type { FrameWriter } from '../frame-writer.ts';
import {
  frameSizeFault,
  FrameType,
  protocolFault,
  readUint31,
  readUint32,
  writeFrameHeader,
} from './frame.ts';
import type { Frame } from './frame.ts';

/** Last stream and error code; debug data follows. */
const FIXED_BYTES = 8;
/** Debug data beyond this is dropped: it goes to a log. */
const MAX_DEBUG_BYTES = 256;

export function parseGoawayFrame(frame: Frame): Http2Fault | null {
  if (frame.streamId !== 0) return protocolFault('GOAWAY on a stream');
  return frame.length >= FIXED_BYTES ? null : frameSizeFault('a GOAWAY frame shorter than 8 octets');
}

export function goawayLastStreamId(frame: Frame): number {
  return readUint31(frame.buffer, frame.start);
}

export function goawayCode(frame: Frame): number {
  return readUint32(frame.buffer, frame.start + 4);
}

/** The beginning of the debug data as latin1 text. */
export function goawayDebug(frame: Frame): string {
  const start = frame.start + FIXED_BYTES;
  return frame.buffer.toString('latin1', start, Math.min(frame.end, start + MAX_DEBUG_BYTES));
}

/** `debug`: ASCII text. */
export function writeGoawayFrame(
  writer: FrameWriter,
  lastStreamId: number,
  code: number,
  debug: string,
): void {
  const text = Buffer.from(debug.slice(0, MAX_DEBUG_BYTES), 'latin1');
  writeFrameHeader(writer, FIXED_BYTES + text.length, FrameType.GOAWAY, 0, 0);
  writer.writeUint32(lastStreamId);
  writer.writeUint32(code);
  writer.copyBytes(text, 0, text.length);
}
