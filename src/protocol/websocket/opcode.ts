// Opcodes and the bits around them in a frame's first two bytes (RFC 6455 §5.2).

export const CONTINUATION = 0x0;
export const TEXT = 0x1;
export const BINARY = 0x2;
/** The first opcode of control frames. */
export const CLOSE = 0x8;
export const PING = 0x9;
export const PONG = 0xa;

export const FIN_BIT = 0x80;
/** RSV1: the message is compressed (RFC 7692 §6). */
export const COMPRESSED_BIT = 0x40;
export const OTHER_RESERVED_BITS = 0x30;
export const OPCODE_BITS = 0x0f;
export const MASK_BIT = 0x80;
export const LENGTH_BITS = 0x7f;

/** The longest payload that needs no extended length, and the longest of a control frame (RFC 6455 §5.5). */
export const MAX_SHORT_LENGTH = 125;
/** In place of a length: it follows in two bytes, or in eight. */
export const LENGTH_16 = 126;
export const LENGTH_64 = 127;
export const MAX_LENGTH_16 = 0xffff;
/** 2^32, to put a 64-bit length together and to take it apart. */
export const TWO_32 = 0x1_0000_0000;
