// One WebSocket that SQL serves (omni_httpd.md §11): calls the functions for what happens on it, one after another, each in a
// transaction of its own. What SQL sends to it comes through the hub; the events that it is fed with, if its handshake was answered
// with a stream, through the hub of events. Whether it is accepted is sql-handshake.ts.
import type { CallResult, SqlParameter } from '../database/call.ts';
import type {
  WebSocketConnection,
  WebSocketHandler,
  WebSocketMessage,
} from '../server/websocket-connection.ts';
import { DEFAULT_WEBSOCKET_OPTIONS } from '../server/websocket-options.ts';
import type { Exchange } from '../web/exchange.ts';
import type { CatalogOptions } from './catalog-options.ts';
import type { StreamOutcome } from './outcome.ts';
import { WebSocketFeed } from './sql-event-stream.ts';
import type { GroupTexts } from './group-arguments.ts';
import type { Callback, WebSocketApplication } from './websocket-application.ts';
import type { HubSocket, WebSocketHub } from './websocket-hub.ts';

/** Messages, or bytes of them, that wait for the database before the client is held back: enough to keep a call ready. */
const MAX_WAITING_MESSAGES = 16;
const MAX_WAITING_BYTES = 65_536;

/** What may be sent to a socket before it is open: as much as may wait for its client afterwards. */
const MAX_EARLY_BYTES = DEFAULT_WEBSOCKET_OPTIONS.maxUnsentBytes;

/** How long a call waits that could not be run because the database is away, at least; up to twice as long, so that not all come at once. */
const RETRY_MS = 500;
/** What PostgreSQL says when it goes away or comes back, and has undone the call: admin_shutdown, crash_shutdown, cannot_connect_now. */
const AWAY = new Set(['57P01', '57P02', '57P03']);

const INTERNAL_ERROR = 1011;
const TRY_AGAIN_LATER = 1013;

interface Waiting {
  readonly callback: Callback | null;
  /** The message, if it is called for one. */
  readonly data: WebSocketMessage | null;
  readonly bytes: number;
  readonly isLast: boolean;
}

export class SqlWebSocket implements WebSocketHandler, HubSocket {
  readonly id: string;
  readonly #options: CatalogOptions;
  readonly #hub: WebSocketHub;
  /** Until the connection is open. */
  #exchange: Exchange | null;
  #application: WebSocketApplication | null = null;
  #groups: GroupTexts = {};
  #stream: StreamOutcome | null = null;
  #feed: WebSocketFeed | null = null;
  #connection: WebSocketConnection | null = null;
  /** The handshake's outcome is known to be no, or the last callback is over. */
  #over = false;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #running = false;
  #paused = false;
  /** The connection has ended: nothing is held back for it any more. */
  #ended = false;
  /** Runs a call again that found no database; null where none waits so. */
  #retry: NodeJS.Timeout | null = null;
  /** That calls wait for the database has been told. */
  #toldOfWait = false;
  /** What was sent to it before it was open: the handshake's own transaction can. */
  #early: WebSocketMessage[] = [];
  #earlyBytes = 0;

  constructor(options: CatalogOptions, hub: WebSocketHub, exchange: Exchange) {
    this.#options = options;
    this.#hub = hub;
    this.#exchange = exchange;
    this.id = hub.newId();
  }

  /** To be called before the connection is open. `stream`: the events that it is fed with, or null. */
  prepare(application: WebSocketApplication, groups: GroupTexts, stream: StreamOutcome | null): void {
    this.#application = application;
    this.#groups = groups;
    this.#stream = stream;
  }

  /** It is not, or will not be, opened. */
  leaveUnopened(): void {
    if (this.#connection === null) this.#finish();
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#early = [];
    this.#hub.remove(this);
  }

  // --- WebSocketHandler ---

  open(connection: WebSocketConnection): void {
    this.#connection = connection;
    this.#enqueue(this.#application?.onOpen ?? null, null, 0);
    for (const message of this.#early.splice(0)) connection.send(message);
    const { events, webSocket } = this.#options;
    if (this.#stream !== null && this.#exchange !== null && events !== undefined) {
      const maxUnsentBytes = webSocket?.maxUnsentBytes ?? DEFAULT_WEBSOCKET_OPTIONS.maxUnsentBytes;
      this.#feed = new WebSocketFeed(events, connection, this.#exchange, this.#stream, maxUnsentBytes);
    }
    this.#exchange = null;
  }

  message(_connection: WebSocketConnection, message: WebSocketMessage): void {
    const application = this.#application;
    const callback = typeof message === 'string' ? application?.onText : application?.onBinary;
    this.#enqueue(callback ?? null, message, message.length);
  }

  drain(): void {
    this.#feed?.drained();
  }

  close(): void {
    this.#feed?.close();
    this.#ended = true;
    const hadToWait = this.#retry !== null;
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = null;
    this.#enqueue(this.#application?.onClose ?? null, null, 0, true);
    if (hadToWait) this.#next();
  }

  // --- HubSocket ---

  deliver(payload: Buffer, isText: boolean): boolean {
    const message = isText ? payload.toString('utf8') : Buffer.from(payload);
    if (this.#connection !== null) return this.#connection.send(message);
    this.#earlyBytes += payload.length;
    if (this.#over || this.#earlyBytes > MAX_EARLY_BYTES) return false;
    this.#early.push(message);
    return true;
  }

  // --- inside ---

  #enqueue(callback: Callback | null, data: WebSocketMessage | null, bytes: number, isLast = false): void {
    // What nobody wants to be told of.
    if (callback === null && !isLast) return;
    this.#waiting.push({ callback, data, bytes, isLast });
    this.#waitingBytes += bytes;
    if (!this.#running) this.#next();
    this.#balance();
  }

  #next(): void {
    const [waiting] = this.#waiting;
    if (waiting === undefined) {
      this.#running = false;
      return;
    }
    const { callback, data, bytes, isLast } = waiting;
    if (callback === null) {
      this.#finish();
      return;
    }
    this.#running = true;
    this.call(callback, this.#parameters(callback, data), null, (result) => {
      if (this.#mayWait(result)) {
        this.#wait(callback, result);
        return;
      }
      this.observe(callback.name, result);
      this.#toldOfWait = false;
      this.#running = false;
      this.#waiting.shift();
      this.#waitingBytes -= bytes;
      this.#closeAfter(result);
      if (isLast) this.#finish();
      else this.#next();
      this.#balance();
    });
  }

  #parameters(callback: Callback, data: WebSocketMessage | null): readonly SqlParameter[] {
    return callback.arguments.map((argument) => {
      if (argument === 'socket') return this.id;
      return typeof argument === 'object' ? (this.#groups[argument.name] ?? null) : data;
    });
  }

  /** Whether the call has not run because the database is away, and its connection is to stay until that is back. */
  #mayWait(result: CallResult): boolean {
    if (this.#ended || this.#application?.closesOnError === true) return false;
    return result.kind === 'unavailable' || (result.kind === 'failed' && AWAY.has(result.error.code));
  }

  /** Keeps the call, and those behind it; the client is held back as soon as enough of them wait. */
  #wait({ name }: Callback, result: CallResult): void {
    if (!this.#toldOfWait)
      this.observeFailure(name, `it waits until the database is back: ${reasonOf(result)}`);
    this.#toldOfWait = true;
    this.#retry = setTimeout(
      () => {
        this.#retry = null;
        this.#next();
      },
      RETRY_MS * (1 + Math.random()),
    );
    this.#retry.unref();
  }

  /** Holds the client back while it says more than the database takes. */
  #balance(): void {
    const full = this.#waiting.length >= MAX_WAITING_MESSAGES || this.#waitingBytes >= MAX_WAITING_BYTES;
    if (full === this.#paused || this.#connection === null) return;
    this.#paused = full;
    if (full) this.#connection.pause();
    else this.#connection.resume();
  }

  /** Where the application wants it, a client whose message was not handled is told so. */
  #closeAfter({ kind }: CallResult): void {
    if (this.#application?.closesOnError !== true || kind === 'row' || kind === 'no-row') return;
    if (kind === 'unavailable' || kind === 'lost')
      this.#connection?.close(TRY_AGAIN_LATER, 'try again later');
    else this.#connection?.close(INTERNAL_ERROR, 'internal error');
  }

  /** Calls a function for this socket. `epoch`: that of the catalog it was found in, or null: callbacks are not routed to. */
  call(
    { statement }: Callback,
    parameters: readonly SqlParameter[],
    epoch: string | null,
    done: (result: CallResult) => void,
  ): void {
    const { dispatcher } = this.#options;
    dispatcher.dispatch({
      statement,
      parameters,
      epoch,
      resetAfter: true,
      complete: (result) => {
        try {
          done(result);
        } catch (error) {
          this.#options.observer.observe({ kind: 'internal-error', where: 'SQL WebSocket', error });
        }
      },
    });
  }

  observeFailure(handler: string, message: string): void {
    const none = { sqlState: null, detail: null, hint: null, where: null };
    this.#options.observer.observe({ kind: 'handler-failed', id: this.id, handler, message, ...none });
  }

  /** Tells of a call that failed. An error undoes what the callback did, and the connection stays. */
  observe(handler: string, result: CallResult): void {
    const { observer, handlerTimeoutMs } = this.#options;
    if (result.kind === 'failed') {
      const { code, message, detail = null, hint = null, where = null } = result.error;
      observer.observe({
        kind: 'handler-failed',
        id: this.id,
        handler,
        sqlState: code,
        message,
        detail,
        hint,
        where,
      });
    } else if (result.kind === 'timeout') {
      observer.observe({ kind: 'handler-timeout', id: this.id, handler, limitMs: handlerTimeoutMs });
    } else if (result.kind === 'unavailable') {
      this.observeFailure(handler, `it was not called: ${result.reason}`);
    } else if (result.kind === 'lost') {
      this.observeFailure(handler, `the session went away: ${result.reason}`);
    }
  }
}

function reasonOf(result: CallResult): string {
  if (result.kind === 'failed') return result.error.message;
  return result.kind === 'unavailable' ? result.reason : result.kind;
}
