// The target of a route that is a WebSocket: websocket({ open, message, close, … }). Decides on handshakes, gives handlers a socket with
// topics, and ends with the server. What is spoken on the wire is server/websocket-connection.ts.
import {
  prepareBinary,
  prepareText,
  type WebSocketConnection,
  type WebSocketHandler,
  type WebSocketMessage,
} from '../server/websocket-connection.ts';
import { webSocketOffer } from '../server/websocket-handshake.ts';
import type { WebSocketOptions } from '../server/websocket-options.ts';
import type { Exchange } from './exchange.ts';
import type { Events } from './events.ts';
import type { AnyBindings, Context, RouteTarget } from './handler.ts';
import { isPromise } from './is-promise.ts';
import { isAllowedOrigin, type AllowedOrigins } from './origin-check.ts';
import { isResponse, sendResponse } from './send-response.ts';
import { publishToFleet, Topics, type TopicMessage } from './topics.ts';
import { acceptWebSocket } from './websocket.ts';

/** An open WebSocket, as its handlers have it. */
export interface LiveSocket<Data = unknown> {
  /** What `accept` gave; the handlers may put something else there. */
  data: Data;
  /** Whether messages can be sent: no close frame was sent or received. */
  readonly isOpen: boolean;
  /** False while what was sent waits for the client; `drain` is called then. Sending goes on up to maxUnsentBytes. */
  readonly writable: boolean;
  /** Bytes that wait in this process for the client to take them. */
  readonly unsentBytes: number;
  /** Messages left out under `slowClient: 'drop'`. */
  readonly droppedMessages: number;
  /**
   * Sends a string as text, bytes as binary (large ones are kept by reference: leave them unchanged). `compress`: default, from
   * 1024 bytes on, where the client offers it. False: not sent, because it is closing or the client does not keep up.
   */
  send(message: string | Uint8Array, options?: { readonly compress?: boolean }): boolean;
  /** Begins the closing handshake, once. Throws a RangeError for a code that may not be sent or a reason above 123 bytes. */
  close(code?: number, reason?: string): void;
  /** No messages until `resume`; the client is held back. */
  pause(): void;
  /** Reads on. */
  resume(): void;
  /**
   * Gets from now on what is published to the topic: in this process by `publish`, in the whole fleet by `publishToFleet`,
   * `context.events.publish` and, in SQL, `howdah.publish(topic, …)`. Resolves when all of them reach it.
   */
  subscribe(topic: string): Promise<void>;
  unsubscribe(topic: string): void;
  readonly topics: ReadonlySet<string>;
  /** To the other subscribers in this process; how many took it. */
  publish(topic: string, message: TopicMessage): number;
  /** To all subscribers, in all processes, this one too: through the database, so after a commit and in the order of commits. */
  publishToFleet(topic: string, message: TopicMessage): Promise<void>;
}

/** What `accept` answers: `true` or nothing accepts, `false` refuses with 403, a Response is sent instead, `{ data }` is for the socket. */
export type Acceptance<Data> = Response | boolean | { readonly data: Data } | undefined | void;

/** What happens on the WebSockets of a route; all of it is optional. */
export interface WebSocketRouteOptions<Data, Bindings extends AnyBindings> extends Partial<WebSocketOptions> {
  /** Pages of which origins may open it. Default `same`. */
  readonly origins?: AllowedOrigins;
  /** Of the client's list, the first that is among them is chosen. Default none. */
  readonly subprotocols?: readonly string[];
  /** Decides on a handshake. Without it, all that `origins` lets through are accepted. */
  readonly accept?: (
    request: Request,
    context: Context<Bindings>,
  ) => Acceptance<Data> | Promise<Acceptance<Data>>;
  readonly open?: (socket: LiveSocket<Data>, context: Context<Bindings>) => void;
  /** A buffer belongs to the handler. Messages that come after `close()` was called are left out. */
  readonly message?: (socket: LiveSocket<Data>, message: string | Buffer) => void | Promise<void>;
  /** `writable` is true again. */
  readonly drain?: (socket: LiveSocket<Data>) => void;
  /** Once, last: the client's code and reason; 1005 where it gave none, 1006 where it left without a word. */
  readonly close?: (socket: LiveSocket<Data>, code: number, reason: string) => void;
}

/** What websocket() makes. */
export interface WebSocketTarget<Bindings extends AnyBindings> extends RouteTarget<Bindings> {
  /** Sends to the subscribers in this process; how many took it. */
  publish(topic: string, message: TopicMessage): number;
}

/**
 * A target for route(): a WebSocket, over HTTP/1.1 and HTTP/2. A handler that throws, or a promise of it that rejects, closes it with
 * 1011. To requests that ask for no WebSocket it answers 426.
 */
export function websocket<Data = undefined, Bindings extends AnyBindings = AnyBindings>(
  options: WebSocketRouteOptions<Data, Bindings>,
): WebSocketTarget<Bindings> {
  const { origins = 'same', accept, open, message, drain, close, ...wire } = options;
  const topics = new Topics<Socket<Data>>(sendToAll<Data>);
  const take = (exchange: Exchange, context: Context<Bindings>, data: Data): void => {
    let socket: Socket<Data> | null = null;
    const of = (connection: WebSocketConnection): Socket<Data> =>
      (socket ??= new Socket(connection, topics, context.events, data));
    const handler: WebSocketHandler = {
      open: (connection) => open?.(of(connection), context),
      message: (connection, received) => settle(connection, message?.(of(connection), received)),
      ...(drain === undefined ? {} : { drain: (connection) => drain(of(connection)) }),
      close(connection, code, reason) {
        const closed = of(connection);
        closed.leaveTopics();
        close?.(closed, code, reason);
      },
    };
    acceptWebSocket(exchange, handler, wire);
  };
  return {
    handleExchange(exchange, context) {
      const offer = webSocketOffer(exchange.head);
      if (offer === null) refusePlain(exchange);
      else if (offer.kind === 'refusal') acceptWebSocket(exchange, { message: () => {} });
      else if (!isAllowedOrigin(exchange.head, origins)) exchange.fail(403, 'not for pages of this origin');
      else if (accept === undefined) take(exchange, context, undefined as Data);
      else {
        return decide(exchange, accept(context.request, context), (data) => take(exchange, context, data));
      }
      return undefined;
    },
    publish: (topic, sent) => topics.publish(topic, sent, null),
  };
}

/** RFC 9110 §15.5.22. HTTP/2 has no Upgrade to ask for. */
function refusePlain(exchange: Exchange): void {
  const status = exchange.head.version === '1.1' ? 426 : 400;
  exchange.fail(status, 'this is a WebSocket');
}

function decide<Data>(
  exchange: Exchange,
  acceptance: Acceptance<Data> | Promise<Acceptance<Data>>,
  take: (data: Data) => void,
): Promise<void> | undefined {
  const answer = (accepted: Acceptance<Data>): void => {
    if (exchange.closed) return;
    if (accepted === false) exchange.fail(403);
    else if (isResponse(accepted)) sendResponse(exchange, accepted);
    else take((typeof accepted === 'object' ? accepted.data : undefined) as Data);
  };
  if (isPromise(acceptance)) return Promise.resolve(acceptance).then(answer);
  answer(acceptance);
  return undefined;
}

/** A promise of a handler: the next message does not wait for it, but what goes wrong with it is not lost. */
function settle(connection: WebSocketConnection, result: void | Promise<void>): void {
  if (isPromise(result)) result.then(undefined, (error: unknown) => connection.fail(error));
}

function sendToAll<Data>(sockets: Iterable<Socket<Data>>, message: TopicMessage): number {
  const prepared = typeof message === 'string' ? prepareText(message) : prepareBinary(message);
  let taken = 0;
  for (const socket of sockets) if (socket.connection.sendPrepared(prepared)) taken += 1;
  return taken;
}

class Socket<Data> implements LiveSocket<Data> {
  readonly connection: WebSocketConnection;
  data: Data;
  readonly #board: Topics<Socket<Data>>;
  readonly #events: Events;
  #topics: Set<string> | null = null;

  constructor(connection: WebSocketConnection, board: Topics<Socket<Data>>, events: Events, data: Data) {
    this.connection = connection;
    this.#board = board;
    this.#events = events;
    this.data = data;
  }

  get isOpen(): boolean {
    return this.connection.isOpen;
  }

  get writable(): boolean {
    return this.connection.writable;
  }

  get unsentBytes(): number {
    return this.connection.unsentBytes;
  }

  get droppedMessages(): number {
    return this.connection.droppedMessages;
  }

  get topics(): ReadonlySet<string> {
    return this.#topics ?? new Set();
  }

  send(message: string | Uint8Array, options?: { readonly compress?: boolean }): boolean {
    return this.connection.send(message, options?.compress);
  }

  close(code?: number, reason?: string): void {
    this.connection.close(code, reason);
  }

  pause(): void {
    this.connection.pause();
  }

  resume(): void {
    this.connection.resume();
  }

  subscribe(topic: string): Promise<void> {
    if (!this.isOpen) return Promise.resolve();
    this.#topics ??= new Set();
    this.#topics.add(topic);
    return this.#board.subscribe(topic, this, this.#events);
  }

  unsubscribe(topic: string): void {
    if (this.#topics?.delete(topic) === true) this.#board.unsubscribe(topic, this);
  }

  publish(topic: string, message: TopicMessage): number {
    return this.#board.publish(topic, message, this);
  }

  publishToFleet(topic: string, message: TopicMessage): Promise<void> {
    return publishToFleet(this.#events, topic, message);
  }

  leaveTopics(): void {
    for (const topic of this.#topics ?? []) this.#board.unsubscribe(topic, this);
    this.#topics = null;
  }
}

export type { WebSocketMessage };
