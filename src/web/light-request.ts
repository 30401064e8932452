// A web-standard Request over an exchange: `instanceof Request` holds and all members are there, but the platform's object
// behind it, with its headers, its signal and its stream, is made when somebody asks for what only that has. Measured:
// the platform's takes some 5 µs to make, about as long as everything else that a plain request needs.
import type { BodyRefusal, Exchange } from './exchange.ts';
import { HowdahError } from '../errors.ts';
import { LightHeaders } from './light-headers.ts';
import { delegateTo, NativeRequest, NativeResponse } from './native-classes.ts';
import { requestUrl } from './request-url.ts';
import { getField } from '../protocol/http/field-lines.ts';

export class LightRequest {
  readonly #exchange: Exchange;
  #maxBodyBytes: number;
  #url: string | null = null;
  #headers: Headers | null = null;
  #abort: AbortController | null = null;
  #used = false;
  #native: Request | null = null;

  constructor(exchange: Exchange, maxBodyBytes: number) {
    this.#exchange = exchange;
    this.#maxBodyBytes = maxBodyBytes;
  }

  get method(): string {
    return this.#exchange.head.method;
  }

  get url(): string {
    this.#url ??= requestUrl(this.#exchange);
    return this.#url;
  }

  get headers(): Headers {
    this.#headers ??= new LightHeaders(this.#exchange.head.fields) as unknown as Headers;
    return this.#headers;
  }

  /** Aborted when the client leaves, or the time to answer is over. */
  get signal(): AbortSignal {
    if (this.#abort === null) {
      const abort = new AbortController();
      this.#abort = abort;
      this.#exchange.onClose(() => abort.abort(new DOMException('the client has left', 'AbortError')));
    }
    return this.#abort.signal;
  }

  get bodyUsed(): boolean {
    return this.#native?.bodyUsed ?? this.#used;
  }

  get body(): Request['body'] {
    if (!this.#hasBody) return null;
    return this.#materialise().body;
  }

  text(): Promise<string> {
    if (this.#native !== null) return this.#native.text();
    return this.#collect().then(decodeUtf8);
  }

  json(): Promise<unknown> {
    if (this.#native !== null) return this.#native.json();
    return this.#collect().then((body) => JSON.parse(decodeUtf8(body)) as unknown);
  }

  bytes(): Promise<Uint8Array> {
    if (this.#native !== null) return this.#native.bytes();
    return this.#collect().then((body) => new Uint8Array(body));
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    if (this.#native !== null) return this.#native.arrayBuffer();
    return this.#collect().then((body) => new Uint8Array(body).buffer);
  }

  blob(): Promise<Blob> {
    if (this.#native !== null) return this.#native.blob();
    return this.#collect().then((body) => new Blob([new Uint8Array(body)], { type: this.#contentType }));
  }

  formData(): Promise<FormData> {
    if (this.#native !== null) return this.#native.formData();
    return this.#collect().then((body) =>
      new NativeResponse(new Uint8Array(body), { headers: { 'content-type': this.#contentType } }).formData(),
    );
  }

  get #contentType(): string {
    return getField(this.#exchange.head.fields, 'content-type') ?? '';
  }

  /** A GET or HEAD has none to the fetch standard; what came with one is not read. */
  get #hasBody(): boolean {
    const { hasBody, method } = this.#exchange.head;
    return hasBody && method !== 'GET' && method !== 'HEAD';
  }

  #collect(): Promise<Buffer> {
    if (this.#used) return Promise.reject(new TypeError('Body is unusable: Body has already been read'));
    if (!this.#hasBody) return Promise.resolve(Buffer.alloc(0));
    this.#used = true;
    return new Promise((resolve, reject) => {
      this.#exchange.collectBody(this.#maxBodyBytes, resolve, (reason) => {
        reject(refusalError(reason, this.#maxBodyBytes));
      });
    });
  }

  #materialise(): Request {
    if (this.#native === null) {
      const { method, headers, signal } = this;
      const init: RequestInit = { method, headers, signal };
      if (this.#hasBody && !this.#used) {
        init.body = bodyStream(this.#exchange, this.#maxBodyBytes);
        init.duplex = 'half';
      }
      const native = new NativeRequest(this.url, init);
      this.#native = native;
      // Its headers are those of this object, from the first to the last.
      this.#headers ??= native.headers;
    }
    return this.#native;
  }

  /** The platform's object behind it. */
  static native(request: LightRequest): Request {
    if (request.#used && request.#native === null) {
      throw new TypeError('Body is unusable: Body has already been read');
    }
    return request.#materialise();
  }

  static is(value: unknown): value is LightRequest {
    return typeof value === 'object' && value !== null && #exchange in value;
  }

  /** What may be read of the body from now on. */
  static limit(request: LightRequest, maxBodyBytes: number): void {
    request.#maxBodyBytes = maxBodyBytes;
  }

  /** The time to answer is over. */
  static expire(request: LightRequest): void {
    request.#abort?.abort(new DOMException('the time to answer is over', 'TimeoutError'));
  }
}

delegateTo(LightRequest.prototype, NativeRequest.prototype, (light) =>
  LightRequest.native(light as LightRequest),
);

/** TextDecoder's rule: a byte order mark is no part of the text. */
function decodeUtf8(body: Buffer): string {
  const marked = body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf;
  return body.toString('utf8', marked ? 3 : 0);
}

function refusalError(reason: BodyRefusal, limitBytes: number): Error {
  return reason === 'too-large'
    ? new HowdahError('HOWDAH_BODY_TOO_LARGE', `more than ${limitBytes} bytes`)
    : new DOMException('the client left before its request was complete', 'AbortError');
}

/** The body as it comes, with back-pressure; over the limit the request is answered with 413 and reading fails. */
function bodyStream(exchange: Exchange, limitBytes: number): ReadableStream<Uint8Array> {
  let source: AsyncIterator<Buffer> | null = null;
  let received = 0;
  const next = async (): Promise<Buffer | null> => {
    const { contentLength } = exchange.head;
    source ??= exchange.bodyStream()[Symbol.asyncIterator]();
    for (;;) {
      const result = contentLength !== null && contentLength > limitBytes ? null : await source.next();
      if (result?.done === true) return null;
      received += result?.value.length ?? 0;
      if (result === null || received > limitBytes) {
        exchange.fail(413, `the body is larger than ${limitBytes} bytes`);
        throw refusalError('too-large', limitBytes);
      }
      if (result.value.length > 0) return result.value;
    }
  };
  return new ReadableStream({
    type: 'bytes',
    async pull(controller) {
      const chunk = await next();
      if (chunk !== null) {
        controller.enqueue(new Uint8Array(chunk));
        return;
      }
      controller.close();
      // For a reader that waits with a buffer of its own.
      controller.byobRequest?.respond(0);
    },
  });
}
