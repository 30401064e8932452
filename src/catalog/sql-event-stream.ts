// The outcome howdah.event_stream(): feeds a client with the events of channels, as server-sent events or as messages of a WebSocket. A
// client that does not keep up is told by the event `reset`, once it does, that events are missing.
import { getField } from '../protocol/http/field-lines.ts';
import type { WebSocketConnection } from '../server/websocket-connection.ts';
import { EventStream, type EventStreamOwner } from '../web/event-stream.ts';
import type { Exchange } from '../web/exchange.ts';
import type { EventHub, EventSubscriber, Subscription } from './event-hub.ts';
import type { StreamOutcome } from './outcome.ts';
import {
  placeBytes,
  placeMessage,
  resetBytes,
  resetMessage,
  type PublishedEvent,
} from './published-event.ts';

/** For clients that cannot set the header: a WebSocket in a browser, a first connection. */
const LAST_EVENT_ID_PARAMETER = 'lastEventId';

/** Answers with server-sent events, until the client leaves or the server goes away. */
export function streamEvents(hub: EventHub, exchange: Exchange, outcome: StreamOutcome): void {
  new HttpFeed(hub).open(exchange, outcome);
}

/** Where the client says that it was; else where the handler says that it begins. */
function beginningOf({ head }: Exchange, { since }: StreamOutcome): string | null {
  const told = getField(head.fields, 'last-event-id');
  if (told !== undefined && told !== '') return told;
  const parameter = new URLSearchParams(head.query ?? '').get(LAST_EVENT_ID_PARAMETER);
  return parameter === null || parameter === '' ? since : parameter;
}

class HttpFeed implements EventSubscriber, EventStreamOwner {
  readonly #hub: EventHub;
  #stream: EventStream | null = null;
  #subscription: Subscription | null = null;

  constructor(hub: EventHub) {
    this.#hub = hub;
  }

  open(exchange: Exchange, outcome: StreamOutcome): void {
    const stream = EventStream.open(exchange, outcome.fields, this);
    if (stream === null || stream.isOver) return;
    this.#stream = stream;
    const { channels, newest } = outcome;
    this.#subscription = this.#hub.subscribe(channels, newest, beginningOf(exchange, outcome), this);
    // So that it can go on from here even if it has to come again before the first event.
    stream.send(this.heartbeat());
  }

  deliver(event: PublishedEvent): void {
    this.#stream?.send(event.bytes);
  }

  reset(place: string): void {
    this.#stream?.send(resetBytes(place));
  }

  heartbeat(): Buffer {
    return placeBytes(this.#place);
  }

  recovered(): void {
    this.#stream?.send(resetBytes(this.#place));
  }

  closed(): void {
    if (this.#subscription !== null) this.#hub.cancel(this.#subscription);
  }

  get #place(): string {
    return this.#subscription === null ? '' : this.#hub.placeOf(this.#subscription);
  }
}

/** The same over a WebSocket. */
export class WebSocketFeed implements EventSubscriber {
  readonly #hub: EventHub;
  readonly #connection: WebSocketConnection;
  readonly #maxUnsentBytes: number;
  readonly #subscription: Subscription;
  #isBehind = false;

  constructor(
    hub: EventHub,
    connection: WebSocketConnection,
    exchange: Exchange,
    outcome: StreamOutcome,
    maxUnsentBytes: number,
  ) {
    this.#hub = hub;
    this.#connection = connection;
    this.#maxUnsentBytes = maxUnsentBytes;
    const { channels, newest } = outcome;
    this.#subscription = hub.subscribe(channels, newest, beginningOf(exchange, outcome), this);
  }

  deliver(event: PublishedEvent): void {
    const connection = this.#connection;
    const { unsentBytes } = connection;
    const room = unsentBytes === 0 || unsentBytes + event.message.frame.length <= this.#maxUnsentBytes;
    if (this.#isBehind || !room) this.#isBehind = true;
    else connection.sendPrepared(event.message);
  }

  reset(place: string): void {
    if (!this.#isBehind) this.#connection.send(resetMessage(place));
  }

  /** A comment does the same on a stream of HTTP: EventStream. */
  moved(place: string): void {
    if (!this.#isBehind && this.#connection.unsentBytes === 0) this.#connection.send(placeMessage(place));
  }

  /** The client has taken what it was sent. */
  drained(): void {
    if (!this.#isBehind) return;
    this.#isBehind = false;
    this.#connection.send(resetMessage(this.#hub.placeOf(this.#subscription)));
  }

  close(): void {
    this.#hub.cancel(this.#subscription);
  }
}
