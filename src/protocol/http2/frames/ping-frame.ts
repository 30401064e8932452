// PING (RFC 9113 §6.7).
import type { Http2Fault } from '../fault.ts';
import type { FrameWriter } from '../frame-writer.ts';
import {
  FrameFlag,
  frameSizeFault,
  FrameType,
  protocolFault,
  readUint32,
  writeFrameHeader,
} from './frame.ts';
import type { Frame } from './frame.ts';

const PING_BYTES = 8;

export function parsePingFrame(frame: Frame): Http2Fault | null {
  if (frame.streamId !== 0) return protocolFault('PING on a stream');
  return frame.length === PING_BYTES ? null : frameSizeFault('a PING frame that is not 8 octets long');
}

/** The number in a PING of ours that comes back, if it is one of ours. */
export function pingNumber(frame: Frame): number {
  return readUint32(frame.buffer, frame.start + 4);
}

/** Our own PINGs carry a number of 32 bits. */
export function writePingFrame(writer: FrameWriter, number: number): void {
  writeFrameHeader(writer, PING_BYTES, FrameType.PING, 0, 0);
  writer.writeUint32(0);
  writer.writeUint32(number);
}

/** Sends a received PING's payload back. */
export function writePingAck(writer: FrameWriter, frame: Frame): void {
  writeFrameHeader(writer, PING_BYTES, FrameType.PING, FrameFlag.ACK, 0);
  writer.writeUint32(readUint32(frame.buffer, frame.start));
  writer.writeUint32(readUint32(frame.buffer, frame.start + 4));
}
