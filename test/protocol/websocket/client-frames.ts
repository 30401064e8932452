// What the tests say as a client: frames, masked and of any shape, right or wrong. Not the client that a server is tested with.

/** A key whose bytes differ, so that a wrong rotation shows. */
const MASK_KEY = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

export const CONTINUATION = 0x0;
export const TEXT = 0x1;
export const BINARY = 0x2;
export const CLOSE = 0x8;
export const PING = 0x9;
export const PONG = 0xa;
export const RSV1 = 0x40;
export const RSV2 = 0x20;
export const RSV3 = 0x10;

export interface FrameShape {
  readonly isFinal?: boolean;
  readonly reserved?: number;
  readonly key?: Buffer | null;
  /** Bytes of the extended length: 0, 2 or 8; by default the fewest. */
  readonly lengthBytes?: 0 | 2 | 8;
  /** Announced instead of the payload's own length. */
  readonly length?: bigint;
}

export function frame(opcode: number, payload: Uint8Array | string = '', shape: FrameShape = {}): Buffer {
  const { isFinal = true, reserved = 0, key = MASK_KEY } = shape;
  const bytes = Buffer.from(payload as string);
  const length = shape.length ?? BigInt(bytes.length);
  const lengthBytes = shape.lengthBytes ?? (length < 126n ? 0 : length < 65_536n ? 2 : 8);
  const head = Buffer.alloc(2 + lengthBytes);
  head[0] = (isFinal ? 0x80 : 0) | reserved | opcode;
  head[1] = (key === null ? 0 : 0x80) | (lengthBytes === 0 ? Number(length) : lengthBytes === 2 ? 126 : 127);
  if (lengthBytes === 2) head.writeUInt16BE(Number(length), 2);
  if (lengthBytes === 8) head.writeBigUInt64BE(length, 2);
  if (key === null) return Buffer.concat([head, bytes]);
  return Buffer.concat([head, key, bytes.map((byte, i) => byte ^ (key[i % 4] as number))]);
}

/** A message in frames with the given payloads. */
export function fragments(
  opcode: number,
  payloads: readonly (Uint8Array | string)[],
  reserved = 0,
): Buffer[] {
  return payloads.map((payload, i) =>
    frame(i === 0 ? opcode : CONTINUATION, payload, {
      isFinal: i === payloads.length - 1,
      reserved: i === 0 ? reserved : 0,
    }),
  );
}

/** Close frame payload. */
export function closePayload(code: number, reason: Uint8Array | string = ''): Buffer {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(code);
  return Buffer.concat([head, Buffer.from(reason as string)]);
}
