// The receiving half of an HTTP/1.x server connection (RFC 9112): bytes in, events out, one request at a time. Not the
// connection: it has no socket, no clock, and answers nothing.
//
//                        first byte               head complete
//   ┌──▶ idle ──────────────────────▶ head ──────────────────────▶ body ◀─┐ data
//   │     │  ▲ empty lines             │                            │  └───┘
//   │     │  └─┘                       │ fault                fault │
//   │     │ HTTP/2 preface             ▼                            │ end of the request
//   │     └─────────────────────────▶ ended ◀───────────────────────┤
//   │                                  ▲ takeRest                   ▼
//   └──────────── releaseNext ─────────┴──────────────────────── waiting
//
// A request without a body passes through `body` too. A request that was released before its end goes from its end to
// `idle` at once. The way of the bytes, the limits and the assumptions are in README.md.
import { type FieldLines, NO_FIELDS } from '../http/field-lines.ts';
import { sliceLatin1 } from '../http/latin1.ts';
import { ChunkedBodyReader } from './chunked-body.ts';
import { type Http1Fault, type Http1FaultCode, makeHttp1Fault } from './fault.ts';
import { parseTrailerLines } from './field-lines.ts';
import { FieldSectionReader } from './field-section.ts';
import { FramingFields } from './framing-fields.ts';
import { type HeaderSection, makeHeaderSection } from './header-section.ts';
import type { Http1Limits } from './limits.ts';
import { byteAt, CR, LF, READ_FAULT, READ_MORE } from './reader.ts';
import { type Http1RequestHead, makeRequestHead } from './request-head.ts';
import { RepeatedSection } from './repeated-section.ts';
import { RequestLineReader } from './request-line.ts';

/** Called synchronously from receive, releaseNext and resume. They must not call receive. */
export interface Http1Events {
  receiveHead(head: Http1RequestHead): void;
  /** A view that is valid during the call: the callee copies what it keeps. Never empty. */
  receiveData(data: Buffer): void;
  /** The request is complete. Called for every request, also for one without a body. Forbidden trailers have been dropped. */
  receiveEnd(trailers: FieldLines): void;
  /** Terminal: nothing is parsed after it. */
  receiveFault(fault: Http1Fault): void;
  /** Terminal: the first bytes of the connection are the preface of HTTP/2 (RFC 9113 §3.4). `rest` begins with it; a view, as in receiveData. */
  receiveHttp2Preface(rest: Buffer): void;
}

/** idle: nothing of a request is here; waiting: a request is complete, the next one not released. */
export type Http1Phase = 'idle' | 'head' | 'body' | 'waiting' | 'ended';

const IDLE = 0;
const REQUEST_LINE = 1;
const HEADER_SECTION = 2;
const FIXED_BODY = 3;
const CHUNK_LINE = 4;
const CHUNK_DATA = 5;
const TRAILER_SECTION = 6;
/** The request is complete but for the event that says so. */
const FINISH = 7;
const WAITING = 8;
const ENDED = 9;
const PHASES: readonly Http1Phase[] = [
  'idle',
  'head',
  'head',
  'body',
  'body',
  'body',
  'body',
  'body',
  'waiting',
  'ended',
];

/** RFC 9113 §3.4. */
const HTTP2_PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const NO_INPUT = Buffer.alloc(0);
/** Smallest buffer for input that waits for its other half: most heads fit in. */
const MIN_KEPT_BYTES = 1024;
/** Where more must be kept, room for as much again, so that a head that trickles in is copied a logarithmic number of times. */
const GROWTH = 2;
/** A section without lines is an empty line. */
const EMPTY_SECTION_BYTES = 2;

export class Http1Receiver {
  readonly #limits: Http1Limits;
  readonly #events: Http1Events;
  readonly #line: RequestLineReader;
  readonly #framing = new FramingFields();
  readonly #headers: FieldSectionReader;
  readonly #repeated = new RepeatedSection();
  /** Made for the first body that comes in chunks. */
  #chunks: ChunkedBodyReader | null = null;
  #trailers: FieldSectionReader | null = null;
  #stage = IDLE;
  /** Input not yet used: [#start, #end). It belongs to us (#isKept) or, while receive runs, to its caller. */
  #input: Buffer = NO_INPUT;
  #start = 0;
  #end = 0;
  #isKept = false;
  #isRunning = false;
  #isPaused = false;
  #isReleased = false;
  #isEof = false;
  /** Until a byte has told that this is not HTTP/2. */
  #mayBeHttp2 = true;
  #emptyLines = 0;
  /** Bytes that the body, or the chunk, still has. */
  #remaining = 0;

  constructor(limits: Http1Limits, events: Http1Events) {
    this.#limits = limits;
    this.#events = events;
    this.#line = new RequestLineReader(limits);
    this.#headers = new FieldSectionReader(limits, this.#framing);
  }

  get phase(): Http1Phase {
    if (this.#stage === IDLE && this.#mayBeHttp2 && this.#start < this.#end) return 'head';
    return PHASES[this.#stage] as Http1Phase;
  }

  /** Input that is kept because its other half is missing, the next request was not released, or delivery is paused. */
  get bufferedBytes(): number {
    return this.#end - this.#start;
  }

  /** Parses as far as it may and keeps the rest in a copy. Input after the end is ignored. Throws when called from an event. */
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

  /**
   * Lets the next request be parsed: at once when the current one is complete, otherwise when it will be. Does nothing
   * between requests. From inside an event it only notes it, and the loop that called the event goes on.
   */
  releaseNext(): void {
    if (this.#stage === WAITING) {
      this.#stage = IDLE;
      this.#run();
    } else this.#isReleased = true;
  }

  /** No more events until resume. */
  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#run();
  }

  /**
   * The peer will send no more. `incomplete`: it stopped inside a request, and the receiver has ended. `clean`: it
   * did not; or input is kept that was not looked at yet (paused, or the next request was not released). Should that turn out to
   * be incomplete, the fault `incomplete-request` will say so.
   */
  receiveEof(): 'clean' | 'incomplete' {
    this.#isEof = true;
    if (this.#isRunning || !this.#isCutOff()) return 'clean';
    this.#finishInput();
    return 'incomplete';
  }

  /** What was received after an upgraded request, as a buffer of the caller's. Ends the receiver. */
  takeRest(): Buffer {
    const rest = Buffer.from(this.#input.subarray(this.#start, this.#end));
    this.#finishInput();
    return rest;
  }

  #run(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      while (!this.#isPaused && this.#step());
      if (this.#isEof && !this.#isPaused && this.#isCutOff()) this.#fail('incomplete-request');
    } finally {
      this.#isRunning = false;
      this.#keepRest();
    }
  }

  /** Does the next thing there is to do; false where there is none before something happens. */
  #step(): boolean {
    switch (this.#stage) {
      case IDLE:
        return this.#skipEmptyLines();
      case REQUEST_LINE:
        return this.#readRequestLine();
      case HEADER_SECTION:
        return this.#readHeaderSection();
      case FIXED_BODY:
        return this.#deliverData(FINISH);
      case CHUNK_LINE:
        return this.#readChunkLine();
      case CHUNK_DATA:
        return this.#deliverData(CHUNK_LINE);
      case TRAILER_SECTION:
        return this.#readTrailerSection();
      case FINISH:
        return this.#finishRequest(NO_FIELDS);
      default:
        return false;
    }
  }

  #skipEmptyLines(): boolean {
    const input = this.#input;
    if (this.#mayBeHttp2 && this.#start < this.#end) {
      if (this.#takePreface()) return false;
      this.#mayBeHttp2 = false;
    }
    while (this.#start < this.#end) {
      const byte = byteAt(input, this.#start);
      if (byte !== CR) {
        if (byte === LF) return this.#fail('bare-lf');
        this.#stage = REQUEST_LINE;
        this.#emptyLines = 0;
        this.#line.reset();
        return true;
      }
      if (this.#start + 1 === this.#end) return false;
      if (byteAt(input, this.#start + 1) !== LF) return this.#fail('bare-cr');
      this.#emptyLines++;
      if (this.#emptyLines > this.#limits.maxEmptyLines) return this.#fail('empty-lines');
      this.#start += 2;
    }
    return false;
  }

  /** Whether the input is the preface, and the receiver has ended, or can still become it. */
  #takePreface(): boolean {
    const rest = this.#input.subarray(this.#start, this.#end);
    const length = Math.min(rest.length, HTTP2_PREFACE.length);
    for (let i = 0; i < length; i++) if (rest[i] !== HTTP2_PREFACE[i]) return false;
    if (length === HTTP2_PREFACE.length) {
      this.#finishInput();
      this.#events.receiveHttp2Preface(rest);
    }
    return true;
  }

  #readRequestLine(): boolean {
    const line = this.#line;
    const result = line.read(this.#input, this.#start, this.#end);
    if (result === READ_MORE) return false;
    if (result === READ_FAULT) return this.#fail(line.fault);
    this.#stage = HEADER_SECTION;
    const base = this.#start + line.length;
    const maxBytes = this.#limits.maxHeadBytes - line.length;
    const repeated =
      this.#repeated.length <= maxBytes ? this.#repeated.find(this.#input, base, this.#end) : null;
    if (repeated !== null) return this.#completeHead(repeated, base + this.#repeated.length);
    this.#framing.reset();
    this.#headers.reset(maxBytes);
    return true;
  }

  #readHeaderSection(): boolean {
    const headers = this.#headers;
    const base = this.#start + this.#line.length;
    const result = headers.read(this.#input, base, this.#end);
    if (result === READ_MORE) return false;
    if (result === READ_FAULT) return this.#fail(headers.fault);
    const end = base + headers.length;
    const text = sliceLatin1(this.#input, base, end);
    const section = makeHeaderSection(text, this.#framing, this.#limits.maxAuthorityBytes);
    if (typeof section === 'string') return this.#fail(section);
    this.#repeated.note(section, this.#input, base, end);
    return this.#completeHead(section, end);
  }

  #completeHead(section: HeaderSection, end: number): boolean {
    const line = this.#line;
    const text = sliceLatin1(this.#input, this.#start, this.#start + line.length);
    const head = makeRequestHead(text, line, section, this.#limits.maxAuthorityBytes);
    if (typeof head === 'string') return this.#fail(head);
    this.#start = end;
    this.#isReleased = false;
    if (head.chunked) {
      this.#chunks ??= new ChunkedBodyReader(this.#limits);
      this.#chunks.reset();
      this.#stage = CHUNK_LINE;
    } else if (head.hasBody) {
      this.#remaining = section.contentLength;
      this.#stage = FIXED_BODY;
    } else this.#stage = FINISH;
    this.#events.receiveHead(head);
    return true;
  }

  #readChunkLine(): boolean {
    // Made with the head.
    const chunks = this.#chunks as ChunkedBodyReader;
    const result = chunks.read(this.#input, this.#start, this.#end);
    if (result === READ_FAULT) return this.#fail(chunks.fault);
    this.#start = chunks.position;
    if (result === READ_MORE) return false;
    if (chunks.size > 0) {
      this.#remaining = chunks.size;
      this.#stage = CHUNK_DATA;
    } else {
      this.#trailers ??= new FieldSectionReader(this.#limits, null);
      this.#trailers.reset(this.#limits.maxTrailerBytes);
      this.#stage = TRAILER_SECTION;
    }
    return true;
  }

  #deliverData(next: typeof FINISH | typeof CHUNK_LINE): boolean {
    const length = Math.min(this.#end - this.#start, this.#remaining);
    if (length === 0) return false;
    const data = this.#input.subarray(this.#start, this.#start + length);
    this.#start += length;
    this.#remaining -= length;
    if (this.#remaining === 0) this.#stage = next;
    this.#events.receiveData(data);
    return true;
  }

  #readTrailerSection(): boolean {
    // Made with the last chunk.
    const trailers = this.#trailers as FieldSectionReader;
    const start = this.#start;
    const result = trailers.read(this.#input, start, this.#end);
    if (result === READ_MORE) return false;
    if (result === READ_FAULT) return this.#fail(trailers.fault);
    this.#start += trailers.length;
    if (trailers.length === EMPTY_SECTION_BYTES) return this.#finishRequest(NO_FIELDS);
    return this.#finishRequest(parseTrailerLines(sliceLatin1(this.#input, start, this.#start)));
  }

  #finishRequest(trailers: FieldLines): boolean {
    this.#stage = this.#isReleased ? IDLE : WAITING;
    this.#events.receiveEnd(trailers);
    return true;
  }

  #fail(code: Http1FaultCode): false {
    const fault = makeHttp1Fault(code, this.#partialRequest());
    this.#finishInput();
    this.#events.receiveFault(fault);
    return false;
  }

  #partialRequest(): Http1Fault['partial'] {
    const { methodEnd, targetEnd } = this.#line;
    if ((this.#stage !== REQUEST_LINE && this.#stage !== HEADER_SECTION) || targetEnd === 0) return null;
    const text = sliceLatin1(this.#input, this.#start, this.#start + targetEnd);
    const [path = ''] = text.slice(methodEnd + 1).split('?', 1);
    return { method: text.slice(0, methodEnd), path };
  }

  /** Whether an end of the input here would be inside a request; false too where there is input that was not looked at. */
  #isCutOff(): boolean {
    if (this.#isPaused && this.#start < this.#end) return false;
    const { phase } = this;
    return phase === 'head' || (phase === 'body' && this.#stage !== FINISH);
  }

  #finishInput(): void {
    this.#stage = ENDED;
    this.#start = this.#end;
    this.#keepRest();
  }

  /** Keeps what was not used in memory of our own: the caller may write over its chunk when receive has returned. */
  #keepRest(): void {
    const rest = this.#end - this.#start;
    if (rest > 0 && this.#isKept) return;
    if (rest > 0) this.#moveRest(Math.max(rest, MIN_KEPT_BYTES));
    else {
      this.#input = NO_INPUT;
      this.#start = 0;
      this.#end = 0;
    }
  }

  #append(chunk: Buffer): void {
    const room = this.#input.length - this.#end;
    if (room < chunk.length) this.#moveRest((this.bufferedBytes + chunk.length) * GROWTH);
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
