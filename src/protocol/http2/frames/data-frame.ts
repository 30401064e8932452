// DATA (RFC 9113 §6.1).
import type { Http2Fault } from '../fault.ts';
import type { FrameWriter } from '../frame-writer.ts';
import { FrameFlag, FrameType, protocolFault, stripPadding, writeFrameHeader } from './frame.ts';
import type { Frame } from './frame.ts';

/** Narrows the frame to its data. */
export function parseDataFrame(frame: Frame): Http2Fault | null {
  if (frame.streamId === 0) return protocolFault('DATA on stream 0');
  return stripPadding(frame);
}

/** Writes the header of a DATA frame; `length` octets of data follow. */
export function writeDataHeader(
  writer: FrameWriter,
  streamId: number,
  length: number,
  endStream: boolean,
): void {
  writeFrameHeader(writer, length, FrameType.DATA, endStream ? FrameFlag.END_STREAM : 0, streamId);
}
