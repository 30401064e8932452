// Removes (and, being its own inverse, applies) the mask of a payload in place (RFC 6455 §5.3), and tells by the way
// whether the result is all ASCII.

/** Below this a loop over bytes is faster than finding the words (measured: 32 bytes are even). */
const MIN_WORD_BYTES = 32;
const HIGH_BITS_OF_WORD = 0x8080_8080;
const HIGH_BIT = 0x80;

// A socket reads into the same memory again and again, and making a view costs as much as unmasking some hundred bytes.
let viewedMemory: ArrayBufferLike = new ArrayBuffer(0);
let words: Int32Array = new Int32Array(viewedMemory);

// Words are in the byte order of the machine; going through memory makes the key one of them.
const keyBytes = new Uint8Array(4);
const keyWords = new Int32Array(keyBytes.buffer);

/** The key for the bytes that follow `count` bytes. */
export function rotateKey(key: number, count: number): number {
  // Shifts count modulo 32, so that 0 leaves the key as it is.
  const bits = (count & 3) << 3;
  return (key >>> bits) | (key << (32 - bits));
}

/** Unmasks [start, end) with the key whose first byte, the lowest, belongs to `start`; whether all of it is ASCII then. */
export function unmask(bytes: Buffer, start: number, end: number, key: number): boolean {
  if (end - start < MIN_WORD_BYTES) return (unmaskBytes(bytes, start, end, key) & HIGH_BIT) === 0;
  const { buffer, byteOffset } = bytes;
  if (buffer !== viewedMemory) {
    viewedMemory = buffer;
    words = new Int32Array(buffer, 0, buffer.byteLength >>> 2);
  }
  // Where the words begin and end, as indexes of `bytes`.
  const firstWord = start + (-(start + byteOffset) & 3);
  const wordsEnd = end - ((end + byteOffset) & 3);
  let seen = unmaskBytes(bytes, start, firstWord, key);
  const rotated = rotateKey(key, firstWord - start);
  seen |= unmaskBytes(bytes, wordsEnd, end, rotated);
  const wordKey = wordOf(rotated);
  const view = words;
  const last = (wordsEnd + byteOffset) >>> 2;
  let seenWords = 0;
  for (let i = (firstWord + byteOffset) >>> 2; i < last; i++) {
    const word = (view[i] as number) ^ wordKey;
    view[i] = word;
    seenWords |= word;
  }
  return (seen & HIGH_BIT) === 0 && (seenWords & HIGH_BITS_OF_WORD) === 0;
}

/** The bits that any of the bytes has, in the lowest eight. */
function unmaskBytes(bytes: Buffer, start: number, end: number, key: number): number {
  let seen = 0;
  for (let i = start, shift = 0; i < end; i++, shift += 8) {
    const byte = (bytes[i] as number) ^ (key >>> shift);
    bytes[i] = byte;
    seen |= byte;
  }
  return seen;
}

function wordOf(key: number): number {
  keyBytes[0] = key;
  keyBytes[1] = key >>> 8;
  keyBytes[2] = key >>> 16;
  keyBytes[3] = key >>> 24;
  return keyWords[0] as number;
}
