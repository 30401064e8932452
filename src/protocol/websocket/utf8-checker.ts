// Checks UTF-8 (RFC 3629 §4) as it arrives, in pieces cut anywhere, and fails at the first byte that no valid text has
// there. Not a decoder.
import { isUtf8 } from 'node:buffer';

/** From here on a native call over the piece is faster than the loop, also with the view that it needs. */
const MIN_NATIVE_BYTES = 128;
/** Bytes of an unfinished character at most. */
const MAX_UNFINISHED_BYTES = 3;

export class Utf8Checker {
  /** Continuation bytes that the current character still needs. */
  #missing = 0;
  /** Bounds of the next byte, if one is missing. */
  #low = 0x80;
  #high = 0xbf;

  /** Whether a character is not finished: an error where the text ends. */
  get isInside(): boolean {
    return this.#missing > 0;
  }

  /** False: no text goes on like this, and the checker is of no more use. */
  check(bytes: Buffer, start: number, end: number): boolean {
    let position = this.#finishCharacter(bytes, start, end);
    if (position < 0) return false;
    if (end - position >= MIN_NATIVE_BYTES) {
      const cut = startOfLastCharacter(bytes, end);
      if (!isUtf8(bytes.subarray(position, cut))) return false;
      position = cut;
    }
    while (position < end) {
      const byte = bytes[position++] as number;
      if (byte < 0x80) continue;
      if (!this.#begin(byte)) return false;
      position = this.#finishCharacter(bytes, position, end);
      if (position < 0) return false;
    }
    return true;
  }

  /** Index after the rest of the current character, as far as it is there; -1 for a wrong byte. */
  #finishCharacter(bytes: Buffer, start: number, end: number): number {
    let position = start;
    while (this.#missing > 0 && position < end) {
      const byte = bytes[position++] as number;
      if (byte < this.#low || byte > this.#high) return -1;
      this.#low = 0x80;
      this.#high = 0xbf;
      this.#missing--;
    }
    return position;
  }

  /** Begins a character of several bytes. */
  #begin(byte: number): boolean {
    // Below C2: a continuation byte, or the lead of an overlong form.
    if (byte < 0xc2 || byte > 0xf4) return false;
    this.#low = 0x80;
    this.#high = 0xbf;
    if (byte < 0xe0) this.#missing = 1;
    else if (byte < 0xf0) {
      this.#missing = 2;
      if (byte === 0xe0) this.#low = 0xa0; // overlong below
      if (byte === 0xed) this.#high = 0x9f; // surrogates above
    } else {
      this.#missing = 3;
      if (byte === 0xf0) this.#low = 0x90; // overlong below
      if (byte === 0xf4) this.#high = 0x8f; // past U+10FFFF above
    }
    return true;
  }
}

/** Where the last character of several bytes begins, if it may be unfinished; otherwise `end`. */
function startOfLastCharacter(bytes: Buffer, end: number): number {
  for (let position = end - 1; position >= end - MAX_UNFINISHED_BYTES; position--) {
    const byte = bytes[position] as number;
    if (byte >= 0xc0) return position;
    if (byte < 0x80) return end;
  }
  return end;
}
