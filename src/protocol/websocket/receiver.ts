// The receiving half of a WebSocket server connection (RFC 6455 §5, RFC 7692): bytes in, messages out. Not the connection: it has no
// socket, no clock, and answers nothing.
//
//              data frame                     its payload ends
//   ┌──────▶ header ────────────────▶ data ──────────────────────┐
//   │        │ │  ▲  control frame                              │
//   │        │ │  └──────────────────────── control ◀─┐         │
//   │        │ └────────────────────────────▶ │ │ ping, pong    │
//   │  fault │                          close │ └───────┘        │
//   │        ▼                                ▼                   │
//   │      ended ◀────────────────────────────┘                   │
//   └──────────────────────────────────────────────────────────────┘
//
// Between the frames of a fragmented message it is in `header` too, and #opcode tells that there is one. The way of the bytes,
// the limits and the assumptions are in README.md.
import { sliceLatin1 } from '../http/latin1.ts';
import { parseClosePayload } from './close-code.ts';
import type { DeflateCodec } from './deflate-codec.ts';
import { makeWebSocketFault, type WebSocketFault, type WebSocketFaultCode } from './fault.ts';
import { FrameHeader, READ_FAULT, READ_MORE } from './frame-header.ts';
import { assertLimits, FREE_INFLATED_BYTES, type WebSocketLimits } from './limits.ts';
import { rotateKey, unmask } from './mask.ts';
import { MessageBuffer } from './message-buffer.ts';
import { CLOSE, CONTINUATION, MAX_SHORT_LENGTH, PING, TEXT } from './opcode.ts';
import { Utf8Checker } from './utf8-checker.ts';

/** Called synchronously from receive and resume. They must not call receive. */
export interface WebSocketEvents {
  /** A whole text message. */
  receiveText(text: string): void;
  /** A whole binary message; the buffer belongs to the callee. */
  receiveBinary(data: Buffer): void;
  /** To be answered with a pong (RFC 6455 §5.5.2). The payload is a view that is valid during the call. */
  receivePing(payload: Buffer): void;
  /** Also for one that was not asked for. The payload is a view that is valid during the call. */
  receivePong(payload: Buffer): void;
  /** Terminal: the peer sends no more; a close frame must answer it if none was sent (§5.5.1). 1005: it gave no code. */
  receiveClose(code: number, reason: string): void;
  /** Terminal: the connection is to be failed (§7.1.7). Of the message with the fault nothing was delivered. */
  receiveFault(fault: WebSocketFault): void;
}

const HEADER = 0;
const DATA = 1;
const CONTROL = 2;
const ENDED = 3;

/** In place of an opcode: no message has begun. CONTINUATION begins none. */
const NO_MESSAGE = CONTINUATION;
const NO_INPUT = Buffer.alloc(0);
/** In a paused receiver, room for as much again: what trickles in is copied a logarithmic number of times. */
const GROWTH = 2;

export class WebSocketReceiver {
  readonly #limits: WebSocketLimits;
  readonly #codec: DeflateCodec | null;
  readonly #events: WebSocketEvents;
  readonly #header: FrameHeader;
  /** Most messages are ASCII, and in one piece: null before there is one that is not. */
  #utf8: Utf8Checker | null = null;
  #message: MessageBuffer | null = null;
  #stage = HEADER;
  /** Input not yet used: [#start, #end). It belongs to us (#isKept) or, while receive runs, to its caller. */
  #input: Buffer = NO_INPUT;
  #start = 0;
  #end = 0;
  #isKept = false;
  #isRunning = false;
  #isPaused = false;
  /** Bytes of the frame's payload that are still to come, and the key for the next one. */
  #remaining = 0;
  #maskKey = 0;
  /** The message: its opcode, what is known of it so far. */
  #opcode = NO_MESSAGE;
  #isCompressed = false;
  #isAscii = true;
  #fragments = 0;
  #sentBytes = 0;
  #inflatedBytes = 0;
  /** The parts of a control frame's payload that is cut by the end of the input; null before there is one. */
  #control: Buffer | null = null;
  #controlBytes = 0;

  /** `codec` is null where compression was not negotiated. Throws a RangeError for limits below 1 or too large. */
  constructor(limits: WebSocketLimits, codec: DeflateCodec | null, events: WebSocketEvents) {
    assertLimits(limits);
    this.#limits = limits;
    this.#codec = codec;
    this.#events = events;
    this.#header = new FrameHeader(codec !== null);
  }

  /** Whether a close frame or a fault was received: input is ignored from then on. */
  get isEnded(): boolean {
    return this.#stage === ENDED;
  }

  /** Whether an event of it is being handled: `resume` then changes what happens when that returns. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Input that is kept because the rest of a frame's header is missing or delivery is paused. */
  get bufferedBytes(): number {
    return this.#end - this.#start;
  }

  /** Bytes of a message whose end has not come. */
  get messageBytes(): number {
    return this.#message?.length ?? 0;
  }

  /**
   * Parses as far as it may and keeps the rest in a copy. Payloads are unmasked where they are: the chunk is overwritten. Throws
   * when called from an event.
   */
  receive(chunk: Buffer): void {
    if (this.#isRunning) throw new Error('receive() was called from an event of the same receiver');
    if (this.#stage === ENDED) return;
    if (this.#start === this.#end) {
      this.#input = chunk;
      this.#start = 0;
      this.#end = chunk.length;
      this.#isKept = false;
    } else this.#append(chunk);
    this.#run();
  }

  /** No more events until resume. What is received meanwhile is kept: the caller should stop reading. */
  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#run();
  }

  #run(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      while (!this.#isPaused && this.#step());
    } finally {
      this.#isRunning = false;
      this.#keepRest();
    }
  }

  /** Does the next thing there is to do; false where there is none before something happens. */
  #step(): boolean {
    switch (this.#stage) {
      case HEADER:
        return this.#readHeader();
      case DATA:
        return this.#readData();
      case CONTROL:
        return this.#readControl();
      default:
        return false;
    }
  }

  #readHeader(): boolean {
    const header = this.#header;
    const length = header.read(this.#input, this.#start, this.#end, this.#opcode !== NO_MESSAGE);
    if (length === READ_MORE) return false;
    if (length === READ_FAULT) return this.#fail(header.fault);
    this.#start += length;
    this.#remaining = header.length;
    this.#maskKey = header.maskKey;
    if (header.opcode >= CLOSE) {
      this.#controlBytes = 0;
      this.#stage = CONTROL;
      return true;
    }
    return this.#beginFragment(header);
  }

  #beginFragment(header: FrameHeader): boolean {
    const limits = this.#limits;
    if (header.opcode !== CONTINUATION) {
      this.#opcode = header.opcode;
      this.#isCompressed = header.isCompressed;
      this.#isAscii = true;
      this.#fragments = 0;
      this.#sentBytes = 0;
      this.#inflatedBytes = 0;
    }
    if (header.length > limits.maxFrameBytes) return this.#fail('frame-too-large');
    this.#sentBytes += header.length;
    if (this.#sentBytes > limits.maxMessageBytes) return this.#fail('message-too-large');
    this.#fragments++;
    if (this.#fragments > limits.maxFragments) return this.#fail('too-many-fragments');
    this.#stage = DATA;
    return true;
  }

  /** What is there of a data frame's payload, even if it is empty. */
  #readData(): boolean {
    const start = this.#start;
    const end = Math.min(this.#end, start + this.#remaining);
    const length = end - start;
    if (length === 0 && this.#remaining > 0) return false;
    this.#start = end;
    this.#remaining -= length;
    const isAscii = unmask(this.#input, start, end, this.#maskKey);
    const isFrameEnd = this.#remaining === 0;
    if (isFrameEnd) this.#stage = HEADER;
    else this.#maskKey = rotateKey(this.#maskKey, length);
    const isEnd = isFrameEnd && this.#header.isFinal;
    if (this.#isCompressed) return this.#inflate(start, end, isEnd);
    return this.#takePayload(this.#input, start, end, isAscii, isEnd);
  }

  #inflate(start: number, end: number, isEnd: boolean): boolean {
    const { maxMessageBytes, maxInflateRatio } = this.#limits;
    const receivedBytes = this.#sentBytes - this.#remaining;
    const allowed = Math.max(FREE_INFLATED_BYTES, receivedBytes * maxInflateRatio);
    const most = Math.min(maxMessageBytes, allowed) - this.#inflatedBytes;
    // A header with the bit is refused where there is no codec.
    const codec = this.#codec as DeflateCodec;
    const inflated = codec.inflate(this.#input, start, end, isEnd, most);
    if (inflated === 'malformed') return this.#fail('deflate-malformed');
    if (inflated === 'too-large') return this.#fail('inflated-too-large');
    this.#inflatedBytes += inflated.length;
    return this.#takePayload(inflated, 0, inflated.length, false, isEnd);
  }

  /** `isAscii` may be false for ASCII too; `isEnd`: the message ends here. */
  #takePayload(bytes: Buffer, start: number, end: number, isAscii: boolean, isEnd: boolean): boolean {
    if (this.#opcode === TEXT && !(isAscii && this.#isAscii)) {
      this.#isAscii = false;
      this.#utf8 ??= new Utf8Checker();
      const utf8 = this.#utf8;
      if (!utf8.check(bytes, start, end) || (isEnd && utf8.isInside)) return this.#fail('text-not-utf8');
    }
    if (!isEnd) {
      this.#message ??= new MessageBuffer();
      if (start < end) this.#message.append(bytes, start, end, this.#remaining, this.#header.isFinal);
      return true;
    }
    const isText = this.#opcode === TEXT;
    this.#opcode = NO_MESSAGE;
    const message = this.#message;
    if (message === null || message.length === 0) this.#deliverPart(bytes, start, end, isText);
    else {
      message.append(bytes, start, end, 0, true);
      const whole = message.take();
      if (isText) this.#deliverText(whole, 0, whole.length);
      else this.#events.receiveBinary(whole);
    }
    return true;
  }

  #deliverPart(bytes: Buffer, start: number, end: number, isText: boolean): void {
    if (isText) this.#deliverText(bytes, start, end);
    else {
      const data = Buffer.allocUnsafe(end - start);
      bytes.copy(data, 0, start, end);
      this.#events.receiveBinary(data);
    }
  }

  #deliverText(bytes: Buffer, start: number, end: number): void {
    const text = this.#isAscii ? sliceLatin1(bytes, start, end) : bytes.toString('utf8', start, end);
    this.#events.receiveText(text);
  }

  #readControl(): boolean {
    const start = this.#start;
    const end = Math.min(this.#end, start + this.#remaining);
    const length = end - start;
    if (length === 0 && this.#remaining > 0) return false;
    this.#start = end;
    this.#remaining -= length;
    unmask(this.#input, start, end, this.#maskKey);
    if (this.#remaining === 0 && this.#controlBytes === 0) {
      this.#deliverControl(this.#input.subarray(start, end));
      return true;
    }
    this.#maskKey = rotateKey(this.#maskKey, length);
    this.#control ??= Buffer.allocUnsafe(MAX_SHORT_LENGTH);
    this.#controlBytes += this.#input.copy(this.#control, this.#controlBytes, start, end);
    if (this.#remaining === 0) this.#deliverControl(this.#control.subarray(0, this.#controlBytes));
    return true;
  }

  #deliverControl(payload: Buffer): void {
    this.#stage = HEADER;
    const { opcode } = this.#header;
    if (opcode === CLOSE) {
      const status = parseClosePayload(payload);
      if (typeof status === 'string') this.#fail(status);
      else {
        this.#end = this.#start;
        this.#stage = ENDED;
        this.#message?.take();
        this.#events.receiveClose(status.code, status.reason);
      }
    } else if (opcode === PING) this.#events.receivePing(payload);
    else this.#events.receivePong(payload);
  }

  #fail(code: WebSocketFaultCode): false {
    this.#stage = ENDED;
    this.#end = this.#start;
    this.#message?.take();
    this.#events.receiveFault(makeWebSocketFault(code));
    return false;
  }

  /** Keeps what was not used in memory of our own: the caller may write over its chunk when receive has returned. */
  #keepRest(): void {
    const rest = this.#end - this.#start;
    if (rest === 0) this.#input = NO_INPUT;
    else if (!this.#isKept) this.#moveRest(rest);
  }

  #append(chunk: Buffer): void {
    const room = this.#input.length - this.#end;
    if (room < chunk.length) {
      this.#moveRest((this.bufferedBytes + chunk.length) * (this.#isPaused ? GROWTH : 1));
    }
    this.#end += chunk.copy(this.#input, this.#end);
  }

  #moveRest(capacity: number): void {
    const kept = Buffer.allocUnsafe(capacity);
    this.#end = this.#input.copy(kept, 0, this.#start, this.#end);
    this.#start = 0;
    this.#input = kept;
    this.#isKept = true;
  }
}
