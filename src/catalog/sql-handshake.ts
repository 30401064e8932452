// The handshake of a WebSocket that SQL serves: finds the functions for its path, asks the one that decides, and answers. What happens
// on the open socket is sql-websocket.ts.
//
//   register ──▶ route ──▶ ask ──▶ accept, refuse, or answer with its response
//                  ▲        │
//                  └────────┘ the catalog has moved on
import type { CallResult, SqlParameter } from '../database/call.ts';
import { getField } from '../protocol/http/field-lines.ts';
import { switchToWebSocket, type HandshakeOffer } from '../server/websocket-handshake.ts';
import { DEFAULT_WEBSOCKET_OPTIONS, webSocketOptions } from '../server/websocket-options.ts';
import { answerAsked, askedStatus } from '../web/asked-failure.ts';
import type { Exchange } from '../web/exchange.ts';
import { decodeOutcome, type StreamOutcome } from './outcome.ts';
import { encodeRequest } from './request-value.ts';
import { NO_EPOCH, type RoutedWebSocket } from './snapshot.ts';
import { REROUTES_MAX, type SnapshotSource } from './sql-request.ts';
import { SqlWebSocket } from './sql-websocket.ts';
import { parameterInError } from './group-arguments.ts';
import type { Callback, PassedArgument } from './websocket-application.ts';
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
    const routed = snapshot.routeWebSocket({
      method: head.method,
      scheme,
      authority: head.authority,
      path: head.path,
      query: head.query,
    });
    if (routed === null) {
      this.#refuse(400);
      return;
    }
    const { handshake } = routed.application;
    const parameters = handshake.arguments.map((argument) => this.#argument(argument, routed));
    this.#socket.call(handshake, parameters, snapshot.epoch, (result) => this.#decide(routed, result));
  }

  #argument(argument: PassedArgument, { groups }: RoutedWebSocket): SqlParameter {
    switch (argument) {
      case 'listener':
        return String(this.#exchange.listenerId);
      case 'socket':
        return this.#socket.id;
      case 'request':
        return this.#requestValue();
      case 'data':
        // Of messages only.
        return null;
      default:
        return groups[argument.name] ?? null;
    }
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

  #decide(routed: RoutedWebSocket, result: CallResult): void {
    const { application } = routed;
    const { handshake } = application;
    if (result.kind === 'stale') {
      this.#reroute();
    } else if (result.kind === 'row') {
      const value = result.columns[0] ?? null;
      if (application.givesOutcome) this.#answer(routed, value === null ? null : Buffer.from(value));
      else if (value?.[0] === TRUE_BYTE) this.#accept(routed, null);
      else this.#refuse(403);
    } else if (result.kind === 'failed') {
      this.#failed(handshake, result);
    } else {
      this.#socket.observe(handshake.name, result);
      this.#refuse(result.kind === 'timeout' ? 504 : result.kind === 'unavailable' ? 503 : 500);
    }
  }

  #failed(handshake: Callback, result: Extract<CallResult, { kind: 'failed' }>): void {
    const { error } = result;
    const place = parameterInError(error);
    // A text of the client's that is none of the parameter's type: there is nothing at that path.
    if (place !== null && typeof handshake.arguments[place - 1] === 'object') {
      this.#refuse(404);
      return;
    }
    const asked = askedStatus(error.code);
    if (asked === null || asked >= 500) this.#socket.observe(handshake.name, result);
    if (asked === null) {
      this.#refuse(500);
      return;
    }
    answerAsked(this.#exchange, asked, error.message);
    this.#socket.leaveUnopened();
  }

  #answer(routed: RoutedWebSocket, bytes: Buffer | null): void {
    const exchange = this.#exchange;
    if (bytes === null) {
      this.#refuse(403);
      return;
    }
    const outcome = decodeOutcome(bytes);
    if (outcome.kind === 'event-stream' && this.#catalog.options.events !== undefined) {
      if (isForeign(exchange, outcome.stream.fields)) this.#refuse(403);
      else this.#accept(routed, outcome.stream);
      return;
    }
    if (outcome.kind === 'response') exchange.respond(outcome.response);
    else if (outcome.kind === 'abort') exchange.abort();
    else {
      const message =
        outcome.kind === 'invalid' ? outcome.reason : `a handshake cannot be answered with ${outcome.kind}`;
      this.#socket.observeFailure(routed.application.handshake.name, message);
      exchange.fail(500);
    }
    this.#socket.leaveUnopened();
  }

  #accept({ application, groups }: RoutedWebSocket, stream: StreamOutcome | null): void {
    if (this.#exchange.closed) return;
    this.#socket.prepare(application, groups, stream);
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
