// The opening handshake of WebSockets as the server offers it to applications, the same over HTTP/1.1 and HTTP/2. Its rules
// are protocol/websocket/handshake.ts; what is spoken afterwards is websocket-connection.ts.
import { createHash } from 'node:crypto';
import type { FieldLines } from '../protocol/http/field-lines.ts';
import type { RequestHead } from '../protocol/http/request-head.ts';
import type { Http2RequestHead } from '../protocol/http2/head-builder.ts';
import {
  acceptHandshake,
  isUpgradeToWebSocket,
  parseExtendedConnect,
  parseUpgrade,
  type HandshakeOffer,
  type HandshakeRefusal,
} from '../protocol/websocket/handshake.ts';
import type { TakeOver } from './byte-duplex.ts';
import { WebSocketConnection, type WebSocketHandler } from './websocket-connection.ts';
import { isDeflateAvailable, ZlibDeflateCodec } from './websocket-deflate.ts';
import type { WebSocketOptions } from './websocket-options.ts';

export type { HandshakeOffer, HandshakeRefusal } from '../protocol/websocket/handshake.ts';
export { chooseSubprotocol } from '../protocol/websocket/handshake.ts';

/** What an exchange is switched to. */
export interface ProtocolSwitch {
  /** Value of `upgrade`. */
  readonly protocol: string;
  readonly fields: FieldLines;
  readonly takeOver: TakeOver;
}

const DEFLATE_AVAILABLE = isDeflateAvailable();

/**
 * What the request asks for: an offer to be accepted or not; a refusal, which says how to answer a handshake that is none;
 * null for any other request. One by a method other than GET is no handshake over HTTP/1.1: who ignores `upgrade` may serve it.
 */
export function webSocketOffer(head: RequestHead): HandshakeOffer | HandshakeRefusal | null {
  if (head.method === 'GET') return isUpgradeToWebSocket(head) ? parseUpgrade(head) : null;
  if (head.method !== 'CONNECT' || !isExtendedConnect(head)) return null;
  return head.protocol?.toLowerCase() === 'websocket' ? parseExtendedConnect(head) : null;
}

/** Accepts an offer. `subprotocol` is one of those offered, or null; throws for another one. */
export function switchToWebSocket(
  offer: HandshakeOffer,
  subprotocol: string | null,
  handler: WebSocketHandler,
  options: WebSocketOptions,
): ProtocolSwitch {
  const policy = DEFLATE_AVAILABLE ? options.deflatePolicy : null;
  const { fields, deflate } = acceptHandshake(offer, subprotocol, policy, sha1Base64);
  return {
    protocol: 'websocket',
    fields,
    takeOver(bytes) {
      const codec = deflate === null ? null : new ZlibDeflateCodec(deflate, options.deflate);
      return new WebSocketConnection(bytes, codec, handler, options);
    },
  };
}

function isExtendedConnect(head: RequestHead): head is Http2RequestHead {
  return head.version === '2' && 'protocol' in head;
}

function sha1Base64(text: string): string {
  return createHash('sha1').update(text, 'latin1').digest('base64');
}
