// What the readers of this folder have in common: each goes over its part of a message once, stops where the input
// ends, and goes on from there when it is called again with more.

/** The input ended first. */
export const READ_MORE = 0;
/** The part is complete and correct. */
export const READ_DONE = 1;
/** The part is wrong: the reader's `fault` says how. */
export const READ_FAULT = 2;
export type ReadResult = typeof READ_MORE | typeof READ_DONE | typeof READ_FAULT;

export const HTAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;

/** The byte at `index`, which is inside the buffer: the loops over a head have no time for a check that cannot fail. */
export function byteAt(input: Uint8Array, index: number): number {
  return input[index] as number;
}

/** Whether the bytes at `start` are `lowerCase` (ASCII letters, digits, "-") in any case; they are known to hold no control byte. */
export function isBytesOf(input: Uint8Array, start: number, lowerCase: Uint8Array): boolean {
  for (let i = 0; i < lowerCase.length; i++) {
    // 0x20 makes a letter lower case; what else it changes are control bytes and @ [ \ ] ^ _, none of which becomes a letter.
    if ((byteAt(input, start + i) | 0x20) !== byteAt(lowerCase, i)) return false;
  }
  return true;
}
