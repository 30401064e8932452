// An exchange over another one, which does everything as that does: for those that differ in a part.
import type { FieldLines } from '../protocol/http/field-lines.ts';
import type { RequestHead } from '../protocol/http/request-head.ts';
import type { ConnectionInfo } from '../server/stream-handler.ts';
import type { ProtocolSwitch } from '../server/websocket-handshake.ts';
import type {
  BodyRefusal,
  Endpoint,
  Exchange,
  ResponseSink,
  StreamedResponse,
  WholeResponse,
} from './exchange.ts';

export class ExchangeLayer implements Exchange {
  readonly inner: Exchange;

  constructor(inner: Exchange) {
    this.inner = inner;
  }

  get head(): RequestHead {
    return this.inner.head;
  }

  get scheme(): 'http' | 'https' {
    return this.inner.scheme;
  }

  get connection(): ConnectionInfo {
    return this.inner.connection;
  }

  get peer(): Endpoint {
    return this.inner.peer;
  }

  get local(): Endpoint {
    return this.inner.local;
  }

  get listenerId(): number {
    return this.inner.listenerId;
  }

  get id(): string {
    return this.inner.id;
  }

  get closed(): boolean {
    return this.inner.closed;
  }

  get trailers(): FieldLines {
    return this.inner.trailers;
  }

  collectBody(
    limitBytes: number,
    done: (body: Buffer) => void,
    refused?: (reason: BodyRefusal) => void,
  ): void {
    this.inner.collectBody(limitBytes, done, refused);
  }

  bodyStream(): AsyncIterable<Buffer> {
    return this.inner.bodyStream();
  }

  respond(response: WholeResponse): void {
    this.inner.respond(response);
  }

  respondStreamed(response: StreamedResponse): void {
    this.inner.respondStreamed(response);
  }

  respondPushed(status: number, fields: FieldLines): ResponseSink | null {
    return this.inner.respondPushed(status, fields);
  }

  switchProtocol(to: ProtocolSwitch): void {
    this.inner.switchProtocol(to);
  }

  fail(status: number, detail?: string): void {
    this.inner.fail(status, detail);
  }

  abort(): void {
    this.inner.abort();
  }

  cut(error: unknown): void {
    this.inner.cut(error);
  }

  inform(status: number, fields: FieldLines): void {
    this.inner.inform(status, fields);
  }

  push(path: string, fields: FieldLines): boolean {
    return this.inner.push(path, fields);
  }

  cast(message: unknown): void {
    this.inner.cast(message);
  }

  onMessage(listener: (message: unknown) => void): () => void {
    return this.inner.onMessage(listener);
  }

  onClose(listener: () => void): void {
    this.inner.onClose(listener);
  }

  onDraining(listener: () => void): void {
    this.inner.onDraining(listener);
  }
}

/** One whose body has been read already. */
export class ReadExchange extends ExchangeLayer {
  readonly #body: Buffer;

  constructor(inner: Exchange, body: Buffer) {
    super(inner);
    this.#body = body;
  }

  override collectBody(
    limitBytes: number,
    done: (body: Buffer) => void,
    refused?: (reason: BodyRefusal) => void,
  ): void {
    if (this.#body.length <= limitBytes) {
      done(this.#body);
      return;
    }
    this.fail(413, `the body is larger than ${limitBytes} bytes`);
    refused?.('too-large');
  }

  override async *bodyStream(): AsyncIterable<Buffer> {
    if (this.#body.length > 0) yield this.#body;
  }
}
