// CONTINUATION (RFC 9113 §6.10). That it continues the right block is checked by header-block.ts.
import type { FrameWriter } from '../frame-writer.ts';
import { FrameFlag, FrameType, writeFrameHeader } from './frame.ts';

export function writeContinuationHeader(
  writer: FrameWriter,
  streamId: number,
  length: number,
  endHeaders: boolean,
): void {
  writeFrameHeader(writer, length, FrameType.CONTINUATION, endHeaders ? FrameFlag.END_HEADERS : 0, streamId);
}
