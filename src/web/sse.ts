// The target of a route that is a stream of server-sent events: sse((stream, request, context) => …).
import type { Exchange } from './exchange.ts';
import { getField } from '../protocol/http/field-lines.ts';
import type { Events, EventSubscription } from './events.ts';
import { EventStream, type EventStreamOptions, type EventStreamOwner } from './event-stream.ts';
import type { AnyBindings, Context, RouteTarget } from './handler.ts';
import { isPromise } from './is-promise.ts';
import { isResponse, sendResponse } from './send-response.ts';
import { encodeServerSentEvent, type ServerSentEvent } from './server-sent-event.ts';

/** A client that listens. */
export interface SseStream {
  /** What the client says that it has got to; null where it comes for the first time. */
  readonly lastEventId: string | null;
  /** Aborted when the client has left, or the server goes away. */
  readonly signal: AbortSignal;
  /** Everything that was sent has left for the client. */
  readonly writable: boolean;
  /**
   * Sends an event; a string is one's data. False: dropped, because the stream is over or the client is more than maxUnsentBytes behind:
   * what waits for it is dropped then, and once it has caught up it is sent the event `reset`. Throws a TypeError for what the
   * format cannot say.
   */
  send(event: ServerSentEvent | string): boolean;
  /** Resolves when `writable` is true, or the stream over. */
  whenDrained(): Promise<void>;
  /**
   * Sends the events of channels, as howdah.event_stream() does in SQL: from `since` on, where the client says nothing itself; by
   * default from now on.
   */
  follow(channels: string | readonly string[], since?: string | null): EventSubscription;
  /** Ends the response; browsers come again. */
  close(): void;
}

/** Who may listen, and the times and limits of the stream. */
export interface SseOptions<Bindings extends AnyBindings> extends Partial<EventStreamOptions> {
  /** Decides before the response begins: `false` refuses with 403, a Response is sent instead. */
  readonly accept?: (
    request: Request,
    context: Context<Bindings>,
  ) => Response | boolean | undefined | void | Promise<Response | boolean | undefined | void>;
}

/** What sends: it may be over at once (others have the stream), go on, or give events to be sent one after another. */
export type SseHandler<Bindings extends AnyBindings> = (
  stream: SseStream,
  request: Request,
  context: Context<Bindings>,
) => void | Promise<void> | AsyncIterable<ServerSentEvent | string>;

/**
 * A target for route(): answers GET with text/event-stream. The response ends with `close()`, with the events that the handler gives, or
 * when the server goes away; one whose handler throws or rejects is cut, and the error observed.
 */
export function sse<Bindings extends AnyBindings = AnyBindings>(
  handler: SseHandler<Bindings>,
  options: SseOptions<Bindings> = {},
): RouteTarget<Bindings> {
  const { accept, ...limits } = options;
  const open = (exchange: Exchange, context: Context<Bindings>): void => {
    const client = new Client(exchange, context.events, limits);
    if (client.isOver) return;
    let given: ReturnType<typeof handler>;
    try {
      given = handler(client, context.request, context);
    } catch (error) {
      client.fail(error);
      return;
    }
    if (given === undefined) return;
    const running = Symbol.asyncIterator in given ? client.sendAll(given) : given;
    running.catch((error: unknown) => client.fail(error));
  };
  return {
    methods: ['GET', 'HEAD'],
    handleExchange(exchange, context) {
      const answer = (accepted: Response | boolean | undefined | void): void => {
        if (accepted === false) exchange.fail(403);
        else if (isResponse(accepted)) sendResponse(exchange, accepted);
        else open(exchange, context);
      };
      const accepted = accept?.(context.request, context);
      if (isPromise(accepted)) return Promise.resolve(accepted).then(answer);
      answer(accepted);
      return undefined;
    },
  };
}

class Client implements SseStream, EventStreamOwner {
  readonly lastEventId: string | null;
  readonly #events: Events;
  readonly #stream: EventStream | null;
  readonly #abort = new AbortController();
  readonly #followed: EventSubscription[] = [];
  #waiting: (() => void)[] = [];

  constructor(exchange: Exchange, events: Events, limits: Partial<EventStreamOptions>) {
    this.#events = events;
    this.lastEventId = getField(exchange.head.fields, 'last-event-id') ?? null;
    this.#stream = EventStream.open(exchange, [], this, limits);
  }

  get isOver(): boolean {
    return this.#stream?.isOver ?? true;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get writable(): boolean {
    return this.#stream?.writable ?? false;
  }

  send(event: ServerSentEvent | string): boolean {
    const text = encodeServerSentEvent(typeof event === 'string' ? { data: event } : event);
    return this.#stream?.send(Buffer.from(text)) ?? false;
  }

  whenDrained(): Promise<void> {
    if (this.writable || this.isOver) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  follow(channels: string | readonly string[], since: string | null = null): EventSubscription {
    const subscription = this.#events.subscribe(channels, ({ bytes }) => this.#stream?.send(bytes), {
      since: this.lastEventId ?? since,
      onReset: (place) => this.send({ id: place, event: 'reset', data: '' }),
    });
    this.#followed.push(subscription);
    return subscription;
  }

  close(): void {
    this.#stream?.close();
  }

  async sendAll(events: AsyncIterable<ServerSentEvent | string>): Promise<void> {
    for await (const event of events) {
      if (this.isOver) return;
      this.send(event);
      await this.whenDrained();
    }
    this.close();
  }

  fail(error: unknown): void {
    this.#stream?.fail(error);
  }

  // --- EventStreamOwner ---

  heartbeat(): Buffer {
    const id = this.#place;
    return Buffer.from(encodeServerSentEvent(id === '' ? { comment: '' } : { comment: '', id }));
  }

  recovered(): void {
    const id = this.#place;
    this.send({ ...(id === '' ? {} : { id }), event: 'reset', data: '' });
  }

  drained(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  closed(): void {
    for (const subscription of this.#followed) subscription.stop();
    this.#abort.abort();
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Where there is but one list of channels, an id says where the client is. */
  get #place(): string {
    const [first, ...others] = this.#followed;
    return first === undefined || others.length > 0 ? '' : first.place;
  }
}
