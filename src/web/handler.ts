// What application code is given and gives back: handlers in the style of fetch(), what they see besides the request, and
// targets that take an exchange as it is. Types only: the contract that routes, middlewares and ready-made targets share.
import type { X509Certificate } from 'node:crypto';
import type { HttpVersion } from '../protocol/http/request-head.ts';
import type { ProxyInfo } from '../server/stream-handler.ts';
import type { Events } from './events.ts';
import type { Endpoint, Exchange } from './exchange.ts';
import type { RouteGroups } from './route-groups.ts';
import type { SqlClient } from './sql-client.ts';

/** What `new Headers(…)` takes. */
export type HeaderSource = NonNullable<ConstructorParameters<typeof Headers>[0]>;

/** The values of a pattern's named groups, decoded; `'0'`, `'1'` … those of its unnamed ones (`*`, `(…)`). */
export type AnyBindings = Readonly<Record<string, unknown>>;

/**
 * Answers a request. What it throws or rejects with is answered with 500, what it answers after its time limit is dropped
 * (504), and so is what it answers to a client that has left (`request.signal` is aborted then).
 */
export type Handler<Bindings extends AnyBindings = AnyBindings> = (
  request: Request,
  context: Context<Bindings>,
) => Response | Promise<Response>;

/** A fetch-style application as it is exported for other servers: `{ fetch(request) }`. The context is what Hono calls `env`. */
export interface FetchApplication {
  fetch(request: Request, context: Context): Response | Promise<Response>;
}

/**
 * What a route can lead to that wants no Request and Response objects: static files, WebSockets, event streams, SQL. It
 * takes the exchange as it is, and answers it by itself.
 */
export interface RouteTarget<Bindings extends AnyBindings = AnyBindings> {
  /**
   * Methods that it answers where the route names none; others are answered with 405. Without it: all, HEAD and OPTIONS
   * among them, which the target then answers itself.
   */
  readonly methods?: readonly string[];
  /** Called from the read callback: must not block. What it throws, or rejects with, is answered with 500. */
  handleExchange(exchange: Exchange, context: Context<Bindings>): void | Promise<void>;
}

/**
 * Gives the answer of what comes after a middleware: the next one, or the target. Once per request. Rejects with what they throw; and with an
 * AbortError where the client leaves before there is an answer.
 */
export type Next = (request?: Request) => Promise<Response>;

/**
 * Stands before a target, or before all of them. It may answer by itself (the rest is not run), wait, go on with a changed
 * request (`next(changed)`), leave something in `context.state`, and change the response that `next` gives.
 */
export type Middleware = (request: Request, context: Context, next: Next) => Response | Promise<Response>;

/** What a handler sees besides the request. Valid as long as the request is. */
export interface Context<Bindings extends AnyBindings = AnyBindings> {
  /** The values of the pattern's groups, converted by the constraints of the route. */
  readonly bindings: Bindings;
  /** The pattern's groups as they stand in the URL, percent-encoded. */
  readonly groups: RouteGroups;
  /** The request as a web-standard object: made when first read, so that a target without use for it does not pay. */
  readonly request: Request;
  /** Where middlewares leave things for those after them. */
  readonly state: Record<string, unknown>;
  /** The end of the connection that is the client's. */
  readonly peer: Endpoint;
  /** The server's end. */
  readonly local: Endpoint;
  /** That of the client where the listener asked for one, verified; else null. */
  readonly clientCertificate: X509Certificate | null;
  /** What a proxy in front said with the PROXY protocol; null without one. */
  readonly proxy: ProxyInfo | null;
  readonly httpVersion: HttpVersion;
  /** Row id of the listener that accepted the connection; 0 for a request without one (`inject`). */
  readonly listenerId: number;
  /** Identifies the request in logs and error responses. */
  readonly requestId: string;
  /** Runs SQL on the sessions of this worker. */
  readonly db: SqlClient;
  /** Tells and hears events, in the whole fleet. */
  readonly events: Events;
  /** Sends an informational response (103 Early Hints, 102) before the answer. */
  inform(status: number, headers: HeaderSource): void;
  /**
   * Sends the answer to a GET of `target` (a path, with query) before the client asks for it (RFC 9113 §8.4). False where the
   * client does not allow it, which is the rule.
   */
  push(target: string, headers?: HeaderSource): boolean;
  /** The trailers of the request; empty as long as its body has not been read to the end. */
  readonly trailers: Headers;
  /** Sends trailers after the body of the response; a function is asked for them at its end. Dropped for a client of HTTP/1.0. */
  setTrailers(source: HeaderSource | (() => HeaderSource)): void;
  /** Sends a message to this request, from wherever it is called: its listeners hear it. Dropped once the answer is complete. */
  cast(message: unknown): void;
  /** `listener` hears what is cast to this request; returns how to stop. */
  onMessage(listener: (message: unknown) => void): () => void;
}
