// The structured fields of a request as values. What parses them is protocol/http/, and the `structured-headers` package for
// those of RFC 9651.
import {
  parseDictionary,
  parseItem,
  parseList as parseStructuredList,
  type Dictionary,
  type Item,
  type List,
} from 'structured-headers';
import { HowdahError } from '../errors.ts';
import { parseRange } from '../protocol/http/byte-ranges.ts';
import { basicCredentials, parseCredentials } from '../protocol/http/credentials.ts';
import { parseCacheControl, parseForwarded, parsePrefer } from '../protocol/http/directives.ts';
import { parseEntityTag, parseEntityTags } from '../protocol/http/entity-tag.ts';
import { parseTokens } from '../protocol/http/field-scanner.ts';
import { parseDecimal } from '../protocol/http/grammar.ts';
import { parseHttpDate } from '../protocol/http/http-date.ts';
import { parseAccept, parseMediaType } from '../protocol/http/media-type.ts';
import { parseWeighted } from '../protocol/http/weighted.ts';

const date = (text: string): Date | null => {
  const ms = parseHttpDate(text);
  return ms === null ? null : new Date(ms);
};
const credentials = (text: string) => {
  const parsed = parseCredentials(text);
  return parsed === null ? null : { ...parsed, basic: basicCredentials(parsed) };
};
const texts = (text: string): string[] =>
  text
    .split(',')
    .map((element) => element.trim())
    .filter((element) => element !== '');

/** By name, in lower case; null from a parser: the field is malformed. */
const PARSERS = {
  accept: parseAccept,
  'accept-charset': parseWeighted,
  'accept-encoding': parseWeighted,
  'accept-language': parseWeighted,
  'access-control-request-headers': parseTokens,
  'access-control-request-method': (text: string) => (/^[\w!#$%&'*+.^`|~-]+$/.test(text) ? text : null),
  authorization: credentials,
  'proxy-authorization': credentials,
  'cache-control': parseCacheControl,
  'content-encoding': parseTokens,
  'content-language': parseTokens,
  'content-length': parseDecimal,
  'content-type': parseMediaType,
  date,
  expect: (text: string) => (text.toLowerCase() === '100-continue' ? '100-continue' : null),
  forwarded: parseForwarded,
  'if-match': parseEntityTags,
  'if-none-match': parseEntityTags,
  'if-modified-since': date,
  'if-unmodified-since': date,
  'if-range': (text: string) => parseEntityTag(text) ?? date(text),
  'max-forwards': parseDecimal,
  origin: (text: string) => (text === 'null' || URL.parse(text)?.origin === text ? text : null),
  prefer: parsePrefer,
  priority: structured(parseDictionary),
  range: parseRange,
  te: parseWeighted,
  via: texts,
  'x-forwarded-for': texts,
} as const;

type Parsers = typeof PARSERS;
/** The fields that parseField() knows. */
export type ParsedFieldName = keyof Parsers;
/** What parseField() gives for a field. */
export type ParsedField<N extends ParsedFieldName> = NonNullable<ReturnType<Parsers[N]>>;

/**
 * The value of a field of a request; undefined where it is not there.
 * @throws HowdahError HOWDAH_BAD_FIELD (400) where it is malformed
 * @throws TypeError for a name without a parser
 */
export function parseField<N extends ParsedFieldName>(
  request: Pick<Request, 'headers'>,
  name: N,
): ParsedField<N> | undefined {
  const parse = (PARSERS as Readonly<Record<string, (text: string) => unknown>>)[name];
  if (parse === undefined || !Object.hasOwn(PARSERS, name))
    throw new TypeError(`parseField(): ${name} has no parser`);
  const text = request.headers.get(name);
  if (text === null) return undefined;
  const value = parse(text);
  if (value === null) throw new HowdahError('HOWDAH_BAD_FIELD', name);
  return value as ParsedField<N>;
}

const STRUCTURED = { dictionary: parseDictionary, list: parseStructuredList, item: parseItem } as const;
interface StructuredTypes {
  readonly dictionary: Dictionary;
  readonly list: List;
  readonly item: Item;
}

/** A structured field (RFC 9651) of any name; undefined where it is not there. @throws HowdahError HOWDAH_BAD_FIELD (400) */
export function parseStructured<K extends keyof StructuredTypes>(
  request: Pick<Request, 'headers'>,
  name: string,
  kind: K,
): StructuredTypes[K] | undefined {
  const text = request.headers.get(name);
  if (text === null) return undefined;
  const value = structured<unknown>(STRUCTURED[kind])(text);
  if (value === null) throw new HowdahError('HOWDAH_BAD_FIELD', name);
  return value as StructuredTypes[K];
}

function structured<T>(parse: (text: string) => T): (text: string) => T | null {
  return (text) => {
    try {
      return parse(text);
    } catch {
      return null;
    }
  };
}
