// WebSockets for handlers in TypeScript: answers the handshake of an exchange and gives the connection to a handler.
import type { Exchange } from './exchange.ts';
import type { WebSocketHandler } from '../server/websocket-connection.ts';
import {
  chooseSubprotocol,
  switchToWebSocket,
  webSocketOffer,
  type HandshakeRefusal,
} from '../server/websocket-handshake.ts';
import { webSocketOptions, type WebSocketOptions } from '../server/websocket-options.ts';

export type {
  WebSocketConnection,
  WebSocketHandler,
  WebSocketMessage,
} from '../server/websocket-connection.ts';
export type { WebSocketOptions } from '../server/websocket-options.ts';

export interface AcceptOptions extends Partial<WebSocketOptions> {
  /** Those that the handler speaks; of the client's list, the first that is among them is chosen. Default none. */
  readonly subprotocols?: readonly string[];
}

/**
 * Makes the exchange a WebSocket, over HTTP/1.1 or HTTP/2. False, and nothing is answered, where the request asks for none; a
 * handshake that is malformed is answered with 400 or 426. Whether to accept (origin, cookies) is the caller's decision before.
 */
export function acceptWebSocket(
  exchange: Exchange,
  handler: WebSocketHandler,
  options: AcceptOptions = {},
): boolean {
  const offer = webSocketOffer(exchange.head);
  if (offer === null) return false;
  if (offer.kind === 'refusal') {
    refuseHandshake(exchange, offer);
    return true;
  }
  const subprotocol = chooseSubprotocol(offer.subprotocols, options.subprotocols ?? []);
  exchange.switchProtocol(switchToWebSocket(offer, subprotocol, handler, webSocketOptions(options)));
  return true;
}

/** Answers a handshake that is none. */
export function refuseHandshake(exchange: Exchange, { status, fields, reason }: HandshakeRefusal): void {
  const contentType = ['content-type', 'text/plain; charset=utf-8'];
  exchange.respond({ status, fields: [...fields, ...contentType], body: `${status} ${reason}\n` });
}
