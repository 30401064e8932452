// The two ways of reading a request body: whole with a limit, and piece by piece with back-pressure.

import { PieceQueue } from '../protocol/http/piece-queue.ts';
import type { BodyRefusal } from './exchange.ts';

export interface BodyReader {
  /** A piece, as a view that is valid during the call. */
  receive(chunk: Buffer): void;
  receiveEnd(): void;
  /** The stream is over before the body was. */
  abandon(): void;
}

/** The body of a request without one. */
export const EMPTY = Buffer.alloc(0);

/** Reads the body of a request that has ended without one: most have none, and this needs nothing made for them. */
export const NO_BODY: BodyReader = {
  receive: () => undefined,
  receiveEnd: () => undefined,
  abandon: () => undefined,
};

/**
 * Bodies that announce up to this much are gathered in place, which saves a copy. Larger ones are not trusted with memory
 * before they have sent it.
 */
const MAX_ANNOUNCED_BYTES = 1_048_576;

/** Collects a body of at most `limitBytes`; calls `done` with it, or `refused`, once. */
export class BodyCollector implements BodyReader {
  readonly #limitBytes: number;
  /** Where the whole body goes; made with its first piece, so that it costs nothing before. */
  #whole: Buffer | null = null;
  readonly #announced: number | null;
  readonly #done: (body: Buffer) => void;
  readonly #refused: (reason: BodyRefusal) => void;
  /** null before there is one: most bodies go in place. */
  #chunks: PieceQueue | null = null;
  #length = 0;
  #over = false;

  /** `announced` is the length that the request gives for its body, or null. */
  constructor(
    limitBytes: number,
    announced: number | null,
    done: (body: Buffer) => void,
    refused: (reason: BodyRefusal) => void,
  ) {
    this.#limitBytes = limitBytes;
    this.#announced = announced;
    this.#done = done;
    this.#refused = refused;
  }

  receive(chunk: Buffer): void {
    if (this.#over) return;
    const at = this.#length;
    this.#length += chunk.length;
    if (this.#length > this.#limitBytes) {
      this.#refuse('too-large');
      return;
    }
    const announced = this.#announced;
    if (at === 0 && announced !== null && announced > chunk.length && announced <= MAX_ANNOUNCED_BYTES) {
      this.#whole = Buffer.allocUnsafeSlow(announced);
    }
    const whole = this.#whole;
    if (whole === null) {
      this.#chunks ??= new PieceQueue();
      this.#chunks.pushCopy(chunk);
    } else if (this.#length <= whole.length) {
      whole.set(chunk, at);
    } else {
      // The protocols hold a body to its length, but a stream handler before this one may have decoded it.
      this.#chunks = new PieceQueue();
      this.#chunks.push(whole.subarray(0, at));
      this.#chunks.pushCopy(chunk);
      this.#whole = null;
    }
  }

  receiveEnd(): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#whole !== null) this.#done(this.#whole.subarray(0, this.#length));
    else this.#done(this.#chunks?.takeAll() ?? EMPTY);
    this.#chunks = null;
  }

  abandon(): void {
    this.#refuse('client-left');
  }

  #refuse(reason: BodyRefusal): void {
    if (this.#over) return;
    this.#over = true;
    this.#chunks = null;
    this.#whole = null;
    this.#refused(reason);
  }
}

/** Bytes that may wait for the reader of a streamed body: one read of a socket. */
const WINDOW_BYTES = 65_536;

/** Hands a body to one reader as it comes; asks for more as the reader takes it. */
export class BodyQueue implements BodyReader, AsyncIterableIterator<Buffer> {
  readonly #ask: (bytes: number) => void;
  readonly #chunks = new PieceQueue();
  #ended = false;
  #abandoned = false;
  #asked = false;
  #waiting: { resolve: (result: IteratorResult<Buffer>) => void; reject: (error: Error) => void } | null =
    null;

  constructor(ask: (bytes: number) => void) {
    this.#ask = ask;
  }

  receive(chunk: Buffer): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting === null) this.#chunks.pushCopy(chunk);
    else {
      this.#ask(chunk.length);
      waiting.resolve({ done: false, value: Buffer.from(chunk) });
    }
  }

  receiveEnd(): void {
    this.#ended = true;
    this.#waiting?.resolve({ done: true, value: undefined });
    this.#waiting = null;
  }

  abandon(): void {
    if (this.#ended) return;
    this.#abandoned = true;
    this.#chunks.clear();
    this.#waiting?.reject(new Error('the client left before its request was complete'));
    this.#waiting = null;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Buffer>> {
    if (!this.#asked && !this.#ended) {
      this.#asked = true;
      this.#ask(WINDOW_BYTES);
    }
    const chunk = this.#chunks.take();
    if (chunk !== undefined) {
      if (!this.#ended) this.#ask(chunk.length);
      return Promise.resolve({ done: false, value: chunk });
    }
    if (this.#abandoned) return Promise.reject(new Error('the client left before its request was complete'));
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }
}
