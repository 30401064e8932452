// The two ways of reading a request body: whole with a limit, and piece by piece with back-pressure.

export interface BodyReader {
  /** A piece, as a view that is valid during the call. */
  receive(chunk: Buffer): void;
  receiveEnd(): void;
  /** The stream is over before the body was. */
  abandon(): void;
}

const EMPTY = Buffer.alloc(0);

/** Collects a body of at most `limitBytes`; calls `done` with it, or `tooLarge`, once. */
export class BodyCollector implements BodyReader {
  readonly #limitBytes: number;
  readonly #done: (body: Buffer) => void;
  readonly #tooLarge: () => void;
  #chunks: Buffer[] = [];
  #length = 0;

  constructor(limitBytes: number, done: (body: Buffer) => void, tooLarge: () => void) {
    this.#limitBytes = limitBytes;
    this.#done = done;
    this.#tooLarge = tooLarge;
  }

  receive(chunk: Buffer): void {
    const before = this.#length;
    this.#length += chunk.length;
    if (this.#length <= this.#limitBytes) {
      this.#chunks.push(Buffer.from(chunk));
    } else {
      this.#chunks = [];
      if (before <= this.#limitBytes) this.#tooLarge();
    }
  }

  receiveEnd(): void {
    if (this.#length > this.#limitBytes) return;
    const [first] = this.#chunks;
    if (first === undefined) this.#done(EMPTY);
    else this.#done(this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks, this.#length));
    this.#chunks = [];
  }

  abandon(): void {
    this.#chunks = [];
  }
}

/** Bytes that may wait for the reader of a streamed body: one read of a socket. */
const WINDOW_BYTES = 65_536;

/** Hands a body to one reader as it comes; asks for more as the reader takes it. */
export class BodyQueue implements BodyReader, AsyncIterableIterator<Buffer> {
  readonly #ask: (bytes: number) => void;
  #chunks: Buffer[] = [];
  #ended = false;
  #abandoned = false;
  #asked = false;
  #waiting: { resolve: (result: IteratorResult<Buffer>) => void; reject: (error: Error) => void } | null =
    null;

  constructor(ask: (bytes: number) => void) {
    this.#ask = ask;
  }

  receive(chunk: Buffer): void {
    const copy = Buffer.from(chunk);
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting === null) this.#chunks.push(copy);
    else {
      this.#ask(copy.length);
      waiting.resolve({ done: false, value: copy });
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
    this.#chunks = [];
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
    const chunk = this.#chunks.shift();
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
