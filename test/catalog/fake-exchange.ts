// An exchange without a connection: a request made up by a test, and what was answered to it. No test itself.
import { NO_FIELDS, type FieldLines } from '../../src/protocol/http/field-lines.ts';
import type { RequestHead } from '../../src/protocol/http/request-head.ts';
import type { ConnectionInfo } from '../../src/server/stream-handler.ts';
import type { Endpoint, Exchange, ExchangeHandler, WholeResponse } from '../../src/web/exchange.ts';

export type Answer =
  | {
      readonly kind: 'response';
      readonly status: number;
      readonly fields: FieldLines;
      readonly body: string | null;
    }
  | { readonly kind: 'fail'; readonly status: number; readonly detail: string }
  | { readonly kind: 'abort' }
  | { readonly kind: 'other' };

export interface RequestOptions {
  readonly method?: string;
  readonly authority?: string;
  readonly path?: string;
  readonly query?: string | null;
  readonly fields?: FieldLines;
  readonly body?: string;
  readonly peer?: string;
  readonly listenerId?: number;
}

export class FakeExchange implements Exchange {
  readonly head: RequestHead;
  readonly scheme = 'http';
  readonly peer: Endpoint;
  readonly local: Endpoint = { address: '127.0.0.1', port: 8080 };
  readonly listenerId: number;
  readonly id = 'request-id';
  readonly trailers = NO_FIELDS;
  closed = false;
  readonly answer: Promise<Answer>;
  readonly #body: Buffer;
  #settle: (answer: Answer) => void = () => {};

  constructor(options: RequestOptions) {
    this.#body = Buffer.from(options.body ?? '');
    this.head = {
      method: options.method ?? 'GET',
      authority: options.authority ?? 'localhost:8080',
      path: options.path ?? '/',
      query: options.query ?? null,
      version: '1.1',
      fields: options.fields ?? NO_FIELDS,
      hasBody: this.#body.length > 0,
      contentLength: this.#body.length,
      expectContinue: false,
    };
    this.peer = { address: options.peer ?? '192.0.2.7', port: 40000 };
    this.listenerId = options.listenerId ?? 1;
    this.answer = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  collectBody(limitBytes: number, done: (body: Buffer) => void): void {
    if (this.#body.length > limitBytes) this.fail(413);
    else done(this.#body);
  }

  async *bodyStream(): AsyncIterable<Buffer> {
    yield this.#body;
  }

  respond({ status, fields, body }: WholeResponse): void {
    this.#end({ kind: 'response', status, fields, body: body === null ? null : body.toString() });
  }

  respondPushed(): null {
    this.#end({ kind: 'other' });
    return null;
  }

  respondStreamed(): void {
    this.#end({ kind: 'other' });
  }

  switchProtocol(): void {
    this.#end({ kind: 'other' });
  }

  fail(status: number, detail = ''): void {
    this.#end({ kind: 'fail', status, detail });
  }

  abort(): void {
    this.#end({ kind: 'abort' });
  }

  cut(): void {
    throw new Error('not expected');
  }

  inform(): void {
    throw new Error('not expected');
  }

  onDraining(): void {
    throw new Error('not expected');
  }

  onClose(): void {
    throw new Error('not expected');
  }

  push(): boolean {
    throw new Error('not expected');
  }

  cast(): void {
    throw new Error('not expected');
  }

  onMessage(): () => void {
    throw new Error('not expected');
  }

  get connection(): ConnectionInfo {
    return {
      scheme: this.scheme,
      listenerId: this.listenerId,
      peerAddress: this.peer.address,
      peerPort: this.peer.port,
      localAddress: this.local.address,
      localPort: this.local.port,
      clientCertificate: null,
      proxy: null,
    };
  }

  #end(answer: Answer): void {
    if (this.closed) return;
    this.closed = true;
    this.#settle(answer);
  }
}

/** Gives one request to a handler and waits for the answer. */
export function ask(handle: ExchangeHandler, options: RequestOptions = {}): Promise<Answer> {
  const exchange = new FakeExchange(options);
  handle(exchange);
  return exchange.answer;
}

/** Status and body in short: `200 text`, `204`, `fail 500`, `abort`. */
export async function askShort(handle: ExchangeHandler, options: RequestOptions = {}): Promise<string> {
  const answer = await ask(handle, options);
  if (answer.kind === 'fail') return `fail ${answer.status}`;
  if (answer.kind !== 'response') return answer.kind;
  return answer.body === null ? String(answer.status) : `${answer.status} ${answer.body}`;
}
