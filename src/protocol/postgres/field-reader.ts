// Reads the fields of one message's body: integers, zero-terminated strings, counted values. Reading past the end is not
// an exception: it gives empty values and sets `overrun`, which the reader of the message turns into a violation.

export class FieldReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;
  overrun = false;

  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get remaining(): number {
    return this.#end - this.#at;
  }

  byte(): number {
    if (!this.#has(1)) return 0;
    this.#at += 1;
    return this.#bytes[this.#at - 1] ?? 0;
  }

  int16(): number {
    if (!this.#has(2)) return 0;
    this.#at += 2;
    return this.#bytes.readInt16BE(this.#at - 2);
  }

  int32(): number {
    if (!this.#has(4)) return 0;
    this.#at += 4;
    return this.#bytes.readInt32BE(this.#at - 4);
  }

  cstring(): string {
    const zero = this.#bytes.indexOf(0, this.#at);
    if (zero < 0 || zero >= this.#end) {
      this.overrun = true;
      this.#at = this.#end;
      return '';
    }
    const text = this.#bytes.toString('utf8', this.#at, zero);
    this.#at = zero + 1;
    return text;
  }

  /** A view of the next bytes. */
  bytes(length: number): Buffer {
    if (length < 0 || !this.#has(length)) {
      this.overrun = true;
      return this.#bytes.subarray(this.#end, this.#end);
    }
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  #has(bytes: number): boolean {
    if (this.#end - this.#at >= bytes) return true;
    this.overrun = true;
    this.#at = this.#end;
    return false;
  }
}
