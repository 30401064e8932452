// A request without a socket, through the same stream handlers as every other: for tests and for programs that hold a server. The
// channel here has a Request at its one end and a Response at its other.
import { isFieldValue, isToken } from '../protocol/http/grammar.ts';
import { isConnectionField } from '../protocol/http/connection-fields.ts';
import type { FieldLines } from '../protocol/http/field-lines.ts';
import { NO_FIELDS } from '../protocol/http/field-lines.ts';
import type { RequestHead } from '../protocol/http/request-head.ts';
import type { BadField, StreamChannel } from './stream-channel.ts';
import type { ConnectionInfo } from './stream-handler.ts';
import { Stream, type StreamContext } from './stream.ts';

/** Bytes of a response that may wait for its reader: one read of a socket. */
const WINDOW_BYTES = 65_536;

/**
 * Resolves with the answer to `request` (a path stands for `http://localhost` and the path). Its body comes as it is made. Rejects
 * where the connection would have been closed without an answer, or the request asks for another protocol.
 */
export async function inject(
  context: StreamContext,
  request: Request | string,
  init?: RequestInit,
): Promise<Response> {
  const asked =
    typeof request === 'string'
      ? new Request(new URL(request, 'http://localhost'), init)
      : new Request(request, init);
  return new InjectedChannel(context, asked).response;
}

class InjectedChannel implements StreamChannel {
  readonly response: Promise<Response>;
  readonly #resolve: (response: Response) => void;
  readonly #reject: (reason: Error) => void;
  readonly #stream: Stream;
  readonly #head: RequestHead;
  readonly #body: ReadableStreamDefaultReader<Uint8Array> | null;
  #early: Buffer | null = null;
  #allowed = 0;
  #reading = false;
  #over = false;
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;

  constructor(context: StreamContext, request: Request) {
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    this.response = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    const url = new URL(request.url);
    this.#head = headOf(request, url);
    this.#body = request.body === null ? null : request.body.getReader();
    const info = infoOf(url);
    this.#stream = new Stream(context, this, info, this.#head);
    request.signal.addEventListener('abort', () => {
      this.#stream.receiveReset();
      this.#fail(new DOMException('the request was aborted', 'AbortError'));
    });
    this.#stream.open();
  }

  get writable(): boolean {
    return this.#controller === null || (this.#controller.desiredSize ?? 0) > 0;
  }

  sendInform(): BadField | null {
    // A Response has no place for it.
    return null;
  }

  sendResponse(status: number, fields: FieldLines, body: Buffer | string | null): BadField | null {
    const bad = badField(fields);
    if (bad !== null) return bad;
    const headers = headersOf(fields);
    if (body !== null && this.#hasContent(status)) {
      headers.set('content-length', String(Buffer.byteLength(body)));
    }
    const content = body === null || !this.#mayHaveBody(status) ? null : body;
    this.#answer(
      status,
      headers,
      typeof content === 'string' || content === null ? content : new Uint8Array(content),
    );
    return null;
  }

  sendHead(status: number, fields: FieldLines): BadField | null {
    const bad = badField(fields);
    if (bad !== null) return bad;
    const body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#stream.receiveDrain(),
        cancel: () => {
          this.#over = true;
          this.#stream.receiveReset();
        },
      },
      { highWaterMark: WINDOW_BYTES, size: (chunk) => chunk.byteLength },
    );
    this.#answer(status, headersOf(fields), this.#mayHaveBody(status) ? body : null);
    return null;
  }

  sendData(data: Buffer): void {
    if (!this.#over && this.#head.method !== 'HEAD') this.#controller?.enqueue(new Uint8Array(data));
  }

  sendEnd(): void {
    if (!this.#over) this.#controller?.close();
    this.#over = true;
  }

  switchProtocol(): BadField | number {
    return { name: 'upgrade', reason: 'a request without a connection cannot switch to another protocol' };
  }

  push(): boolean {
    return false;
  }

  sendReset(): void {
    this.#fail(new Error('the connection was closed without the whole answer'));
  }

  allowBody(bytes: number): void {
    this.#allowed += bytes;
    if (this.#reading) return;
    this.#reading = true;
    void this.#read();
  }

  setOptions(): void {
    // There is no connection whose options these would be.
  }

  finish(): void {
    void this.#body?.cancel().catch(() => undefined);
  }

  async #read(): Promise<void> {
    try {
      while (this.#allowed > 0) {
        const chunk = this.#early ?? (await this.#next());
        this.#early = null;
        if (chunk === null) {
          this.#stream.receiveEnd(NO_FIELDS);
          return;
        }
        const part = chunk.length > this.#allowed ? chunk.subarray(0, this.#allowed) : chunk;
        if (part.length < chunk.length) this.#early = chunk.subarray(part.length);
        this.#allowed -= part.length;
        this.#stream.receiveData(part);
      }
      this.#reading = false;
    } catch {
      this.#stream.receiveReset();
      this.#fail(new Error('the body of the request failed'));
    }
  }

  async #next(): Promise<Buffer | null> {
    const result = await this.#body?.read();
    if (result === undefined || result.done) return null;
    const { buffer, byteOffset, byteLength } = result.value;
    return Buffer.from(buffer, byteOffset, byteLength);
  }

  #hasContent(status: number): boolean {
    return status !== 204 && status !== 304;
  }

  #mayHaveBody(status: number): boolean {
    return this.#head.method !== 'HEAD' && status !== 204 && status !== 205 && status !== 304;
  }

  #answer(status: number, headers: Headers, body: ConstructorParameters<typeof Response>[0]): void {
    try {
      // The fetch standard knows no status from 600 on.
      this.#resolve(new Response(body, { status, headers }));
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #fail(error: Error): void {
    this.#reject(error);
    if (!this.#over) this.#controller?.error(error);
    this.#over = true;
  }
}

function headOf(request: Request, url: URL): RequestHead {
  const fields: string[] = [];
  if (!request.headers.has('host')) fields.push('host', url.host);
  for (const [name, value] of request.headers) fields.push(name, value);
  const hasBody = request.body !== null;
  return {
    method: request.method,
    authority: request.headers.get('host') ?? url.host,
    path: url.pathname,
    query: url.search === '' ? null : url.search.slice(1),
    version: '1.1',
    fields,
    hasBody,
    contentLength: hasBody ? null : 0,
    expectContinue: false,
  };
}

function infoOf(url: URL): ConnectionInfo {
  const scheme = url.protocol === 'https:' ? 'https' : 'http';
  return {
    scheme,
    listenerId: 0,
    peerAddress: '127.0.0.1',
    peerPort: 0,
    localAddress: '127.0.0.1',
    localPort: Number(url.port === '' ? (scheme === 'https' ? 443 : 80) : url.port),
    clientCertificate: null,
    proxy: null,
  };
}

/** As the engine judges them for a client. */
function badField(fields: FieldLines): BadField | null {
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] ?? '';
    if (!isToken(name)) return { name, reason: 'is no field name' };
    if (!isFieldValue(fields[i + 1] ?? '')) return { name, reason: 'has a value with control characters' };
  }
  return null;
}

function headersOf(fields: FieldLines): Headers {
  const headers = new Headers();
  for (let i = 0; i < fields.length; i += 2) {
    const name = (fields[i] ?? '').toLowerCase();
    if (!isConnectionField(name)) headers.append(name, fields[i + 1] ?? '');
  }
  return headers;
}
