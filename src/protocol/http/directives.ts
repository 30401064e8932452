// Fields that are lists of names with values: Cache-Control (RFC 9111 §5.2), Prefer (RFC 7240), Forwarded (RFC 7239). Not what
// the names mean.
import { parseList, type FieldScanner } from './field-scanner.ts';

/**
 * Cache-Control: names in lower case, with the value, or an empty text where there is none. Of one that is repeated, the first.
 * Null where the field is malformed.
 */
export function parseCacheControl(text: string): ReadonlyMap<string, string> | null {
  const directives = parseList(text, takeNameAndValue);
  return directives === null ? null : firstOfEach(directives);
}

export interface Preference {
  /** Empty where there is none. */
  readonly value: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** Prefer (RFC 7240 §2): names in lower case. Of one that is repeated, the first. Null where the field is malformed. */
export function parsePrefer(text: string): ReadonlyMap<string, Preference> | null {
  const preferences = parseList(text, (scanner): [string, Preference] | null => {
    const pair = takeNameAndValue(scanner);
    if (pair === null) return null;
    const parameters = new Map<string, string>();
    for (;;) {
      scanner.skipSpace();
      if (!scanner.eat(';')) return [pair[0], { value: pair[1], parameters }];
      scanner.skipSpace();
      const parameter = takeNameAndValue(scanner);
      if (parameter === null) return null;
      if (!parameters.has(parameter[0])) parameters.set(...parameter);
    }
  });
  return preferences === null ? null : firstOfEach(preferences);
}

/** What one proxy says (RFC 7239 §4): `for`, `by`, `host`, `proto` and others, names in lower case. */
export type ForwardedElement = ReadonlyMap<string, string>;

/** Forwarded: the first element is of the proxy nearest to the client, as far as that is honest. Null where it is malformed. */
export function parseForwarded(text: string): ForwardedElement[] | null {
  return parseList(text, (scanner) => {
    const pairs = new Map<string, string>();
    for (;;) {
      const name = scanner.token().toLowerCase();
      if (name === '' || !scanner.eat('=') || pairs.has(name)) return null;
      const value = scanner.tokenOrQuoted();
      if (value === null) return null;
      pairs.set(name, value);
      scanner.skipSpace();
      if (!scanner.eat(';')) return pairs;
      scanner.skipSpace();
    }
  });
}

/** `name [ "=" value ]`, white space around `=` allowed as RFC 7240 does. */
function takeNameAndValue(scanner: FieldScanner): [name: string, value: string] | null {
  const name = scanner.token().toLowerCase();
  if (name === '') return null;
  const before = scanner.at;
  scanner.skipSpace();
  if (!scanner.eat('=')) {
    scanner.at = before;
    return [name, ''];
  }
  scanner.skipSpace();
  const value = scanner.tokenOrQuoted();
  return value === null ? null : [name, value];
}

function firstOfEach<T>(pairs: readonly (readonly [string, T])[]): ReadonlyMap<string, T> {
  const map = new Map<string, T>();
  for (const [name, value] of pairs) if (!map.has(name)) map.set(name, value);
  return map;
}
