// Writes integers with a prefix (RFC 7541 §5.1). Reading them is part of the decoder, which keeps a position.

/**
 * Writes `value` with a prefix whose largest value is `mask`, into the low bits of an octet that begins with `pattern`.
 * Returns the position after it; at most 6 octets for values below 2³¹.
 */
export function encodeInteger(
  target: Uint8Array,
  position: number,
  pattern: number,
  mask: number,
  value: number,
): number {
  if (value < mask) {
    target[position] = pattern | value;
    return position + 1;
  }
  let at = position;
  target[at++] = pattern | mask;
  let rest = value - mask;
  while (rest >= 0x80) {
    target[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[at++] = rest;
  return at;
}
