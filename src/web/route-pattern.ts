// The text of a route's pattern, 'GET /users/:id' or 'https://:tenant.example.com/…': taken apart here, its groups named in
// the type system too. What a pattern matches is URLPattern's matter (url-pattern.ts).
import type { ConstraintValue, Constraints } from './constraint.ts';
import type { UrlPatternParts } from './url-pattern.ts';

export interface RoutePattern {
  /** null: every method. */
  readonly methods: readonly string[] | null;
  readonly parts: UrlPatternParts;
}

const METHODS = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:,[!#$%&'*+\-.^_`|~0-9A-Za-z]+)*) +(?=\S)/;

/**
 * `[METHOD[,METHOD…] ]PATH` or `[METHOD… ]URL`, where PATH begins with `/` or is `*`, and URL with a scheme and `://` or with `//`
 * (any scheme). A URL without a port matches every port. `?` in a PATH is a modifier: for the query there is the option `search`.
 * @throws TypeError that says what is wrong
 */
export function parseRoutePattern(text: string, search?: string): RoutePattern {
  const named = METHODS.exec(text);
  const rest = named === null ? text.trim() : text.slice(named[0].length).trim();
  const methods = named?.[1]?.split(',') ?? null;
  const wrong = methods?.find((method) => method !== method.toUpperCase());
  if (wrong !== undefined) {
    throw new TypeError(`route ${JSON.stringify(text)}: the method is written ${wrong.toUpperCase()}`);
  }
  return { methods, parts: { ...urlParts(text, rest), ...(search === undefined ? {} : { search }) } };
}

function urlParts(text: string, rest: string): UrlPatternParts {
  if (rest === '*') return { pathname: '/*' };
  if (rest.startsWith('//')) return partsOfUrl(text, `http{s}?:${rest}`);
  if (rest.startsWith('/')) return { pathname: rest };
  if (/^[^/]*:\/\//.test(rest)) return partsOfUrl(text, rest);
  throw new TypeError(
    `route ${JSON.stringify(text)}: a pattern is a path that begins with /, or a URL, after the method if there is one`,
  );
}

function partsOfUrl(text: string, url: string): UrlPatternParts {
  let pattern: URLPattern;
  try {
    pattern = new URLPattern(url);
  } catch (error) {
    throw new TypeError(`route ${JSON.stringify(text)}: not a valid URL pattern`, { cause: error });
  }
  const { protocol, hostname, port, pathname, search } = pattern;
  if (!/^\d*$|^\*$/.test(port)) {
    throw new TypeError(`route ${JSON.stringify(text)}: the port is a number, or left out for every port`);
  }
  return {
    protocol,
    hostname,
    pathname,
    search,
    ...(port === '' || port === '*' ? {} : { port: Number(port) }),
  };
}

const GROUP_NAME = /[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*/uy;

/** The names of a pattern's groups: those with a name, and `0`, `1` … for the others. */
export function groupNames(parts: UrlPatternParts): ReadonlySet<string> {
  const names = new Set<string>();
  let unnamed = 0;
  for (const text of [parts.protocol, parts.hostname, parts.pathname, parts.search]) {
    if (text === undefined) continue;
    unnamed = 0;
    for (let at = 0; at < text.length; at++) {
      const character = text[at];
      if (character === '\\') {
        at++;
      } else if (character === ':') {
        GROUP_NAME.lastIndex = at + 1;
        const name = GROUP_NAME.exec(text)?.[0];
        if (name === undefined) continue;
        names.add(name);
        at += name.length;
        if (text[at + 1] === '(') at = endOfExpression(text, at + 1);
        if (text[at + 1] === '*') at++;
      } else if (character === '(') {
        names.add(String(unnamed++));
        at = endOfExpression(text, at);
        if (text[at + 1] === '*') at++;
      } else if (character === '*' && text[at - 1] !== '}') {
        names.add(String(unnamed++));
      }
    }
  }
  return names;
}

/** The index of the `)` that closes the group at `start`. */
function endOfExpression(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '(') depth++;
    else if (text[at] === ')' && --depth === 0) return at;
  }
  return text.length;
}

// --- the same in the type system ---

type Letter =
  | 'a'
  | 'b'
  | 'c'
  | 'd'
  | 'e'
  | 'f'
  | 'g'
  | 'h'
  | 'i'
  | 'j'
  | 'k'
  | 'l'
  | 'm'
  | 'n'
  | 'o'
  | 'p'
  | 'q'
  | 'r'
  | 's'
  | 't'
  | 'u'
  | 'v'
  | 'w'
  | 'x'
  | 'y'
  | 'z';
type Digit = '0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9';
type NameCharacter = Letter | Uppercase<Letter> | Digit | '_' | '$';

/** The name at the start of a text, and what follows it. */
type TakeName<Text extends string, Name extends string = ''> = Text extends `${infer First}${infer Rest}`
  ? First extends NameCharacter
    ? TakeName<Rest, `${Name}${First}`>
    : [Name, Text]
  : [Name, ''];

type MayBeMissing =
  `?${string}` | `*${string}` | `}?${string}` | `}*${string}` | `(${string})?` | `(${string})*`;

type Group<Name extends string, After extends string> = Name extends '' | `${Digit}${string}`
  ? unknown
  : After extends MayBeMissing
    ? { readonly [K in Name]?: string }
    : { readonly [K in Name]: string };

type NamedGroups<Text extends string> = Text extends `${infer Before}(?:${infer After}`
  ? NamedGroups<`${Before}(${After}`>
  : Text extends `${string}:${infer After}`
    ? TakeName<After> extends [infer Name extends string, infer Rest extends string]
      ? Group<Name, Rest> & NamedGroups<Rest>
      : unknown
    : unknown;

type Wildcard<Text extends string> = Text extends `${string}/*` ? { readonly '0': string } : unknown;

type WithoutMethod<Text extends string> = Text extends `${string} ${infer Rest}` ? Rest : Text;

type Groups<Pattern extends string> = NamedGroups<WithoutMethod<Pattern>> & Wildcard<Pattern>;

/** What `bindings` are for a pattern: texts by the names of its groups, converted where there is a constraint. */
export type BindingsOf<Pattern extends string, C extends Constraints | null = null> = string extends Pattern
  ? Readonly<Record<string, string>>
  : {
      readonly [K in keyof Groups<Pattern>]: K extends keyof C ? ConstraintValue<C[K]> : Groups<Pattern>[K];
    };
