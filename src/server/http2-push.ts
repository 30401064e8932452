// What a server promises to answer unasked (RFC 9113 §8.4): the request that it makes up, as the client is told of it and as the
// handlers see it. Not how the promise is sent: protocol/http2.
import { hasField, type FieldLines } from '../protocol/http/field-lines.ts';
import { isInClass, TARGET } from '../protocol/http/grammar.ts';
import type { PushedRequest } from '../protocol/http2/sender.ts';
import type { ChannelHead } from './h2c-upgrade.ts';

/** Fields that would make the request one with content, which must not be promised (RFC 9113 §8.4). */
const CONTENT_FIELDS = ['content-length', 'content-type', 'expect'];

/**
 * A GET of `path` (with its query) at the authority of the request that it is pushed with: for that alone the server is known
 * to speak. null: such a request must not be promised.
 */
export function pushedRequest(
  path: string,
  fields: FieldLines,
  authority: string,
  scheme: 'http' | 'https',
): PushedRequest | null {
  if (authority === '' || !path.startsWith('/')) return null;
  for (let i = 1; i < path.length; i += 1) if (!isInClass(path, i, TARGET)) return null;
  const lines = fields.map((text, i) => (i % 2 === 0 ? text.toLowerCase() : text));
  if (CONTENT_FIELDS.some((name) => hasField(lines, name))) return null;
  for (let i = 0; i < lines.length; i += 2) if (lines[i]?.startsWith(':') === true) return null;
  return { method: 'GET', scheme, authority, path, fields: lines };
}

/** The promised request as a stream has it. */
export function pushedHead({ method, authority, path, fields }: PushedRequest): ChannelHead {
  const at = path.indexOf('?');
  return {
    method,
    authority,
    path: at === -1 ? path : path.slice(0, at),
    query: at === -1 ? null : path.slice(at + 1),
    version: '2',
    fields: [...fields, 'host', authority],
    hasBody: false,
    contentLength: 0,
    expectContinue: false,
    protocol: null,
  };
}
