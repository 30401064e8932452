// A growing buffer that messages of the PostgreSQL protocol are written into, one behind the other. Knows how a message
// is framed (type byte, length that counts itself), not what messages there are.

/** Large enough for a batch of ordinary calls, small enough to keep one per session. */
const INITIAL_BYTES = 16 * 1024;

/** A buffer that grew beyond this for one large message is let go after it was taken. */
const KEEP_BYTES = 256 * 1024;

export class MessageWriter {
  #buffer: Buffer;
  #length = 0;
  #messageStart = 0;

  constructor(initialBytes = INITIAL_BYTES) {
    this.#buffer = Buffer.allocUnsafeSlow(initialBytes);
  }

  /** Bytes written and not yet taken. */
  get length(): number {
    return this.#length;
  }

  /** Begins a message; `end` fills its length in. */
  begin(type: number): void {
    this.#reserve(5);
    this.#messageStart = this.#length + 1;
    this.#buffer[this.#length] = type;
    this.#length += 5;
  }

  /** Begins a message of the startup phase, which has no type byte. */
  beginUntyped(): void {
    this.#reserve(4);
    this.#messageStart = this.#length;
    this.#length += 4;
  }

  end(): void {
    this.#buffer.writeInt32BE(this.#length - this.#messageStart, this.#messageStart);
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length] = value;
    this.#length += 1;
  }

  int16(value: number): void {
    this.#reserve(2);
    this.#buffer[this.#length] = value >> 8;
    this.#buffer[this.#length + 1] = value;
    this.#length += 2;
  }

  /** The lower 32 bits, so unsigned OIDs too. */
  int32(value: number): void {
    this.#reserve(4);
    this.#setInt32(this.#length, value);
    this.#length += 4;
  }

  /** A zero-terminated string. A zero inside would end it early and let the rest be read as protocol: thrown. */
  cstring(text: string): void {
    if (text.includes('\0'))
      throw new TypeError('a string of the PostgreSQL protocol cannot contain a zero byte');
    this.#text(text);
    this.byte(0);
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** A value preceded by its length: a parameter of Bind, a column of DataRow. null has length -1. */
  value(value: string | Uint8Array | null): void {
    if (value === null) {
      this.int32(-1);
    } else if (typeof value === 'string') {
      const lengthAt = this.#length;
      this.int32(0);
      this.#text(value);
      this.#setInt32(lengthAt, this.#length - lengthAt - 4);
    } else {
      this.int32(value.length);
      this.bytes(value);
    }
  }

  /** Begins a value whose length is not known yet, and says where it begins; `endValue` fills its length in. */
  beginValue(): number {
    this.int32(0);
    return this.#length;
  }

  endValue(begin: number): void {
    this.#setInt32(begin - 4, this.#length - begin);
  }

  /** What was written since `length` had this value, as a view that is valid until the next write. */
  writtenSince(length: number): Buffer {
    return this.#buffer.subarray(length, this.#length);
  }

  /** Drops what was written since `length` had this value, half a message included. */
  rewind(length: number): void {
    this.#length = length;
  }

  /** What was written so far, as a view that is valid until the next write; the writer is empty afterwards. */
  take(): Buffer {
    const taken = this.#buffer.subarray(0, this.#length);
    this.#length = 0;
    if (this.#buffer.length > KEEP_BYTES) this.#buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
    return taken;
  }

  #setInt32(at: number, value: number): void {
    const buffer = this.#buffer;
    buffer[at] = value >> 24;
    buffer[at + 1] = value >> 16;
    buffer[at + 2] = value >> 8;
    buffer[at + 3] = value;
  }

  #text(text: string): void {
    // UTF-8 needs at most three bytes for each UTF-16 code unit.
    this.#reserve(text.length * 3);
    this.#length += this.#buffer.write(text, this.#length, 'utf8');
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }
}
