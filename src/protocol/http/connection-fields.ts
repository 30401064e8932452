// Which fields speak of a connection or of the framing on it and so end at each hop (RFC 9110 §7.6.1), and which may not
// stand in a trailer section (§6.5.1), or come from a client at all (RFC 9440). Names are lower case throughout.
import type { FieldLines } from './field-lines.ts';

const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

/** Whether the field is the engine's own: an application neither sends nor forwards it. `trailer` is not among them. */
export function isConnectionField(name: string): boolean {
  return CONNECTION_FIELDS.has(name);
}

/**
 * Fields in which a server that ends TLS says what certificate its client has shown. One that a client has sent is a lie, and is dropped
 * (RFC 9440 §2.4).
 */
const CERTIFICATE_FIELDS: ReadonlySet<string> = new Set(['client-cert', 'client-cert-chain']);

/** Whether what a client sends under the name must not be believed, so that nobody is shown it. */
export function isCertificateField(name: string): boolean {
  return CERTIFICATE_FIELDS.has(name);
}

/** The names (connection options) in all `connection` fields: these fields too are for one hop (RFC 9110 §7.6.1). */
export function namesInConnection(fields: FieldLines): ReadonlySet<string> {
  let names: Set<string> | null = null;
  for (let i = 0; i < fields.length; i += 2) {
    const value = fields[i + 1];
    if (fields[i] !== 'connection' || value === undefined) continue;
    names ??= new Set();
    for (const element of value.split(',')) {
      const name = element.trim().toLowerCase();
      if (name !== '') names.add(name);
    }
  }
  return names ?? NO_NAMES;
}

const NO_NAMES: ReadonlySet<string> = new Set();

const NOT_IN_TRAILERS: ReadonlySet<string> = new Set([
  // Framing and routing: would be read by someone else as belonging to the head (smuggling).
  ...CONNECTION_FIELDS,
  ...CERTIFICATE_FIELDS,
  'content-length',
  'host',
  'trailer',
  // Request modifiers: decided on before the trailers come.
  'cache-control',
  'expect',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'max-forwards',
  'pragma',
  'range',
  // Authentication and state.
  'authorization',
  'cookie',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'authentication-info',
  'set-cookie',
  'www-authenticate',
  // Response control data.
  'age',
  'date',
  'expires',
  'location',
  'retry-after',
  'vary',
]);

/** Whether RFC 9110 §6.5.1 keeps the field out of a trailer section. All `content-…` fields say how to read what is past by then. */
export function isForbiddenInTrailers(name: string): boolean {
  return NOT_IN_TRAILERS.has(name) || name.startsWith('content-');
}
