// What the WebSocket machine needs of a DEFLATE implementation (RFC 7692 §7.2). An interface: the machine is given one that was
// made for the negotiated parameters, and nothing else of it is known here.

/**
 * Compresses and decompresses the messages of one connection, synchronously and in order. It keeps the windows between messages
 * (context takeover) or forgets them, as negotiated. Between messages in one direction it may be idle for hours.
 */
export interface DeflateCodec {
  /**
   * Inflates bytes[start, end) of a message. `isEnd`: they are the last ones, and the codec adds the 00 00 FF FF that the peer has
   * left out (§7.2.2). `maxBytes` is the most that this call may return. The result is valid until the next call of any codec.
   * After `malformed` or `too-large` the codec is not used for receiving any more.
   */
  inflate(
    bytes: Buffer,
    start: number,
    end: number,
    isEnd: boolean,
    maxBytes: number,
  ): Buffer | 'malformed' | 'too-large';

  /**
   * Deflates the next bytes of a message; without `isEnd` there may be no output yet. `isEnd`: they are the last ones; the
   * output is flushed and the 00 00 FF FF at its end removed (§7.2.1). The result belongs to the caller, and is never empty at the
   * end of a message (§7.2.3.6).
   */
  deflate(bytes: Uint8Array, isEnd: boolean): Buffer;

  /** Size of the window that the peer inflates our messages with: 2 to this power. */
  readonly windowBits: number;

  /** Deflates a whole message that refers to nothing before it, so that it is for all connections with as many window bits. */
  deflateAlone(bytes: Uint8Array): Buffer;

  /**
   * The peer was sent a compressed message that `deflate` has not made, and has it in its window: what `deflate` makes next refers to nothing
   * before.
   */
  startAfresh(): void;

  /** Frees its memory. It is not used after. */
  close(): void;
}
