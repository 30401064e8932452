// The way from HTTP/1.1 in clear to HTTP/2 by `Upgrade: h2c` (RFC 7540 §3.2; RFC 9113 has taken it out, curl and nghttp still
// use it): whether a request asks for it, and what that request is as stream 1.
import { getFieldValues, type FieldLines } from '../protocol/http/field-lines.ts';
import type { RequestHead } from '../protocol/http/request-head.ts';
import type { Http1RequestHead } from '../protocol/http1/request-head.ts';
import type { ConnectionInfo } from './stream-handler.ts';

/** A head as a stream of HTTP/2 has it. */
export interface ChannelHead extends RequestHead {
  /** Of extended CONNECT (RFC 8441 §4); null for everything else. */
  readonly protocol: string | null;
}

export interface H2cUpgrade {
  readonly head: ChannelHead;
  /** Payload of the SETTINGS frame that the request stands for. */
  readonly settings: Buffer;
}

export const SWITCH_TO_H2C = Buffer.from(
  'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n',
  'latin1',
);

/** One setting in a SETTINGS frame (RFC 9113 §6.5.1). */
const SETTING_BYTES = 6;

/** base64url without padding (RFC 7540 §3.2.1). */
const BASE64URL = /^[\w-]*$/;

/**
 * What a request asks for; null: it does not, or not as it must, and is an ordinary request (RFC 9110 §7.8). One with a body
 * is too: nothing is lost by that, and its body need not be kept. So is one over TLS, where ALPN chooses.
 */
export function h2cUpgrade(head: Http1RequestHead, { scheme }: ConnectionInfo): H2cUpgrade | null {
  const { upgrade } = head;
  if (upgrade === null || head.hasBody || scheme === 'https') return null;
  const protocols = upgrade.toLowerCase().split(',');
  if (!protocols.some((protocol) => protocol.trim() === 'h2c')) return null;
  const [value, ...others] = getFieldValues(head.fields, 'http2-settings');
  if (value === undefined || others.length > 0 || !BASE64URL.test(value)) return null;
  if (!head.connectionOptions.includes('http2-settings')) return null;
  const settings = Buffer.from(value, 'base64url');
  return settings.length % SETTING_BYTES === 0 ? { head: new UpgradedHead(head), settings } : null;
}

/** The fields that were about the connection are done with. */
const SPENT = new Set(['connection', 'upgrade', 'http2-settings']);

class UpgradedHead implements ChannelHead {
  readonly method: string;
  readonly authority: string;
  readonly path: string;
  readonly query: string | null;
  /** What it came in, which the answer does not go out in. */
  readonly version: '1.0' | '1.1';
  readonly fields: FieldLines;
  readonly hasBody = false;
  readonly contentLength = 0;
  readonly expectContinue = false;
  readonly protocol = null;

  constructor(head: Http1RequestHead) {
    this.method = head.method;
    this.authority = head.authority;
    this.path = head.path;
    this.query = head.query;
    this.version = head.version;
    const fields: string[] = [];
    for (let i = 0; i + 1 < head.fields.length; i += 2) {
      const [name = '', value = ''] = [head.fields[i], head.fields[i + 1]];
      if (!SPENT.has(name)) fields.push(name, value);
    }
    this.fields = fields;
  }
}
