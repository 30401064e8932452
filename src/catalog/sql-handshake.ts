// The handshake of a WebSocket that SQL serves: finds the functions for its path, asks the one that decides, and answers. What happens
// on the open socket is sql-websocket.ts.
//
//   register ──▶ route ──▶ ask ──▶ accept, refuse, or answer with its response
//                  ▲        │
//                  └────────┘ the catalog has moved on
import type { CallResult } from '../database/call.ts';
import { getField } from '../protocol/http/field-lines.ts';
import { switchToWebSocket, type HandshakeOffer } from '../server/websocket-handshake.ts';
import { DEFAULT_WEBSOCKET_OPTIONS, webSocketOptions } from '../server/websocket-options.ts';
import { answerAsked, askedStatus } from '../web/asked-failure.ts';
import type { Exchange } from '../web/exchange.ts';
import { decodeOutcome, type StreamOutcome } from './outcome.ts';
import { encodeRequest } from './request-value.ts';
import { NO_EPOCH } from './snapshot.ts';
import { REROUTES_MAX, type SnapshotSource } from './sql-request.ts';
import { SqlWebSocket } from './sql-websocket.ts';
import type { HandshakeArgument, WebSocketApplication } from './websocket-application.ts';
import type { WebSocketHub } from './websocket-hub.ts';

const TRUE_BYTE = 1;

export class SqlHandshake {
  readonly #catalog: SnapshotSource;
  readonly #exchange: Exchange;
  readonly #offer: HandshakeOffer;
  readonly #path: string;
  readonly #hub: WebSocketHub;
  readonly #socket: SqlWebSocket;
  #reroutes = 0;

  /** `path`: as handlers see it. */
  constructor(
    catalog: SnapshotSource,
    hub: WebSocketHub,
    exchange: Exchange,
    offer: HandshakeOffer,
    path: string,
  ) {
    this.#catalog = catalog;
    this.#exchange = exchange;
    this.#offer = offer;
    this.#path = path;
    this.#hub = hub;
    this.#socket = new SqlWebSocket(catalog.options, hub, exchange);
  }

  start(): void {
    this.#exchange.onClose(() => this.#socket.leaveUnopened());
    this.#hub.add(this.#socket, (registered) => {
      if (registered) this.#route();
      else this.#refuse(503);
    });
  }

  #route(): void {
    const { head, scheme } = this.#exchange;
    const snapshot = this.#catalog.current;
    if (snapshot.epoch === NO_EPOCH) {
      this.#reroute();
      return;
    }
    const application = snapshot.routeWebSocket({
      method: head.method,
      scheme,
      authority: head.authority,
      path: head.path,
      query: head.query,
    });
    if (application === null) {
      this.#refuse(400);
      return;
    }
    const values: Record<HandshakeArgument, () => string | Buffer> = {
      listener: () => String(this.#exchange.listenerId),
      socket: () => this.#socket.id,
      request: () => this.#requestValue(),
    };
    const parameters = application.arguments.map((argument) => values[argument]());
    const { handshake } = application;
    this.#socket.call(handshake, parameters, snapshot.epoch, (result) => this.#decide(application, result));
  }

  /** Over HTTP/2 it is a CONNECT; to a handler it is what it is over HTTP/1.1. */
  #requestValue(): Buffer {
    const { head, peer } = this.#exchange;
    return encodeRequest(this.#catalog.current.types, {
      method: 'GET',
      path: this.#path,
      query: head.query,
      body: null,
      peer: peer.address === '' ? 'Unknown' : peer.address,
      fields: head.fields,
      authority: head.authority,
    });
  }

  #decide(application: WebSocketApplication, result: CallResult): void {
    const asked = result.kind === 'failed' ? askedStatus(result.error.code) : null;
    if (result.kind === 'stale') this.#reroute();
    else if (result.kind === 'failed' && asked !== null) {
      answerAsked(this.#exchange, asked, result.error.message);
      this.#socket.leaveUnopened();
    } else if (result.kind !== 'row') {
      this.#refuse(result.kind === 'timeout' ? 504 : result.kind === 'unavailable' ? 503 : 500);
    } else {
      const value = result.columns[0] ?? null;
      if (application.givesOutcome) this.#answer(application, value === null ? null : Buffer.from(value));
      else if (value?.[0] === TRUE_BYTE) this.#accept(application, null);
      else this.#refuse(403);
    }
  }

  #answer(application: WebSocketApplication, bytes: Buffer | null): void {
    const exchange = this.#exchange;
    if (bytes === null) {
      this.#refuse(403);
      return;
    }
    const outcome = decodeOutcome(bytes);
    if (outcome.kind === 'event-stream' && this.#catalog.options.events !== undefined) {
      if (isForeign(exchange, outcome.stream.fields)) this.#refuse(403);
      else this.#accept(application, outcome.stream);
      return;
    }
    if (outcome.kind === 'response') exchange.respond(outcome.response);
    else if (outcome.kind === 'abort') exchange.abort();
    else {
      const message =
        outcome.kind === 'invalid' ? outcome.reason : `a handshake cannot be answered with ${outcome.kind}`;
      this.#socket.observeFailure(application.handshake.name, message);
      exchange.fail(500);
    }
    this.#socket.leaveUnopened();
  }

  #accept(application: WebSocketApplication, stream: StreamOutcome | null): void {
    if (this.#exchange.closed) return;
    this.#socket.prepare(application, stream);
    const options = webSocketOptions(this.#catalog.options.webSocket ?? DEFAULT_WEBSOCKET_OPTIONS);
    this.#exchange.switchProtocol(switchToWebSocket(this.#offer, null, this.#socket, options));
  }

  #refuse(status: number): void {
    this.#exchange.fail(status);
    this.#socket.leaveUnopened();
  }

  #reroute(): void {
    this.#reroutes += 1;
    if (this.#reroutes > REROUTES_MAX) {
      this.#refuse(503);
      return;
    }
    this.#catalog.refresh().then(
      () => this.#route(),
      () => this.#refuse(503),
    );
  }
}

/**
 * Whether a page of another origin asks for a stream that is not for it. With EventSource the browser would see to that; a WebSocket it
 * lets any page open, with the user's cookies.
 */
function isForeign({ head }: Exchange, fields: readonly string[]): boolean {
  const origin = getField(head.fields, 'origin');
  if (origin === undefined) return false;
  if (URL.canParse(origin) && new URL(origin).host === head.authority.toLowerCase()) return false;
  const at = fields.findIndex(
    (name, i) => i % 2 === 0 && name.toLowerCase() === 'access-control-allow-origin',
  );
  const allowed = at < 0 ? undefined : fields[at + 1];
  return allowed !== '*' && allowed !== origin;
}
