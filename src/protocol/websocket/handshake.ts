// The opening handshake of a server: what a request asks for, and the head that accepts it (RFC 6455 §4.2; over HTTP/2 RFC 8441 §5).
// Not the decision: whether to accept (origin, path, authentication) is the application's.
import { type FieldLines, getFieldValues, hasField } from '../http/field-lines.ts';
import { namesInConnection } from '../http/connection-fields.ts';
import type { RequestHead } from '../http/request-head.ts';
import { type ExtensionOffer, parseExtensionOffers, parseSubprotocols } from './extension-offers.ts';
import { type DeflateParameters, type DeflatePolicy, negotiateDeflate } from './permessage-deflate.ts';

/** What a client asks for. */
export interface HandshakeOffer {
  readonly kind: 'offer';
  /** Sec-WebSocket-Key; null over HTTP/2, which needs none. */
  readonly key: string | null;
  /** In the order of the client's preference. */
  readonly subprotocols: readonly string[];
  readonly extensions: readonly ExtensionOffer[];
}

/** The request is no valid handshake; the response that says so. */
export interface HandshakeRefusal {
  readonly kind: 'refusal';
  /** 400, 405 or 426. */
  readonly status: number;
  readonly fields: FieldLines;
  /** One sentence without user input. */
  readonly reason: string;
}

export interface AcceptedHandshake {
  /** 101, or 200 over HTTP/2. */
  readonly status: number;
  readonly fields: FieldLines;
  readonly subprotocol: string | null;
  /** null: messages are not compressed. */
  readonly deflate: DeflateParameters | null;
}

/** SHA-1 of the latin1 text, in base64. */
export type Sha1Base64 = (text: string) => string;

/** RFC 6455 §1.3. */
const KEY_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** 16 bytes in base64: the last character has but two bits that count. */
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/;
const VERSION = '13';
const VERSION_FIELD: FieldLines = ['sec-websocket-version', VERSION];

/** Whether the request asks to become a WebSocket: to be served as any other where it does not. Over HTTP/1.0 none does (RFC 9110 §7.8). */
export function isUpgradeToWebSocket(head: RequestHead): boolean {
  if (head.version !== '1.1' || !hasField(head.fields, 'upgrade')) return false;
  return (
    listed(head.fields, 'upgrade').some((protocol) => protocol.toLowerCase() === 'websocket') &&
    namesInConnection(head.fields).has('upgrade')
  );
}

/** The offer of an HTTP/1.1 request for which isUpgradeToWebSocket holds (RFC 6455 §4.2.1). */
export function parseUpgrade(head: RequestHead): HandshakeOffer | HandshakeRefusal {
  const { fields } = head;
  if (head.method !== 'GET') return refuse('the method of a handshake is GET', 405, ['allow', 'GET']);
  // Where the frames begin must not depend on who reads the body.
  if (head.hasBody) return refuse('a handshake has no body');
  const versions = getFieldValues(fields, 'sec-websocket-version');
  if (versions.length > 1) return refuse('Sec-WebSocket-Version is repeated');
  if (versions[0] !== VERSION) {
    // RFC 6455 §4.4; RFC 9110 §15.5.22 has a 426 name the protocol.
    const upgrade = ['upgrade', 'websocket', 'connection', 'upgrade', ...VERSION_FIELD];
    return refuse(`only version ${VERSION} is spoken`, 426, upgrade);
  }
  const [key, ...otherKeys] = getFieldValues(fields, 'sec-websocket-key');
  if (key === undefined || otherKeys.length > 0 || !KEY.test(key)) {
    return refuse('Sec-WebSocket-Key is not one base64 text of 16 bytes');
  }
  return parseOffer(fields, key);
}

/** The offer of an HTTP/2 CONNECT request whose `:protocol` is websocket (RFC 8441 §5). */
export function parseExtendedConnect(head: RequestHead): HandshakeOffer | HandshakeRefusal {
  const { fields } = head;
  const versions = getFieldValues(fields, 'sec-websocket-version');
  // HTTP/2 has no 426: it has no Upgrade field that could go with it.
  if (versions.length !== 1 || versions[0] !== VERSION) {
    return refuse(`only version ${VERSION} is spoken`, 400, VERSION_FIELD);
  }
  return parseOffer(fields, null);
}

/** The first subprotocol in the client's order that the server speaks; null where there is none. */
export function chooseSubprotocol(offered: readonly string[], spoken: readonly string[]): string | null {
  return offered.find((name) => spoken.includes(name)) ?? null;
}

/**
 * The head that accepts the offer (RFC 6455 §4.2.2). `subprotocol` is one of those offered, or null: none; another one throws. `policy`
 * null: no compression.
 */
export function acceptHandshake(
  offer: HandshakeOffer,
  subprotocol: string | null,
  policy: DeflatePolicy | null,
  sha1Base64: Sha1Base64,
): AcceptedHandshake {
  if (subprotocol !== null && !offer.subprotocols.includes(subprotocol)) {
    throw new Error('the client did not offer this subprotocol');
  }
  const fields: string[] = [];
  if (offer.key !== null) {
    fields.push('upgrade', 'websocket', 'connection', 'upgrade');
    fields.push('sec-websocket-accept', sha1Base64(offer.key + KEY_SUFFIX));
  }
  if (subprotocol !== null) fields.push('sec-websocket-protocol', subprotocol);
  const agreed = policy === null ? null : negotiateDeflate(offer.extensions, policy);
  if (agreed !== null) fields.push('sec-websocket-extensions', agreed.response);
  return {
    status: offer.key === null ? 200 : 101,
    fields,
    subprotocol,
    deflate: agreed === null ? null : agreed.parameters,
  };
}

function parseOffer(fields: FieldLines, key: string | null): HandshakeOffer | HandshakeRefusal {
  const subprotocols = parseSubprotocols(joined(fields, 'sec-websocket-protocol'));
  if (subprotocols === null) return refuse('Sec-WebSocket-Protocol is no list of different tokens');
  const extensions = parseExtensionOffers(joined(fields, 'sec-websocket-extensions'));
  if (extensions === null) return refuse('Sec-WebSocket-Extensions is malformed');
  return { kind: 'offer', key, subprotocols, extensions };
}

function refuse(reason: string, status = 400, fields: FieldLines = []): HandshakeRefusal {
  return { kind: 'refusal', status, fields, reason };
}

const joined = (fields: FieldLines, name: string): string => getFieldValues(fields, name).join(',');

const listed = (fields: FieldLines, name: string): string[] =>
  joined(fields, name)
    .split(',')
    .map((element) => element.trim());
