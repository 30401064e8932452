// What all frames share (RFC 9113 §4.1): the header, types and flags, and one cursor over the frame being read. The
// files beside it parse and write one type each.
import { connectionFault, ErrorCode } from '../fault.ts';
import type { Http2Fault } from '../fault.ts';
import type { FrameWriter } from '../frame-writer.ts';

export const FRAME_HEADER_BYTES = 9;
/** The smallest and the default SETTINGS_MAX_FRAME_SIZE (RFC 9113 §4.2). */
export const MIN_MAX_FRAME_BYTES = 16_384;
/** The largest length that fits a frame header (RFC 9113 §4.2). */
export const MAX_MAX_FRAME_BYTES = 16_777_215;
export const MAX_STREAM_ID = 0x7fffffff;

export const FrameType = {
  DATA: 0x0,
  HEADERS: 0x1,
  PRIORITY: 0x2,
  RST_STREAM: 0x3,
  SETTINGS: 0x4,
  PUSH_PROMISE: 0x5,
  PING: 0x6,
  GOAWAY: 0x7,
  WINDOW_UPDATE: 0x8,
  CONTINUATION: 0x9,
  /** RFC 9218 §7.1. */
  PRIORITY_UPDATE: 0x10,
} as const;

export const FrameFlag = {
  ACK: 0x1,
  END_STREAM: 0x1,
  END_HEADERS: 0x4,
  PADDED: 0x8,
  PRIORITY: 0x20,
} as const;

/**
 * The frame being read. One per connection and used again for every frame, so that a frame costs no object; parsers
 * narrow `start` and `end` to what they are asked for.
 */
export class Frame {
  type = 0;
  flags = 0;
  streamId = 0;
  /** Of the whole payload, with padding: what flow control counts (RFC 9113 §6.1). */
  length = 0;
  buffer: Buffer = NO_BYTES;
  start = 0;
  end = 0;

  /** Reads the header at `buffer[position]`, of which nine octets must be there; the payload is pointed at, not checked. */
  readHeader(buffer: Buffer, position: number): void {
    const b = buffer;
    this.length =
      ((b[position] as number) << 16) | ((b[position + 1] as number) << 8) | (b[position + 2] as number);
    this.type = b[position + 3] as number;
    this.flags = b[position + 4] as number;
    this.streamId = readUint31(b, position + 5);
  }

  /** Points at the payload, `buffer[start, start + length)`. */
  setPayload(buffer: Buffer, start: number): void {
    this.buffer = buffer;
    this.start = start;
    this.end = start + this.length;
  }

  /** Lets go of the bytes: an idle connection must not keep the chunk that it read last. */
  release(): void {
    this.buffer = NO_BYTES;
  }

  has(flag: number): boolean {
    return (this.flags & flag) !== 0;
  }
}

export const NO_BYTES: Buffer = Buffer.alloc(0);

/** 31 bits; the reserved bit is ignored (RFC 9113 §4.1). */
export function readUint31(buffer: Buffer, position: number): number {
  return readUint32(buffer, position) & 0x7fffffff;
}

export function readUint32(buffer: Buffer, position: number): number {
  return (
    (((buffer[position] as number) << 24) |
      ((buffer[position + 1] as number) << 16) |
      ((buffer[position + 2] as number) << 8) |
      (buffer[position + 3] as number)) >>>
    0
  );
}

/** Strips padding (RFC 9113 §6.1, §6.2). */
export function stripPadding(frame: Frame): Http2Fault | null {
  if ((frame.flags & FrameFlag.PADDED) === 0) return null;
  if (frame.start === frame.end) return frameSizeFault('a padded frame without a pad length');
  const padding = frame.buffer[frame.start] as number;
  frame.start++;
  frame.end -= padding;
  if (frame.end >= frame.start) return null;
  return connectionFault(ErrorCode.PROTOCOL_ERROR, 'padding longer than the payload');
}

/** Writes a frame header; the payload follows. */
export function writeFrameHeader(
  writer: FrameWriter,
  length: number,
  type: number,
  flags: number,
  streamId: number,
): void {
  writer.ensure(FRAME_HEADER_BYTES);
  putFrameHeader(writer.buffer, writer.position, length, type, flags, streamId);
  writer.position += FRAME_HEADER_BYTES;
}

export function putFrameHeader(
  buffer: Buffer,
  position: number,
  length: number,
  type: number,
  flags: number,
  streamId: number,
): void {
  buffer[position] = length >>> 16;
  buffer[position + 1] = length >>> 8;
  buffer[position + 2] = length;
  buffer[position + 3] = type;
  buffer[position + 4] = flags;
  buffer[position + 5] = streamId >>> 24;
  buffer[position + 6] = streamId >>> 16;
  buffer[position + 7] = streamId >>> 8;
  buffer[position + 8] = streamId;
}

export function frameSizeFault(reason: string): Http2Fault {
  return connectionFault(ErrorCode.FRAME_SIZE_ERROR, reason);
}

export function protocolFault(reason: string): Http2Fault {
  return connectionFault(ErrorCode.PROTOCOL_ERROR, reason);
}
