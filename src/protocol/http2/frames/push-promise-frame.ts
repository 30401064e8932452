// PUSH_PROMISE (RFC 9113 §6.6), as a server sends it. Receiving one is always a client's fault (§8.4).
import { FRAME_HEADER_BYTES, FrameFlag, FrameType, putFrameHeader } from './frame.ts';

/** The promised stream's identifier, before the header block. */
export const PROMISED_ID_BYTES = 4;

/** Puts the header and the promised id at `position`; `blockLength` octets of header block follow. */
export function putPushPromiseStart(
  buffer: Buffer,
  position: number,
  blockLength: number,
  streamId: number,
  promisedId: number,
  endHeaders: boolean,
): void {
  const flags = endHeaders ? FrameFlag.END_HEADERS : 0;
  putFrameHeader(buffer, position, blockLength + PROMISED_ID_BYTES, FrameType.PUSH_PROMISE, flags, streamId);
  buffer.writeUInt32BE(promisedId, position + FRAME_HEADER_BYTES);
}
