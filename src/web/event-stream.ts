// A response of server-sent events (HTML Standard §9.2): begins it, keeps it alive, holds what the client does not take yet, up to a
// bound, and ends it when the server goes away. Does not know where events come from.
//
//   fresh ──(more than maxUnsentBytes wait)──► behind ──(the client has taken what was sent)──► fresh, `recovered` is called
import type { FieldLines } from '../protocol/http/field-lines.ts';
import { PieceQueue } from '../protocol/http/piece-queue.ts';
import type { Exchange, ResponseSink } from './exchange.ts';

export interface EventStreamOptions {
  /** A stream without news for so long is sent a comment, so that proxies and clients see that it lives. Default 15 000. */
  readonly heartbeatMs: number;
  /** Bytes that may wait for the client. Beyond, all that waits is dropped, and the client told once it has caught up. Default 1 048 576. */
  readonly maxUnsentBytes: number;
}

/** Sources. heartbeatMs: HTML Standard §9.2.7 ("every 15 seconds or so"). maxUnsentBytes: that of WebSockets. */
const DEFAULT_EVENT_STREAM_OPTIONS: EventStreamOptions = Object.freeze({
  heartbeatMs: 15_000,
  maxUnsentBytes: 1_048_576,
});

/** What whoever feeds the stream is told; each at most once at a time. */
export interface EventStreamOwner {
  /** What is sent when there was nothing else for a while. Default: a comment. */
  heartbeat?(): Buffer;
  /** The client has taken everything that was sent. */
  drained?(): void;
  /** The client has caught up after events were dropped: it is to be told. */
  recovered(): void;
  /** Once: the client has left, or the server goes away. */
  closed(): void;
}

const COMMENT = Buffer.from(':\n\n');

export class EventStream {
  readonly #exchange: Exchange;
  readonly #sink: ResponseSink;
  readonly #owner: EventStreamOwner;
  readonly #options: EventStreamOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #queue = new PieceQueue();
  #isBehind = false;
  #isOver = false;

  /** Begins the answer; null where the request has one. To a HEAD request it is the head alone. */
  static open(
    exchange: Exchange,
    fields: FieldLines,
    owner: EventStreamOwner,
    options: Partial<EventStreamOptions> = {},
  ): EventStream | null {
    const sink = exchange.respondPushed(200, withDefaults(fields));
    if (sink === null) return null;
    return new EventStream(exchange, sink, owner, { ...DEFAULT_EVENT_STREAM_OPTIONS, ...options });
  }

  private constructor(
    exchange: Exchange,
    sink: ResponseSink,
    owner: EventStreamOwner,
    options: EventStreamOptions,
  ) {
    this.#exchange = exchange;
    this.#sink = sink;
    this.#owner = owner;
    this.#options = options;
    sink.onDrain(() => this.#drain());
    exchange.onClose(() => this.#finish());
    exchange.onDraining(() => this.close());
    this.#timer = setTimeout(() => this.#beat(), options.heartbeatMs);
    this.#timer.unref();
    if (exchange.head.method === 'HEAD') this.close();
  }

  get isOver(): boolean {
    return this.#isOver || this.#exchange.closed;
  }

  /** Everything that was sent has left for the client. */
  get writable(): boolean {
    return !this.isOver && !this.#isBehind && this.#queue.isEmpty && this.#sink.writable;
  }

  /** Whether events are being dropped until the client has caught up. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /** Sends whole events, as their text. False: dropped. The buffer may be shared by many streams. */
  send(events: Buffer): boolean {
    if (this.isOver || this.#isBehind) return false;
    this.#timer.refresh();
    if (this.#queue.isEmpty && this.#sink.writable) {
      this.#sink.write(events);
      return true;
    }
    if (this.#queue.bytes + events.length > this.#options.maxUnsentBytes) {
      this.#queue.clear();
      this.#isBehind = true;
      return false;
    }
    this.#queue.push(events);
    return true;
  }

  /** Ends the response in good order, after what waits for the client as far as it takes it now. */
  close(): void {
    if (this.isOver) return;
    for (let events = this.#queue.take(); events !== undefined; events = this.#queue.take())
      this.#sink.write(events);
    this.#sink.end();
    this.#finish();
  }

  /** Cuts the response; the error is observed. */
  fail(error: unknown): void {
    if (this.isOver) return;
    this.#sink.fail(error);
    this.#finish();
  }

  #drain(): void {
    while (!this.#queue.isEmpty && this.#sink.writable) {
      const events = this.#queue.take();
      if (events !== undefined) this.#sink.write(events);
    }
    if (this.isOver || !this.#sink.writable) return;
    if (this.#isBehind) {
      this.#isBehind = false;
      this.#owner.recovered();
    }
    this.#owner.drained?.();
  }

  #beat(): void {
    if (this.writable) this.#sink.write(this.#owner.heartbeat?.() ?? COMMENT);
    this.#timer.refresh();
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#queue.clear();
    this.#owner.closed();
  }
}

const DEFAULT_FIELDS = [
  ['content-type', 'text/event-stream; charset=utf-8'],
  ['cache-control', 'no-store'],
  // Some proxies hold answers back until there is more of them; this is how nginx is asked not to.
  ['x-accel-buffering', 'no'],
] as const;

function withDefaults(fields: FieldLines): string[] {
  const given = new Set(fields.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase()));
  return [...fields, ...DEFAULT_FIELDS.filter(([name]) => !given.has(name)).flat()];
}
