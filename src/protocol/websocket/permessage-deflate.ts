// Negotiates permessage-deflate (RFC 7692 §5, §7.1). Does not compress: that is a DeflateCodec.
import type { ExtensionOffer } from './extension-offers.ts';

/** What was agreed on, and so what a codec is made for. */
export interface DeflateParameters {
  /** The server compresses each message without what it sent before. */
  readonly serverNoContextTakeover: boolean;
  /** The client does. */
  readonly clientNoContextTakeover: boolean;
  /** Base-2 logarithm of the window that the server compresses with: 9 to 15. */
  readonly serverMaxWindowBits: number;
  /** The same for the client: 8 to 15. */
  readonly clientMaxWindowBits: number;
}

/** What this server wants: as DeflateParameters. A client that did not offer client_max_window_bits may use 15. */
export type DeflatePolicy = DeflateParameters;

/**
 * Source: the defaults of the `websockets` package for Python, 12 bits both ways: most messages are short, and a window of 15 bits
 * would take some 300 KB of every connection.
 */
export const DEFAULT_DEFLATE_POLICY: DeflatePolicy = Object.freeze({
  serverNoContextTakeover: false,
  clientNoContextTakeover: false,
  serverMaxWindowBits: 12,
  clientMaxWindowBits: 12,
});

export interface AgreedDeflate {
  readonly parameters: DeflateParameters;
  /** The element of Sec-WebSocket-Extensions that accepts the offer. */
  readonly response: string;
}

const PERMESSAGE_DEFLATE = 'permessage-deflate';

const SERVER_NO_TAKEOVER = 'server_no_context_takeover';
const CLIENT_NO_TAKEOVER = 'client_no_context_takeover';
const SERVER_BITS = 'server_max_window_bits';
const CLIENT_BITS = 'client_max_window_bits';

/** zlib cannot make raw DEFLATE data for a window of 8 bits. */
const MIN_SERVER_BITS = 9;
const MIN_BITS = 8;
const MAX_BITS = 15;
/** §7.1.2: decimal, without leading zeros, 8 to 15. */
const BITS = /^(?:[89]|1[0-5])$/;

/** Accepts the first offer that can be; null where there is none (§5.1: the extension is then not used). Throws a RangeError for a bad policy. */
export function negotiateDeflate(
  offers: readonly ExtensionOffer[],
  policy: DeflatePolicy,
): AgreedDeflate | null {
  assertBits(policy.serverMaxWindowBits, MIN_SERVER_BITS);
  assertBits(policy.clientMaxWindowBits, MIN_BITS);
  for (const offer of offers) {
    const agreed = offer.name === PERMESSAGE_DEFLATE ? answerOffer(offer, policy) : null;
    if (agreed !== null) return agreed;
  }
  return null;
}

function answerOffer(offer: ExtensionOffer, policy: DeflatePolicy): AgreedDeflate | null {
  const asked = readParameters(offer);
  if (asked === null) return null;
  const askedServerBits = Number(asked.get(SERVER_BITS) ?? MAX_BITS);
  if (askedServerBits < MIN_SERVER_BITS) return null;
  const serverNoContextTakeover = asked.has(SERVER_NO_TAKEOVER) || policy.serverNoContextTakeover;
  // A hint of the client (§7.1.1.2); following it costs nothing, since then we need not keep a window either.
  const clientNoContextTakeover = asked.has(CLIENT_NO_TAKEOVER) || policy.clientNoContextTakeover;
  const serverMaxWindowBits = Math.min(askedServerBits, policy.serverMaxWindowBits);
  // §7.1.2.2: a client that does not know the parameter must not be sent it; a value is the most it will use.
  const clientMaxWindowBits = asked.has(CLIENT_BITS)
    ? Math.min(Number(asked.get(CLIENT_BITS) ?? MAX_BITS), policy.clientMaxWindowBits)
    : MAX_BITS;
  let response = PERMESSAGE_DEFLATE;
  if (serverNoContextTakeover) response += `; ${SERVER_NO_TAKEOVER}`;
  if (clientNoContextTakeover) response += `; ${CLIENT_NO_TAKEOVER}`;
  // §7.1.2.1: what was asked for must be confirmed, and a smaller window may be told unasked.
  if (asked.has(SERVER_BITS) || serverMaxWindowBits < MAX_BITS) {
    response += `; ${SERVER_BITS}=${serverMaxWindowBits}`;
  }
  if (clientMaxWindowBits < MAX_BITS) response += `; ${CLIENT_BITS}=${clientMaxWindowBits}`;
  return {
    parameters: {
      serverNoContextTakeover,
      clientNoContextTakeover,
      serverMaxWindowBits,
      clientMaxWindowBits,
    },
    response,
  };
}

/** The parameters by name; null where §7.1 has the offer declined: an unknown one, a repeated one, a value that may not be. */
function readParameters(offer: ExtensionOffer): ReadonlyMap<string, string | null> | null {
  const asked = new Map<string, string | null>();
  for (const { name, value } of offer.parameters) {
    if (asked.has(name) || !isParameter(name, value)) return null;
    asked.set(name, value);
  }
  return asked;
}

function isParameter(name: string, value: string | null): boolean {
  switch (name) {
    case SERVER_NO_TAKEOVER:
    case CLIENT_NO_TAKEOVER:
      return value === null;
    case SERVER_BITS:
      return value !== null && BITS.test(value);
    case CLIENT_BITS:
      return value === null || BITS.test(value);
    default:
      return false;
  }
}

function assertBits(bits: number, least: number): void {
  if (!Number.isInteger(bits) || bits < least || bits > MAX_BITS) {
    throw new RangeError(`window bits must be from ${least} to ${MAX_BITS}`);
  }
}
