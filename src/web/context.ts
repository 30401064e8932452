// What a handler sees besides its request, over an exchange; nothing of it is made before it is read.
import type { X509Certificate } from 'node:crypto';
import type { FieldLines } from '../protocol/http/field-lines.ts';
import type { HttpVersion } from '../protocol/http/request-head.ts';
import type { ProxyInfo } from '../server/stream-handler.ts';
import type { Events } from './events.ts';
import type { Endpoint, Exchange } from './exchange.ts';
import type { AnyBindings, Context, HeaderSource } from './handler.ts';
import type { RouteGroups } from './route-groups.ts';
import type { SqlClient } from './sql-client.ts';
import { CapturedExchange } from './captured-exchange.ts';
import { LightRequest } from './light-request.ts';

export class RequestContext implements Context {
  readonly exchange: Exchange;
  readonly bindings: AnyBindings;
  readonly groups: RouteGroups;
  readonly db: SqlClient;
  readonly events: Events;
  readonly #maxBodyBytes: number;
  #request: Request | null = null;
  #state: Record<string, unknown> | null = null;
  #trailers: HeaderSource | (() => HeaderSource) | null = null;
  /** Of what stands behind a middleware. */
  #innerTrailers: (() => FieldLines) | null = null;

  constructor(
    exchange: Exchange,
    { db, events }: { readonly db: SqlClient; readonly events: Events },
    bindings: AnyBindings,
    groups: RouteGroups,
    maxBodyBytes: number,
  ) {
    this.exchange = exchange;
    this.db = db;
    this.events = events;
    this.bindings = bindings;
    this.groups = groups;
    this.#maxBodyBytes = maxBodyBytes;
  }

  get request(): Request {
    if (this.#request === null) {
      const { exchange } = this;
      if (exchange instanceof CapturedExchange) {
        this.#request = exchange.changed ?? exchange.source.request;
        if (LightRequest.is(this.#request)) LightRequest.limit(this.#request, this.#maxBodyBytes);
      } else {
        this.#request = new LightRequest(exchange, this.#maxBodyBytes) as unknown as Request;
      }
    }
    return this.#request;
  }

  /** For a middleware that goes on with another one. */
  set request(request: Request) {
    this.#request = request;
  }

  get state(): Record<string, unknown> {
    if (this.#state === null) {
      const { exchange } = this;
      this.#state = exchange instanceof CapturedExchange ? exchange.source.state : {};
    }
    return this.#state;
  }

  get peer(): Endpoint {
    return this.exchange.peer;
  }

  get local(): Endpoint {
    return this.exchange.local;
  }

  get clientCertificate(): X509Certificate | null {
    return this.exchange.connection.clientCertificate;
  }

  get proxy(): ProxyInfo | null {
    return this.exchange.connection.proxy;
  }

  get httpVersion(): HttpVersion {
    return this.exchange.head.version;
  }

  get listenerId(): number {
    return this.exchange.listenerId;
  }

  get requestId(): string {
    return this.exchange.id;
  }

  get trailers(): Headers {
    const headers = new Headers();
    const { trailers } = this.exchange;
    for (let i = 0; i < trailers.length; i += 2) headers.append(trailers[i] ?? '', trailers[i + 1] ?? '');
    return headers;
  }

  inform(status: number, headers: HeaderSource): void {
    if (!Number.isInteger(status) || status < 100 || status > 199 || status === 101) {
      throw new RangeError(
        `an informational response has a status from 100 to 199, but not 101: ${String(status)}`,
      );
    }
    this.exchange.inform(status, toFields(headers));
  }

  push(target: string, headers: HeaderSource = []): boolean {
    if (!target.startsWith('/'))
      throw new TypeError(`what is pushed is a path that begins with /: ${target}`);
    return this.exchange.push(target, toFields(headers));
  }

  setTrailers(source: HeaderSource | (() => HeaderSource)): void {
    this.#trailers = source;
  }

  addTrailers(trailers: () => FieldLines): void {
    this.#innerTrailers = trailers;
  }

  /** Those that the response ends with; undefined where there are none. */
  get responseTrailers(): (() => FieldLines) | undefined {
    const trailers = this.#trailers;
    const inner = this.#innerTrailers;
    if (trailers === null) return inner ?? undefined;
    return () => [...(inner?.() ?? []), ...toFields(typeof trailers === 'function' ? trailers() : trailers)];
  }

  cast(message: unknown): void {
    this.exchange.cast(message);
  }

  onMessage(listener: (message: unknown) => void): () => void {
    return this.exchange.onMessage(listener);
  }
}

function toFields(headers: HeaderSource): FieldLines {
  const fields: string[] = [];
  for (const [name, value] of new Headers(headers)) fields.push(name, value);
  return fields;
}
