// An exchange whose answer does not go to the client but becomes a Response: for what stands behind a middleware. Its
// request may be another one than the client's.
import type { FieldLines } from '../protocol/http/field-lines.ts';
import type { RequestHead } from '../protocol/http/request-head.ts';
import { HowdahError } from '../errors.ts';
import { plainError } from '../server/stream.ts';
import type { ProtocolSwitch } from '../server/websocket-handshake.ts';
import type { BodyRefusal, Exchange, ResponseSink, StreamedResponse, WholeResponse } from './exchange.ts';
import { ExchangeLayer } from './exchange-layer.ts';
import { LightResponse } from './light-response.ts';
import { releaseBody } from './response-stream.ts';

/** What `next` of a middleware gives where the answer is none that a Response could be: a WebSocket, an abort. */
const ANSWERED: unique symbol = Symbol('answered');

export interface CaptureSource {
  readonly request: Request;
  readonly state: Record<string, unknown>;
  /** Has trailers sent with what the middleware answers. */
  addTrailers(trailers: () => FieldLines): void;
}

export class CapturedExchange extends ExchangeLayer {
  readonly #head: RequestHead;
  /** The changed request; null: the client's. */
  readonly changed: Request | null;
  /** What the middleware before was given. */
  readonly source: CaptureSource;
  readonly response: Promise<Response>;
  readonly #resolve: (response: Response) => void;
  readonly #reject: (reason: unknown) => void;
  #answered = false;

  constructor(inner: Exchange, source: CaptureSource, request: Request) {
    super(inner);
    this.source = source;
    const changed = request === source.request ? null : request;
    this.changed = changed;
    this.#head = changed === null ? inner.head : headOf(inner, changed);
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    this.response = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    inner.onClose(() => this.abandon(new DOMException('the client has left', 'AbortError')));
  }

  /** There will be no answer: whoever waits for it is to hear of that, and can clean up. */
  abandon(error: unknown): void {
    if (this.#begin()) this.#reject(error);
  }

  override get head(): RequestHead {
    return this.#head;
  }

  override get closed(): boolean {
    return this.#answered || this.inner.closed;
  }

  override collectBody(
    limitBytes: number,
    done: (body: Buffer) => void,
    refused?: (reason: BodyRefusal) => void,
  ): void {
    if (this.changed === null) {
      const { contentLength } = this.#head;
      // Found out before it is read, it is an answer as any other.
      if (contentLength !== null && contentLength > limitBytes) this.#refuse(limitBytes, refused);
      else
        this.inner.collectBody(limitBytes, done, (reason) => {
          if (reason === 'too-large')
            this.abandon(new HowdahError('HOWDAH_BODY_TOO_LARGE', `more than ${limitBytes} bytes`));
          refused?.(reason);
        });
      return;
    }
    void this.#collect(this.changed, limitBytes, done, refused);
  }

  async #collect(
    request: Request,
    limitBytes: number,
    done: (body: Buffer) => void,
    refused: ((reason: BodyRefusal) => void) | undefined,
  ): Promise<void> {
    let body: Buffer | null;
    try {
      body = await readAll(request, limitBytes);
    } catch (error) {
      this.#reject(error);
      refused?.('client-left');
      return;
    }
    if (body !== null) {
      done(body);
      return;
    }
    this.#refuse(limitBytes, refused);
  }

  #refuse(limitBytes: number, refused: ((reason: BodyRefusal) => void) | undefined): void {
    this.fail(413, `the body is larger than ${limitBytes} bytes`);
    refused?.('too-large');
  }

  override bodyStream(): AsyncIterable<Buffer> {
    return this.changed === null ? this.inner.bodyStream() : buffers(this.changed);
  }

  override respond({ status, fields, body }: WholeResponse): void {
    if (this.#begin()) this.#make(status, fields, body === '' || isBodyless(status) ? null : body);
  }

  override respondStreamed({ status, fields, body, trailers }: StreamedResponse): void {
    if (!this.#begin()) {
      releaseBody(body);
      return;
    }
    if (trailers !== undefined) this.source.addTrailers(trailers);
    this.#make(status, fields, ReadableStream.from(body) as BodyInit);
  }

  override respondPushed(status: number, fields: FieldLines): ResponseSink | null {
    if (!this.#begin()) return null;
    const pushed = new PushedStream();
    this.#make(status, fields, pushed.stream);
    return pushed;
  }

  /** Answers with a Response as it is. */
  capture(response: Response, trailers?: () => FieldLines): void {
    if (!this.#begin()) {
      if (!LightResponse.is(response) && response.body !== null && !response.body.locked)
        void response.body.cancel().catch(() => undefined);
      return;
    }
    if (trailers !== undefined) this.source.addTrailers(trailers);
    this.#resolve(response);
  }

  override switchProtocol(to: ProtocolSwitch): void {
    if (!this.#begin()) return;
    this.inner.switchProtocol(to);
    this.#resolve(answered());
  }

  override fail(status: number, detail = ''): void {
    if (!this.#begin()) return;
    const { fields, body } = plainError(status, status >= 500 ? this.id : '', detail);
    this.#make(status, fields, body);
  }

  override abort(): void {
    if (!this.#begin()) return;
    this.inner.abort();
    this.#resolve(answered());
  }

  #begin(): boolean {
    if (this.#answered) return false;
    this.#answered = true;
    return true;
  }

  #make(status: number, fields: FieldLines, body: Buffer | string | BodyInit | null): void {
    try {
      const headers = new Headers();
      for (let i = 0; i < fields.length; i += 2) headers.append(fields[i] ?? '', fields[i + 1] ?? '');
      this.#resolve(new Response(body as BodyInit | null, { status, headers }));
    } catch (error) {
      this.#reject(error);
    }
  }
}

/** Bytes that may wait before the one who pushes is told to: one read of a socket. */
const PUSHED_WINDOW_BYTES = 65_536;

class PushedStream implements ResponseSink {
  readonly stream: ReadableStream<Uint8Array>;
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  #drained: (() => void) | null = null;

  constructor() {
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#drained?.(),
        cancel: () => {
          this.#controller = null;
        },
      },
      { highWaterMark: PUSHED_WINDOW_BYTES, size: (chunk) => chunk.byteLength },
    );
  }

  get writable(): boolean {
    return (this.#controller?.desiredSize ?? 0) > 0;
  }

  write(data: Buffer): void {
    this.#controller?.enqueue(data);
  }

  end(): void {
    this.#controller?.close();
    this.#controller = null;
  }

  fail(error: unknown): void {
    this.#controller?.error(error);
    this.#controller = null;
  }

  onDrain(listener: () => void): void {
    this.#drained = listener;
  }
}

type BodyInit = ConstructorParameters<typeof Response>[0];

const isBodyless = (status: number): boolean => status === 204 || status === 205 || status === 304;

/** A Response that nothing is sent for: the exchange has its answer. */
function answered(): Response {
  return Object.assign(new Response(null), { [ANSWERED]: true });
}

export function isAnswered(response: Response): boolean {
  return ANSWERED in response;
}

function headOf({ head }: Exchange, request: Request): RequestHead {
  const url = new URL(request.url);
  const fields: string[] = [];
  for (const [name, value] of request.headers) fields.push(name, value);
  const hasBody = request.body !== null;
  return {
    method: request.method,
    authority: url.host,
    path: url.pathname,
    query: url.search === '' ? null : url.search.slice(1),
    version: head.version,
    fields,
    hasBody,
    contentLength: hasBody ? null : 0,
    expectContinue: false,
  };
}

async function* buffers(request: Request): AsyncGenerator<Buffer> {
  if (request.body === null) return;
  for await (const chunk of request.body) yield Buffer.from(chunk as Uint8Array);
}

async function readAll(request: Request, limitBytes: number): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of buffers(request)) {
    length += chunk.length;
    if (length > limitBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}
