// The innermost stream handler: gives each request to one ExchangeHandler and turns what that asks of the exchange
// into commands. Not the router, and not the interpreter of commands.
import { NO_FIELDS, type FieldLines } from '../protocol/http/field-lines.ts';
import type { RequestHead } from '../protocol/http/request-head.ts';
import { isCommand, type Command, type Commands } from '../server/command.ts';
import type { ProtocolSwitch } from '../server/websocket-handshake.ts';
import { plainError } from '../server/stream.ts';
import {
  DRAINED,
  DRAINING,
  type ConnectionInfo,
  type StreamEnd,
  type StreamHandle,
  type StreamHandler,
  type StreamHandlerFactory,
} from '../server/stream-handler.ts';
import { BodyCollector, BodyQueue, EMPTY, NO_BODY, type BodyReader } from './request-body.ts';
import { releaseBody } from './response-stream.ts';
import type {
  BodyRefusal,
  Endpoint,
  Exchange,
  ExchangeHandler,
  ResponseSink,
  StreamedResponse,
  WholeResponse,
} from './exchange.ts';

/** Seconds that a client is asked to wait after a 503. */
const RETRY_AFTER_SECONDS = '1';

const ignoreRefusal = (): void => undefined;

/** A message of the application's that the server would take for one of its own. */
class Enclosed {
  readonly message: unknown;

  constructor(message: unknown) {
    this.message = message;
  }
}

export function requestHandler(handle: ExchangeHandler): StreamHandlerFactory {
  return { open: (stream) => new RequestHandler(stream, handle) };
}

class RequestHandler implements StreamHandler, Exchange {
  readonly #stream: StreamHandle;
  readonly #handle: ExchangeHandler;
  /** Commands made inside a callback are its result; others are cast. */
  #inside = false;
  #pending: Command | Command[] | null = null;
  #body: BodyReader | null = null;
  #requestEnded = false;
  #answered = false;
  #over = false;
  /** One is usual: a list is made for the second. */
  #closeListeners: (() => void) | (() => void)[] | null = null;
  #messageListeners: Set<(message: unknown) => void> | null = null;
  #trailers: FieldLines = NO_FIELDS;
  #wakeWriter: (() => void) | null = null;
  #drainingListener: (() => void) | null = null;
  #draining = false;

  constructor(stream: StreamHandle, handle: ExchangeHandler) {
    this.#stream = stream;
    this.#handle = handle;
    // Nothing comes after the head of a request without a body.
    this.#requestEnded = !stream.head.hasBody;
  }

  // --- StreamHandler ---

  init(): Commands {
    this.#inside = true;
    this.#handle(this);
    return this.#takePending();
  }

  data(chunk: Buffer): Commands {
    this.#inside = true;
    this.#body?.receive(chunk);
    return this.#takePending();
  }

  end(trailers: FieldLines): Commands {
    this.#requestEnded = true;
    this.#trailers = trailers;
    this.#inside = true;
    this.#body?.receiveEnd();
    return this.#takePending();
  }

  info(message: unknown): Commands {
    if (message === DRAINED) {
      this.#wakeWriter?.();
      return null;
    }
    if (isCommand(message)) return message;
    this.#inside = true;
    if (message === DRAINING) this.#receiveDraining();
    else this.#hear(message instanceof Enclosed ? message.message : message);
    return this.#takePending();
  }

  terminate(end: StreamEnd): void {
    this.#over = true;
    const listeners = this.#closeListeners;
    this.#closeListeners = null;
    this.#messageListeners = null;
    this.#body?.abandon();
    this.#wakeWriter?.();
    if (end === 'answered' || listeners === null) return;
    if (typeof listeners === 'function') listeners();
    else for (const listener of listeners) listener();
  }

  // --- Exchange ---

  get head(): RequestHead {
    return this.#stream.head;
  }

  get scheme(): 'http' | 'https' {
    return this.#stream.connection.scheme;
  }

  get connection(): ConnectionInfo {
    return this.#stream.connection;
  }

  get peer(): Endpoint {
    const { peerAddress, peerPort } = this.#stream.connection;
    return { address: peerAddress, port: peerPort };
  }

  get local(): Endpoint {
    const { localAddress, localPort } = this.#stream.connection;
    return { address: localAddress, port: localPort };
  }

  get listenerId(): number {
    return this.#stream.connection.listenerId;
  }

  get id(): string {
    return this.#stream.id;
  }

  get closed(): boolean {
    return this.#over;
  }

  collectBody(
    limitBytes: number,
    done: (body: Buffer) => void,
    refused: (reason: BodyRefusal) => void = ignoreRefusal,
  ): void {
    const { contentLength } = this.#stream.head;
    if (contentLength !== null && contentLength > limitBytes) {
      this.#refuseBody('too-large', limitBytes, refused);
    } else if (this.#requestEnded) {
      this.#read(NO_BODY);
      done(EMPTY);
    } else {
      const refuse = (reason: BodyRefusal): void => this.#refuseBody(reason, limitBytes, refused);
      this.#read(new BodyCollector(limitBytes, contentLength, done, refuse));
      // One byte more than allowed tells a body that is too large from one that is just as large.
      this.#emit({ kind: 'flow', bytes: limitBytes + 1 });
    }
  }

  #refuseBody(reason: BodyRefusal, limitBytes: number, refused: (reason: BodyRefusal) => void): void {
    if (reason === 'too-large') this.fail(413, `the body is larger than ${limitBytes} bytes`);
    refused(reason);
  }

  bodyStream(): AsyncIterable<Buffer> {
    const queue = new BodyQueue((bytes) => this.#emit({ kind: 'flow', bytes }));
    this.#read(queue);
    return queue;
  }

  get trailers(): FieldLines {
    return this.#trailers;
  }

  respond(response: WholeResponse): void {
    if (!this.#begin()) return;
    const { status, fields, body } = response;
    this.#emit({ kind: 'response', status, fields, body });
  }

  respondStreamed(response: StreamedResponse): void {
    if (!this.#begin()) {
      releaseBody(response.body);
      return;
    }
    this.#emit({ kind: 'headers', status: response.status, fields: response.fields });
    void this.#pump(response.body, response.trailers);
  }

  respondPushed(status: number, fields: FieldLines): ResponseSink | null {
    if (!this.#begin()) return null;
    this.#emit({ kind: 'headers', status, fields });
    const stream = this.#stream;
    return {
      get writable() {
        return stream.writable;
      },
      write: (data) => this.#emit({ kind: 'data', data, last: false }),
      end: () => this.#emit({ kind: 'trailers', fields: NO_FIELDS }),
      fail: (error) => this.#emit({ kind: 'internal-error', where: 'response body', error }),
      onDrain: (listener) => {
        this.#wakeWriter = listener;
      },
    };
  }

  switchProtocol(to: ProtocolSwitch): void {
    if (this.#begin()) this.#emit({ kind: 'switch-protocol', ...to });
  }

  fail(status: number, detail = ''): void {
    if (!this.#begin()) return;
    const error = plainError(status, status >= 500 ? this.id : '', detail);
    const fields = status === 503 ? [...error.fields, 'retry-after', RETRY_AFTER_SECONDS] : error.fields;
    this.#emit({ ...error, fields });
  }

  abort(): void {
    if (this.#begin()) this.#emit({ kind: 'abort' });
  }

  cut(error: unknown): void {
    if (this.#answered) this.#emit({ kind: 'internal-error', where: 'response body', error });
  }

  inform(status: number, fields: FieldLines): void {
    if (!this.#answered) this.#emit({ kind: 'inform', status, fields });
  }

  onClose(listener: () => void): void {
    if (this.#over) listener();
    else if (this.#closeListeners === null) this.#closeListeners = listener;
    else if (typeof this.#closeListeners === 'function')
      this.#closeListeners = [this.#closeListeners, listener];
    else this.#closeListeners.push(listener);
  }

  push(path: string, fields: FieldLines): boolean {
    return !this.#over && this.#stream.push(path, fields);
  }

  cast(message: unknown): void {
    const isOwn = message === DRAINED || message === DRAINING || isCommand(message);
    this.#stream.cast(isOwn ? new Enclosed(message) : message);
  }

  onMessage(listener: (message: unknown) => void): () => void {
    this.#messageListeners ??= new Set();
    this.#messageListeners.add(listener);
    return () => this.#messageListeners?.delete(listener);
  }

  onDraining(listener: () => void): void {
    if (this.#draining) listener();
    else this.#drainingListener = listener;
  }

  // --- inside ---

  #hear(message: unknown): void {
    for (const listener of this.#messageListeners ?? []) listener(message);
  }

  #receiveDraining(): void {
    this.#draining = true;
    const listener = this.#drainingListener;
    this.#drainingListener = null;
    listener?.();
  }

  /** Whether this is the first answer. */
  #begin(): boolean {
    if (this.#answered || this.#over) return false;
    this.#answered = true;
    return true;
  }

  #read(reader: BodyReader): void {
    if (this.#body !== null) throw new Error('the body of a request is read once');
    this.#body = reader;
    if (this.#requestEnded) reader.receiveEnd();
  }

  #emit(command: Command): void {
    if (!this.#inside) this.#stream.cast(command);
    else if (this.#pending === null) this.#pending = command;
    else if (Array.isArray(this.#pending)) this.#pending.push(command);
    else this.#pending = [this.#pending, command];
  }

  #takePending(): Commands {
    this.#inside = false;
    const commands = this.#pending;
    this.#pending = null;
    return commands;
  }

  async #pump(body: AsyncIterable<Uint8Array>, trailers: (() => FieldLines) | undefined): Promise<void> {
    try {
      for await (const chunk of body) {
        if (this.#over) return;
        const data = Buffer.isBuffer(chunk)
          ? chunk
          : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
        this.#emit({ kind: 'data', data, last: false });
        while (!this.#over && !this.#stream.writable) await this.#drained();
      }
      if (!this.#over) this.#emit({ kind: 'trailers', fields: trailers?.() ?? NO_FIELDS });
    } catch (error) {
      if (!this.#over) this.#emit({ kind: 'internal-error', where: 'response body', error });
    }
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#wakeWriter = () => {
        this.#wakeWriter = null;
        resolve();
      };
    });
  }
}
