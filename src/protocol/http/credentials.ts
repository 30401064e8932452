// Credentials (RFC 9110 §11.4): Authorization and Proxy-Authorization. Checks none.
import { FieldScanner, parseList } from './field-scanner.ts';

export interface Credentials {
  /** In lower case: basic, bearer, digest … */
  readonly scheme: string;
  /** What follows as one piece (token68), as sent; empty where parameters do. */
  readonly token: string;
  /** Names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

export interface BasicCredentials {
  readonly user: string;
  readonly password: string;
}

const TOKEN_68 = /^[\w.~+/-]+=*$/;

/** Null where the field is malformed. */
export function parseCredentials(text: string): Credentials | null {
  const scanner = new FieldScanner(text);
  scanner.skipSpace();
  const scheme = scanner.token().toLowerCase();
  if (scheme === '') return null;
  const rest = text.slice(scanner.at);
  const given = rest.trim();
  if (given === '') return { scheme, token: '', parameters: new Map() };
  if (!rest.startsWith(' ')) return null;
  if (TOKEN_68.test(given)) return { scheme, token: given, parameters: new Map() };
  const pairs = parseList(given, (parameter): [string, string] | null => {
    const name = parameter.token().toLowerCase();
    parameter.skipSpace();
    if (name === '' || !parameter.eat('=')) return null;
    parameter.skipSpace();
    const value = parameter.tokenOrQuoted();
    return value === null ? null : [name, value];
  });
  if (pairs === null) return null;
  const parameters = new Map(pairs);
  return parameters.size === pairs.length ? { scheme, token: '', parameters } : null;
}

const BASE_64 = /^[A-Za-z0-9+/]*={0,2}$/;
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROLS = /[\x00-\x1f\x7f]/;

/** User and password of the scheme Basic (RFC 7617), UTF-8; null where the credentials are others, or malformed. */
export function basicCredentials({ scheme, token }: Credentials): BasicCredentials | null {
  if (scheme !== 'basic' || !BASE_64.test(token)) return null;
  const bytes = Buffer.from(token, 'base64');
  const text = bytes.toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0 || CONTROLS.test(text) || !Buffer.from(text).equals(bytes)) return null;
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}
