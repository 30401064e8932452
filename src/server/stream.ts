// One request and its response: hands events to the stream handlers and interprets their commands, for every HTTP
// version, above a StreamChannel. Does no I/O of its own.
//
//   response:  none ──response──────────────────────────► done
//                └───headers──► begun ──data… ──last/trailers──► done
//   none ──switch-protocol──► done;  any state: abort, internal-error, client left ──► done
import { NO_FIELDS, type FieldLines } from '../protocol/http/field-lines.ts';
import type { RequestHead } from '../protocol/http/request-head.ts';
import { responseField } from '../protocol/http/response-field-edit.ts';
import type { Observer } from '../observe/observation.ts';
import { STATUS_REASONS } from '../protocol/http/status-reasons.ts';
import type { Command, Commands, ResponseCommand } from './command.ts';
import { nextRequestId } from './request-id.ts';
import type { BadField, StreamChannel } from './stream-channel.ts';
import { DRAINED, DRAINING, openHandlers } from './stream-handler.ts';
import type {
  ConnectionInfo,
  StreamEnd,
  StreamHandle,
  StreamHandler,
  StreamHandlerChain,
} from './stream-handler.ts';

/** What the streams of a server share. */
export interface StreamContext {
  readonly handlers: StreamHandlerChain;
  readonly observer: Observer;
  /** Whether a `request-done` observation is made for each stream. */
  readonly observeRequests: boolean;
  /** Counted up where they are given. */
  readonly counts?: StreamCounts;
}

/** Requests that were begun and that are over, however they ended. */
export interface StreamCounts {
  begun: number;
  ended: number;
}

type ErrorResponse = Extract<Command, { kind: 'error-response' }>;
type SwitchCommand = Extract<Command, { kind: 'switch-protocol' }>;

export class Stream implements StreamHandle {
  readonly head: RequestHead;
  readonly connection: ConnectionInfo;
  readonly #context: StreamContext;
  readonly #channel: StreamChannel;
  readonly #startedAt: number;
  #handler: StreamHandler | null = null;
  #id = '';
  #response: 'none' | 'begun' | 'done' = 'none';
  #status = 0;
  #receivedBytes = 0;
  #sentBytes = 0;
  /** Bytes of content that the head announced and that are still to come; -1 where nothing was announced. */
  #announcedBytes = -1;
  #errorResponse: ErrorResponse | null = null;
  #running = false;
  #mailbox: unknown[] = [];

  constructor(context: StreamContext, channel: StreamChannel, connection: ConnectionInfo, head: RequestHead) {
    this.#context = context;
    this.#channel = channel;
    this.connection = connection;
    this.head = head;
    this.#startedAt = context.observeRequests ? performance.now() : 0;
  }

  get id(): string {
    if (this.#id === '') this.#id = nextRequestId();
    return this.#id;
  }

  get writable(): boolean {
    return this.#channel.writable;
  }

  /** A response was begun and is not complete. */
  get begun(): boolean {
    return this.#response === 'begun';
  }

  push(path: string, fields: FieldLines): boolean {
    return this.#response !== 'done' && this.#channel.push(path, fields);
  }

  /** Makes the handlers and gives them the request head. `draining`: those that were here before have been told so. */
  open(draining = false): void {
    if (this.#context.counts !== undefined) this.#context.counts.begun += 1;
    this.#running = true;
    try {
      this.#handler = openHandlers(this.#context.handlers, this);
      this.#execute(this.#handler.init());
    } catch (error) {
      this.#fail('init', error);
    }
    if (draining) this.#mailbox.push(DRAINING);
    this.#leave();
  }

  receiveData(chunk: Buffer): void {
    this.#receivedBytes += chunk.length;
    if (this.#handler === null) return;
    this.#running = true;
    try {
      this.#execute(this.#handler.data(chunk));
    } catch (error) {
      this.#fail('data', error);
    }
    this.#leave();
  }

  receiveEnd(trailers: FieldLines): void {
    if (this.#handler === null) return;
    this.#running = true;
    try {
      this.#execute(this.#handler.end(trailers));
    } catch (error) {
      this.#fail('end', error);
    }
    this.#leave();
  }

  /** The client has taken what was waiting for it. */
  receiveDrain(): void {
    this.cast(DRAINED);
  }

  /** The client left, or reset the stream. */
  receiveReset(): void {
    this.#finish('client-left');
  }

  cast(message: unknown): void {
    if (this.#handler === null) return;
    if (this.#running) {
      this.#mailbox.push(message);
      return;
    }
    this.#running = true;
    this.#inform(message);
    this.#leave();
  }

  #inform(message: unknown): void {
    if (this.#handler === null) return;
    try {
      this.#execute(this.#handler.info(message));
    } catch (error) {
      this.#fail('info', error);
    }
  }

  /** Ends a callback: messages that were cast meanwhile are delivered now, in order. */
  #leave(): void {
    while (this.#mailbox.length > 0) {
      const messages = this.#mailbox;
      this.#mailbox = [];
      for (const message of messages) this.#inform(message);
    }
    this.#running = false;
  }

  #execute(commands: Commands): void {
    if (commands === null) return;
    if (isList(commands)) for (const command of commands) this.#executeOne(command);
    else this.#executeOne(commands);
  }

  #executeOne(command: Command): void {
    if (this.#response === 'done') return;
    switch (command.kind) {
      case 'response':
        this.#respond(command);
        return;
      case 'flow':
        this.#channel.allowBody(command.bytes);
        return;
      case 'inform':
        if (this.#response === 'none')
          this.#checkField(this.#channel.sendInform(command.status, command.fields));
        return;
      case 'headers':
        this.#begin(command.status, command.fields);
        return;
      case 'data':
        this.#sendData(command.data, command.last);
        return;
      case 'trailers':
        this.#end(command.fields);
        return;
      case 'switch-protocol':
        this.#switch(command);
        return;
      case 'push':
        this.#channel.push(command.path, command.fields);
        return;
      case 'error-response':
        this.#errorResponse = command;
        return;
      case 'set-options':
        this.#channel.setOptions(command);
        return;
      case 'log':
        this.#context.observer.observe({ ...command, kind: 'handler-warning', id: this.id });
        return;
      case 'stop':
        if (this.#response === 'none')
          this.#respond({ kind: 'response', status: 204, fields: NO_FIELDS, body: null });
        else this.#end(NO_FIELDS);
        return;
      case 'abort':
        this.#channel.sendReset();
        this.#finish('aborted');
        return;
      case 'internal-error':
        this.#fail(command.where, command.error);
        return;
    }
  }

  #respond(command: ResponseCommand): void {
    if (this.#response !== 'none') {
      this.#misuse('a second response to one request');
      return;
    }
    const bad = this.#channel.sendResponse(command.status, command.fields, command.body);
    if (bad !== null) {
      this.#checkField(bad);
      return;
    }
    this.#status = command.status;
    if (command.body !== null) this.#sentBytes = command.body.length;
    this.#finish('answered');
  }

  #switch({ protocol, fields, takeOver }: SwitchCommand): void {
    if (this.#response !== 'none') {
      this.#misuse('another protocol after the response');
      return;
    }
    const result = this.#channel.switchProtocol(protocol, fields, takeOver);
    if (typeof result !== 'number') {
      this.#checkField(result);
      return;
    }
    this.#status = result;
    this.#finish('answered');
  }

  #begin(status: number, fields: FieldLines): void {
    if (this.#response !== 'none') {
      this.#misuse('a second response to one request');
      return;
    }
    const given = responseField(fields, 'content-length');
    const length = given !== undefined && /^\d{1,15}$/.test(given) ? Number(given) : null;
    const bad = this.#channel.sendHead(status, fields, length);
    if (bad !== null) {
      this.#checkField(bad);
      return;
    }
    this.#status = status;
    this.#response = 'begun';
    this.#announcedBytes = length ?? -1;
  }

  #sendData(data: Buffer, last: boolean): void {
    if (this.#response !== 'begun') {
      this.#misuse('response data without a response head');
      return;
    }
    if (this.#announcedBytes >= 0) {
      if (data.length > this.#announcedBytes) {
        this.#misuse('more response data than its content-length');
        return;
      }
      this.#announcedBytes -= data.length;
    }
    this.#sentBytes += data.length;
    if (data.length > 0) this.#channel.sendData(data);
    if (last) this.#end(NO_FIELDS);
  }

  #end(trailers: FieldLines): void {
    if (this.#response !== 'begun') {
      this.#misuse('the end of a response without its head');
      return;
    }
    // A HEAD request's answer announces a length and sends nothing.
    if (this.#announcedBytes > 0 && this.head.method !== 'HEAD' && this.#status !== 304) {
      this.#misuse('less response data than its content-length');
      return;
    }
    this.#channel.sendEnd(trailers);
    this.#finish('answered');
  }

  #checkField(bad: BadField | null): void {
    if (bad !== null) this.#misuse(`response field ${JSON.stringify(bad.name)}: ${bad.reason}`);
  }

  #misuse(what: string): void {
    this.#fail('stream handler', new Error(what));
  }

  #fail(where: string, error: unknown): void {
    if (this.#response === 'done') return;
    this.#context.observer.observe({ kind: 'internal-error', where: `request ${this.id}: ${where}`, error });
    if (this.#response === 'begun') {
      this.#channel.sendReset();
    } else {
      const { status, fields, body } = this.#errorResponse ?? plainError(500, this.id);
      this.#status = status;
      if (this.#channel.sendResponse(status, fields, body) !== null) this.#channel.sendReset();
    }
    this.#finish('failed');
  }

  #finish(end: StreamEnd): void {
    if (this.#response === 'done') return;
    this.#response = 'done';
    const handler = this.#handler;
    this.#handler = null;
    if (this.#context.counts !== undefined) this.#context.counts.ended += 1;
    if (this.#context.observeRequests) this.#observeEnd(end);
    try {
      handler?.terminate(end);
    } catch (error) {
      this.#context.observer.observe({
        kind: 'internal-error',
        where: `request ${this.id}: terminate`,
        error,
      });
    }
    this.#channel.finish();
  }

  #observeEnd(end: StreamEnd): void {
    const { head, connection } = this;
    this.#context.observer.observe({
      kind: 'request-done',
      id: this.id,
      method: head.method,
      target: head.query === null ? head.path : `${head.path}?${head.query}`,
      authority: head.authority,
      version: head.version,
      peer: connection.peerAddress,
      status: this.#status,
      receivedBytes: this.#receivedBytes,
      sentBytes: this.#sentBytes,
      durationMs: performance.now() - this.#startedAt,
      end,
    });
  }
}

function isList(commands: Command | readonly Command[]): commands is readonly Command[] {
  return Array.isArray(commands);
}

/** The engine's own error responses: a line of text with the status, the reason and, where there is one, the request id. */
export function plainError(status: number, requestId: string, detail = ''): ResponseCommand {
  const reason = STATUS_REASONS[status] ?? 'Error';
  const lines = `${status} ${reason}\n${detail === '' ? '' : `${detail}\n`}${requestId === '' ? '' : `request ${requestId}\n`}`;
  return { kind: 'response', status, fields: ['content-type', 'text/plain; charset=utf-8'], body: lines };
}
