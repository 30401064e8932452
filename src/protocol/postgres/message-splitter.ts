// Cuts a byte stream into messages (type byte, four bytes of length that count themselves, body), for both directions.
// Does not read bodies.
//
//            1 + 4 bytes           length - 4 bytes
//   HEADER ──────────────▶ BODY ──────────────────────▶ HEADER
//      └── length < 4, or over the limit ──▶ BROKEN (for good)

/** The peer broke the protocol; the connection is of no use any more. */
export interface ProtocolViolation {
  readonly kind: 'protocol-violation';
  readonly reason: string;
}

export interface MessageSink {
  /**
   * One message; its body is `bytes` from `start` to `end`. The bytes may be a view into what was received: copy to
   * keep them beyond the call.
   */
  message(type: number, bytes: Buffer, start: number, end: number): void;
}

/** What PostgreSQL itself allows: MaxAllocSize (1 GiB - 1). */
export const MAX_MESSAGE_BYTES = 0x3fff_ffff;

const HEADER_BYTES = 5;

/** A claimed length is believed up to here; beyond, memory is taken as the bytes really come. */
const TRUSTED_BYTES = 1024 * 1024;

export class MessageSplitter {
  readonly #sink: MessageSink;
  readonly #maxMessageBytes: number;
  readonly #skips: ((type: number) => boolean) | null;
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerFilled = 0;
  /** The body that is being gathered; null where it is skipped. */
  #body: Buffer | null = null;
  #bodyFilled = 0;
  #bodyLength = -1;
  #violation: ProtocolViolation | null = null;

  /** `skips`: messages of these types are not gathered or passed on, however large they are. */
  constructor(
    sink: MessageSink,
    maxMessageBytes = MAX_MESSAGE_BYTES,
    skips: ((type: number) => boolean) | null = null,
  ) {
    this.#sink = sink;
    this.#maxMessageBytes = maxMessageBytes;
    this.#skips = skips;
  }

  /** Whether the stream stands between two messages. */
  get atBoundary(): boolean {
    return this.#headerFilled === 0 && this.#bodyLength < 0;
  }

  /** Takes bytes as they come, in any division. After a violation everything is refused with it. */
  receive(bytes: Buffer): ProtocolViolation | null {
    if (this.#violation !== null) return this.#violation;
    let at = 0;
    const length = bytes.length;
    while (at < length) {
      if (this.#bodyLength >= 0) {
        at = this.#gather(bytes, at);
        continue;
      }
      if (this.#headerFilled === 0 && length - at >= HEADER_BYTES) {
        const type = bytes[at] ?? 0;
        const bodyLength = bytes.readInt32BE(at + 1) - 4;
        if (bodyLength < 0 || bodyLength > this.#maxMessageBytes) return this.#break(type, bodyLength);
        const start = at + HEADER_BYTES;
        if (length - start >= bodyLength) {
          at = start + bodyLength;
          if (this.#skips === null || !this.#skips(type)) this.#sink.message(type, bytes, start, at);
          continue;
        }
        bytes.copy(this.#header, 0, at, start);
        this.#beginBody(type, bodyLength);
        at = start;
        continue;
      }
      const taken = Math.min(HEADER_BYTES - this.#headerFilled, length - at);
      bytes.copy(this.#header, this.#headerFilled, at, at + taken);
      this.#headerFilled += taken;
      at += taken;
      if (this.#headerFilled < HEADER_BYTES) break;
      const type = this.#header[0] ?? 0;
      const bodyLength = this.#header.readInt32BE(1) - 4;
      if (bodyLength < 0 || bodyLength > this.#maxMessageBytes) return this.#break(type, bodyLength);
      this.#beginBody(type, bodyLength);
      if (bodyLength === 0) this.#gather(bytes, at);
    }
    return null;
  }

  #beginBody(type: number, bodyLength: number): void {
    const skipped = this.#skips !== null && this.#skips(type);
    this.#body = skipped ? null : Buffer.allocUnsafe(Math.min(bodyLength, TRUSTED_BYTES));
    this.#bodyFilled = 0;
    this.#bodyLength = bodyLength;
  }

  #gather(bytes: Buffer, at: number): number {
    const taken = Math.min(this.#bodyLength - this.#bodyFilled, bytes.length - at);
    if (this.#body !== null) {
      const needed = this.#bodyFilled + taken;
      if (needed > this.#body.length) this.#body = grow(this.#body, needed, this.#bodyLength);
      bytes.copy(this.#body, this.#bodyFilled, at, at + taken);
    }
    this.#bodyFilled += taken;
    if (this.#bodyFilled === this.#bodyLength) {
      const body = this.#body;
      const bodyLength = this.#bodyLength;
      this.#body = null;
      this.#bodyLength = -1;
      this.#headerFilled = 0;
      if (body !== null) this.#sink.message(this.#header[0] ?? 0, body, 0, bodyLength);
    }
    return at + taken;
  }

  #break(type: number, bodyLength: number): ProtocolViolation {
    const reason =
      bodyLength < 0
        ? `message of type 0x${type.toString(16)} with length ${bodyLength + 4}`
        : `message of type 0x${type.toString(16)} with ${bodyLength} bytes, more than the allowed ${this.#maxMessageBytes}`;
    this.#violation = { kind: 'protocol-violation', reason };
    return this.#violation;
  }
}

function grow(body: Buffer, needed: number, limit: number): Buffer {
  const grown = Buffer.allocUnsafe(Math.min(limit, Math.max(needed, body.length * 2)));
  body.copy(grown);
  return grown;
}
