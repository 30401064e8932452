// The sending half of a WebSocket server connection (RFC 6455 §5, §7; RFC 7692): writes frames, and knows how far the closing
// handshake is. Sends nothing itself: the bytes are in the ByteWriter.
//
//                  sendClose                     receiveClose
//        ┌────────────────────────▶ closing ────────────────────────┐
//   open │                                                          ▼
//        └────────────────────────────────────────────────────▶ closed
//                         receiveClose (answered at once)
//
// In `closing` and `closed` nothing but the end of the connection is left to do: what is sent is dropped.
import type { ByteWriter } from '../http/byte-writer.ts';
import { CLOSE_NO_CODE, isSendableCloseCode, MAX_CLOSE_REASON_BYTES } from './close-code.ts';
import type { DeflateCodec } from './deflate-codec.ts';
import { MAX_COPIED_PAYLOAD_BYTES, writeFrame, writeTextFrame } from './frame-writer.ts';
import {
  BINARY,
  CLOSE,
  COMPRESSED_BIT,
  CONTINUATION,
  FIN_BIT,
  MAX_LENGTH_16,
  MAX_SHORT_LENGTH,
  PING,
  PONG,
  TEXT,
} from './opcode.ts';
import type { PreparedMessage } from './prepared-message.ts';

export interface WebSocketSenderOptions {
  /** Payload bytes of a frame at most; a longer message is sent in several. Default 1 048 576. */
  readonly maxSentFrameBytes: number;
  /** Messages below this are sent as they are unless compression is asked for. Default 1024. */
  readonly minCompressBytes: number;
}

/** Sources. Frame: what a peer with our own limits takes. Compression: the threshold of the `ws` package. */
export const DEFAULT_SENDER_OPTIONS: WebSocketSenderOptions = Object.freeze({
  maxSentFrameBytes: 1_048_576,
  minCompressBytes: 1024,
});

/** open: both may send; closing: we have sent a close frame; closed: both have. */
export type ClosingPhase = 'open' | 'closing' | 'closed';

/** A text of so many characters fits into one frame with a 16-bit length, and into the writer's slab. */
const MAX_DIRECT_CHARACTERS = Math.floor(MAX_LENGTH_16 / 3) - 3;
const NO_BYTES = Buffer.alloc(0);

export class WebSocketSender {
  readonly #out: ByteWriter;
  readonly #codec: DeflateCodec | null;
  readonly #options: WebSocketSenderOptions;
  #phase: ClosingPhase = 'open';
  /** A message that is sent in parts: first byte of its next frame without FIN; null where there is none. */
  #next: number | null = null;
  #isCompressing = false;

  /** `codec` is null where compression was not negotiated. Throws a RangeError for a frame size below 1. */
  constructor(out: ByteWriter, codec: DeflateCodec | null, options = DEFAULT_SENDER_OPTIONS) {
    if (!(options.maxSentFrameBytes >= 1)) throw new RangeError('maxSentFrameBytes must be at least 1');
    this.#out = out;
    this.#codec = codec;
    this.#options = options;
  }

  get phase(): ClosingPhase {
    return this.#phase;
  }

  /**
   * Sends a text message; lone surrogates become U+FFFD. `compress`: whether to, if it was negotiated; by default from
   * minCompressBytes on. False: dropped, because a close frame was sent. Throws inside a message that is sent in parts.
   */
  sendText(text: string, compress?: boolean): boolean {
    if (!this.#mayBegin()) return false;
    const { maxSentFrameBytes, minCompressBytes } = this.#options;
    const { length } = text;
    const isCompressed = this.#codec !== null && (compress ?? length >= minCompressBytes);
    if (!isCompressed && length <= MAX_DIRECT_CHARACTERS && length * 3 <= maxSentFrameBytes) {
      writeTextFrame(this.#out, FIN_BIT | TEXT, text);
    } else this.#sendMessage(TEXT, Buffer.from(text), isCompressed);
    return true;
  }

  /** The same for bytes. Above MAX_COPIED_PAYLOAD_BYTES they are kept by reference: they must not change until they have been sent. */
  sendBinary(data: Uint8Array, compress?: boolean): boolean {
    if (!this.#mayBegin()) return false;
    const isCompressed = this.#codec !== null && (compress ?? data.length >= this.#options.minCompressBytes);
    this.#sendMessage(BINARY, data, isCompressed);
    return true;
  }

  /** Sends a message that was put into a frame before, compressed from minCompressBytes on. Otherwise as sendBinary. */
  sendPrepared(message: PreparedMessage): boolean {
    if (!this.#mayBegin()) return false;
    const codec = this.#codec;
    let { frame } = message;
    if (codec !== null && message.payloadBytes >= this.#options.minCompressBytes) {
      frame = message.frameFor(codec);
      if (frame !== message.frame) codec.startAfresh();
    }
    this.#out.writeBytes(frame, MAX_COPIED_PAYLOAD_BYTES);
    return true;
  }

  /**
   * Begins a message that is sent in parts, for one whose length is not known or that should not delay control frames; only they
   * may be sent before its last part. `compress`: whether to, if it was negotiated; default false.
   */
  beginMessage(kind: 'text' | 'binary', compress = false): boolean {
    if (!this.#mayBegin()) return false;
    this.#isCompressing = compress && this.#codec !== null;
    this.#next = (kind === 'text' ? TEXT : BINARY) | (this.#isCompressing ? COMPRESSED_BIT : 0);
    return true;
  }

  /** Sends a part of the message begun, cut anywhere (a text: of its UTF-8). Throws where there is none, unless a close frame was sent. */
  sendPart(part: Uint8Array, isLast: boolean): boolean {
    if (this.#phase !== 'open') return false;
    const first = this.#next;
    if (first === null) throw new Error('sendPart() without beginMessage()');
    const payload = this.#deflateIf(this.#isCompressing, part, isLast);
    const wasSent = isLast || payload.length > 0;
    if (wasSent) this.#writeFrames(first, payload, isLast);
    if (isLast) this.#next = null;
    else if (wasSent) this.#next = CONTINUATION;
    return true;
  }

  /** At most 125 bytes, else a RangeError. False: dropped, because a close frame was sent. */
  sendPing(payload: Uint8Array = NO_BYTES): boolean {
    return this.#sendControl(PING, payload);
  }

  /** Answers a ping with its payload, or tells that we are there. As sendPing. */
  sendPong(payload: Uint8Array = NO_BYTES): boolean {
    return this.#sendControl(PONG, payload);
  }

  /**
   * Begins the closing handshake. `code` null: none, and no reason. Throws a RangeError for a code that may not be sent
   * (RFC 6455 §7.4) and a reason of more than 123 bytes. False: a close frame was sent before; this one is not.
   */
  sendClose(code: number | null, reason = ''): boolean {
    const payload = makeClosePayload(code, reason);
    if (this.#phase !== 'open') return false;
    writeFrame(this.#out, FIN_BIT | CLOSE, payload);
    this.#phase = 'closing';
    return true;
  }

  /**
   * Takes note of the peer's close frame and answers it with its code where we have not sent one (§5.5.1). The handshake is
   * complete then: the driver closes the connection once everything is sent (§7.1.1).
   */
  receiveClose(code: number): void {
    this.sendClose(code === CLOSE_NO_CODE ? null : code);
    this.#phase = 'closed';
  }

  #mayBegin(): boolean {
    if (this.#phase !== 'open') return false;
    if (this.#next !== null) throw new Error('a message that is sent in parts is not complete');
    return true;
  }

  #sendMessage(opcode: number, data: Uint8Array, isCompressed: boolean): void {
    const payload = this.#deflateIf(isCompressed, data, true);
    this.#writeFrames(opcode | (isCompressed ? COMPRESSED_BIT : 0), payload, true);
  }

  #deflateIf(isCompressed: boolean, data: Uint8Array, isEnd: boolean): Uint8Array {
    return isCompressed && this.#codec !== null ? this.#codec.deflate(data, isEnd) : data;
  }

  /** Writes the payload in frames of maxSentFrameBytes at most. `first`: first byte of the first frame, without FIN. */
  #writeFrames(first: number, payload: Uint8Array, isEnd: boolean): void {
    const { maxSentFrameBytes } = this.#options;
    let start = 0;
    let head = first;
    for (; payload.length - start > maxSentFrameBytes; start += maxSentFrameBytes) {
      writeFrame(this.#out, head, payload.subarray(start, start + maxSentFrameBytes));
      head = CONTINUATION;
    }
    writeFrame(this.#out, isEnd ? FIN_BIT | head : head, start === 0 ? payload : payload.subarray(start));
  }

  #sendControl(opcode: number, payload: Uint8Array): boolean {
    if (payload.length > MAX_SHORT_LENGTH) {
      throw new RangeError(`a control frame takes at most ${MAX_SHORT_LENGTH} bytes`);
    }
    if (this.#phase !== 'open') return false;
    writeFrame(this.#out, FIN_BIT | opcode, payload);
    return true;
  }
}

function makeClosePayload(code: number | null, reason: string): Buffer {
  if (code === null) return NO_BYTES;
  if (!isSendableCloseCode(code)) throw new RangeError(`${code} is no close code that may be sent`);
  const payload = Buffer.allocUnsafe(2 + Buffer.byteLength(reason));
  if (payload.length > 2 + MAX_CLOSE_REASON_BYTES) {
    throw new RangeError(`a close reason takes at most ${MAX_CLOSE_REASON_BYTES} bytes`);
  }
  payload.writeUInt16BE(code, 0);
  payload.write(reason, 2);
  return payload;
}
