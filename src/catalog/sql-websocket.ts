// One WebSocket that SQL serves (omni_httpd.md §11): asks websocket_handler() whether to accept it, then calls the callbacks, one
// after another, each in a transaction of its own. What SQL sends to it comes through the hub.
import type { CallResult, PreparedStatement, SqlParameter } from '../database/call.ts';
import type {
  WebSocketConnection,
  WebSocketHandler,
  WebSocketMessage,
} from '../server/websocket-connection.ts';
import { switchToWebSocket, type HandshakeOffer } from '../server/websocket-handshake.ts';
import { DEFAULT_WEBSOCKET_OPTIONS } from '../server/websocket-options.ts';
import type { Exchange } from '../web/exchange.ts';
import type { CatalogOptions } from './catalog-options.ts';
import { encodeRequest, type RequestTypes } from './request-value.ts';
import { handshakeStatement, ON_BYTES, ON_CLOSE, ON_OPEN, ON_TEXT } from './websocket-calls.ts';
import type { HubSocket, WebSocketHub } from './websocket-hub.ts';

/** Messages, or bytes of them, that wait for the database before the client is held back: enough to keep a call ready. */
const MAX_WAITING_MESSAGES = 16;
const MAX_WAITING_BYTES = 65_536;

const TRUE_BYTE = 1;
/** What may be sent to a socket before it is open: as much as may wait for its client afterwards. */
const MAX_EARLY_BYTES = DEFAULT_WEBSOCKET_OPTIONS.maxUnsentBytes;

interface Callback {
  readonly statement: PreparedStatement;
  readonly name: string;
  readonly parameters: readonly SqlParameter[];
  readonly bytes: number;
}

export class SqlWebSocket implements WebSocketHandler, HubSocket {
  readonly id: string;
  readonly #options: CatalogOptions;
  readonly #hub: WebSocketHub;
  readonly #exchange: Exchange;
  readonly #offer: HandshakeOffer;
  #connection: WebSocketConnection | null = null;
  /** The handshake's outcome is known to be no, or the last callback is over. */
  #over = false;
  #waiting: Callback[] = [];
  #waitingBytes = 0;
  #running = false;
  #paused = false;
  /** What was sent to it before it was open: the handshake's own transaction can. */
  #early: WebSocketMessage[] = [];
  #earlyBytes = 0;

  constructor(options: CatalogOptions, hub: WebSocketHub, exchange: Exchange, offer: HandshakeOffer) {
    this.#options = options;
    this.#hub = hub;
    this.#exchange = exchange;
    this.#offer = offer;
    this.id = hub.newId();
  }

  /** Answers the handshake. `path`: as handlers see it. */
  handshake(types: RequestTypes, path: string): void {
    const { head, peer, listenerId } = this.#exchange;
    // Over HTTP/2 it is a CONNECT; to a handler it is what it is over HTTP/1.1.
    const request = encodeRequest(types, {
      method: 'GET',
      path,
      query: head.query,
      body: null,
      peer: peer.address === '' ? 'Unknown' : peer.address,
      fields: head.fields,
      authority: head.authority,
    });
    this.#exchange.onClose(() => {
      if (this.#connection === null) this.#finish();
    });
    this.#hub.add(this, (registered) => {
      if (!registered) {
        this.#refuse(503);
        return;
      }
      const statement = handshakeStatement(types.httpRequest);
      const parameters = [String(listenerId), this.id, request];
      this.#call({ statement, name: 'websocket_handler', parameters, bytes: 0 }, (result) =>
        this.#decide(result),
      );
    });
  }

  #decide(result: CallResult): void {
    if (result.kind !== 'row') {
      this.#refuse(result.kind === 'timeout' ? 504 : result.kind === 'unavailable' ? 503 : 500);
    } else if (result.columns[0]?.[0] !== TRUE_BYTE) {
      this.#refuse(403);
    } else if (!this.#exchange.closed) {
      this.#exchange.switchProtocol(
        switchToWebSocket(this.#offer, null, this, {
          ...DEFAULT_WEBSOCKET_OPTIONS,
          ...this.#options.webSocket,
        }),
      );
    }
  }

  #refuse(status: number): void {
    this.#exchange.fail(status);
    this.#finish();
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
    this.#enqueue({ statement: ON_OPEN, name: 'websocket_on_open', parameters: [this.id], bytes: 0 });
    for (const message of this.#early.splice(0)) connection.send(message);
  }

  message(_connection: WebSocketConnection, message: WebSocketMessage): void {
    this.#enqueue({
      statement: typeof message === 'string' ? ON_TEXT : ON_BYTES,
      name: 'websocket_on_message',
      parameters: [this.id, message],
      bytes: message.length,
    });
  }

  close(): void {
    this.#enqueue({ statement: ON_CLOSE, name: 'websocket_on_close', parameters: [this.id], bytes: 0 });
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

  #enqueue(callback: Callback): void {
    this.#waiting.push(callback);
    this.#waitingBytes += callback.bytes;
    if (!this.#running) this.#next();
    this.#balance();
  }

  #next(): void {
    const callback = this.#waiting.shift();
    if (callback === undefined) return;
    this.#waitingBytes -= callback.bytes;
    this.#running = true;
    this.#call(callback, () => {
      this.#running = false;
      if (callback.statement === ON_CLOSE) this.#finish();
      else this.#next();
      this.#balance();
    });
  }

  /** Holds the client back while it says more than the database takes. */
  #balance(): void {
    const full = this.#waiting.length >= MAX_WAITING_MESSAGES || this.#waitingBytes >= MAX_WAITING_BYTES;
    if (full === this.#paused || this.#connection === null) return;
    this.#paused = full;
    if (full) this.#connection.pause();
    else this.#connection.resume();
  }

  #call(callback: Callback, done: (result: CallResult) => void): void {
    const { dispatcher } = this.#options;
    dispatcher.dispatch({
      statement: callback.statement,
      parameters: callback.parameters,
      // Callbacks are replaced, not routed to.
      epoch: null,
      resetAfter: true,
      complete: (result) => {
        try {
          this.#observe(callback, result);
          done(result);
        } catch (error) {
          this.#options.observer.observe({ kind: 'internal-error', where: 'SQL WebSocket', error });
        }
      },
    });
  }

  /** An error undoes what the callback did, and the connection stays. */
  #observe({ name }: Callback, result: CallResult): void {
    const { observer, handlerTimeoutMs } = this.#options;
    const handler = `omni_httpd.${name}`;
    const none = { sqlState: null, detail: null, hint: null, where: null };
    const failed = { kind: 'handler-failed', id: this.id, handler, ...none } as const;
    if (result.kind === 'failed') {
      const { code, message, detail = null, hint = null, where = null } = result.error;
      observer.observe({ ...failed, sqlState: code, message, detail, hint, where });
    } else if (result.kind === 'timeout') {
      observer.observe({ kind: 'handler-timeout', id: this.id, handler, limitMs: handlerTimeoutMs });
    } else if (result.kind === 'unavailable') {
      observer.observe({ ...failed, message: `it was not called: ${result.reason}` });
    } else if (result.kind === 'lost') {
      observer.observe({ ...failed, message: `the session went away: ${result.reason}` });
    }
  }
}
