// RST_STREAM (RFC 9113 §6.4).
import type { Http2Fault } from '../fault.ts';
import type { FrameWriter } from '../frame-writer.ts';
import { frameSizeFault, FrameType, protocolFault, readUint32, writeFrameHeader } from './frame.ts';
import type { Frame } from './frame.ts';

export function parseRstStreamFrame(frame: Frame): Http2Fault | null {
  if (frame.streamId === 0) return protocolFault('RST_STREAM on stream 0');
  return frame.length === 4 ? null : frameSizeFault('an RST_STREAM frame that is not 4 octets long');
}

/** The error code of a parsed frame; any 32 bits (RFC 9113 §7). */
export function rstStreamCode(frame: Frame): number {
  return readUint32(frame.buffer, frame.start);
}

export function writeRstStreamFrame(writer: FrameWriter, streamId: number, code: number): void {
  writeFrameHeader(writer, 4, FrameType.RST_STREAM, 0, streamId);
  writer.writeUint32(code);
}
