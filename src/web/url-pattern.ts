// One URL pattern, analysed: which usual shape each component has, so that the router can match it without the
// platform's URLPattern, and that object for everything else. Not the search among many patterns.

/** Components of a pattern as in `new URLPattern({…})`, with a method. Missing ones match everything. */
export interface UrlPatternParts {
  readonly protocol?: string;
  readonly username?: string;
  readonly password?: string;
  readonly hostname?: string;
  /** 0 counts as missing. */
  readonly port?: number;
  readonly pathname?: string;
  readonly search?: string;
  readonly hash?: string;
  /** Compared exactly, case included. */
  readonly method?: string;
}

/** A segment of a simple pathname: its text, or the name of a group that takes the whole segment. */
export type PathSegment =
  { readonly text: string; readonly name: null } | { readonly text: null; readonly name: string };

export type PathShape =
  /** Every path. Group `0` has what follows `groupOffset` characters. */
  | { readonly kind: 'any'; readonly groupOffset: number }
  | { readonly kind: 'literal'; readonly path: string }
  /** Segments, one for one. With `rest`, what remains after them begins with that text, and group `0` has what follows. */
  | { readonly kind: 'segments'; readonly segments: readonly PathSegment[]; readonly rest: string | null }
  /** Anything else: to be tried with the URLPattern on each path that begins with these segments and `rest`. */
  | { readonly kind: 'other'; readonly segments: readonly PathSegment[]; readonly rest: string };

/** A component that matches everything (null), one text, or something that only the URLPattern knows. */
export type ComponentShape = null | { readonly literal: string } | 'other';

export interface UrlPattern {
  readonly method: string | null;
  readonly native: URLPattern;
  /** Whether it can match http and https URLs. */
  readonly schemes: { readonly http: boolean; readonly https: boolean };
  /** Literal hostname that a URL must have, or null where more than one can match. */
  readonly hostname: string | null;
  /** Names what protocol, username, password, hostname and port ask for; null if they match everything. */
  readonly originKey: string | null;
  /** Whether one of these five may have named groups. */
  readonly originGroups: boolean;
  readonly path: PathShape;
  readonly search: ComponentShape;
  readonly hash: ComponentShape;
}

/** Throws a TypeError with the reason where URLPattern rejects the pattern. */
export function analysePattern(parts: UrlPatternParts): UrlPattern {
  const native = nativePattern(parts);
  const origin = [native.protocol, native.username, native.password, native.hostname, native.port];
  const hostname = componentShape(native.hostname);
  return {
    method: parts.method ?? null,
    native,
    schemes: {
      http: matchesScheme(native, 'http'),
      https: matchesScheme(native, 'https'),
    },
    hostname: hostname === null || hostname === 'other' ? null : hostname.literal,
    originKey: origin.every((pattern) => pattern === '*') ? null : origin.join('\n'),
    originGroups: origin.some((pattern) => componentShape(pattern) === 'other'),
    path: pathShape(native.pathname),
    search: componentShape(native.search),
    hash: componentShape(native.hash),
  };
}

const COMPONENTS = ['protocol', 'username', 'password', 'hostname', 'pathname', 'search', 'hash'] as const;

function nativePattern(parts: UrlPatternParts): URLPattern {
  const init: Partial<Record<(typeof COMPONENTS)[number] | 'port', string>> = {};
  for (const component of COMPONENTS) {
    const pattern = parts[component];
    if (pattern !== undefined) init[component] = pattern;
  }
  if (parts.port !== undefined && parts.port !== 0) init.port = String(parts.port);
  try {
    return new URLPattern(init);
  } catch (error) {
    const component = rejectedComponent(init);
    throw new TypeError(
      component === null ? 'not a valid URL pattern' : `not a valid URL pattern: ${component}`,
      { cause: error },
    );
  }
}

// The platform does not say which component it rejects: try each by itself.
function rejectedComponent(init: Readonly<Record<string, string>>): string | null {
  for (const [component, pattern] of Object.entries(init)) {
    try {
      // oxlint-disable-next-line no-new -- only whether it throws is of interest
      new URLPattern({ [component]: pattern });
    } catch {
      return `${component} ${JSON.stringify(pattern)}`;
    }
  }
  return null;
}

function matchesScheme(native: URLPattern, scheme: string): boolean {
  return native.protocol === '*' || new URLPattern({ protocol: native.protocol }).test({ protocol: scheme });
}

// The platform gives each component back as a normalised pattern string, in which `\` escapes what is special
// (https://urlpattern.spec.whatwg.org/#generate-a-pattern-string). Shapes are read from that.
const SPECIAL = new Set('*+?:{}()');

function componentShape(pattern: string): ComponentShape {
  if (pattern === '*') return null;
  const literal = literalPrefix(pattern);
  return literal.end === pattern.length ? { literal: literal.text } : 'other';
}

/** The unescaped text before the first special character, and where that is. */
function literalPrefix(pattern: string): { readonly text: string; readonly end: number } {
  let text = '';
  let end = 0;
  while (end < pattern.length) {
    const character = pattern.charAt(end);
    if (SPECIAL.has(character)) break;
    if (character === '\\') end++;
    text += pattern.charAt(end);
    end++;
  }
  return { text, end };
}

const GROUP = /:([A-Za-z_$][\w$]*)(?=\/|$)/y;

function pathShape(pattern: string): PathShape {
  // All paths of http and https begin with `/`.
  if (pattern === '*') return { kind: 'any', groupOffset: 0 };
  if (pattern === '/*' || pattern === '/*?') return { kind: 'any', groupOffset: 1 };
  const start = literalPrefix(pattern);
  if (start.end === pattern.length) return { kind: 'literal', path: start.text };
  return segmentsShape(pattern) ?? { kind: 'other', ...sureStart(pattern, start.text, start.end) };
}

/**
 * The segments, and the text after them, that every match begins with: `text` is what stands before the first special
 * part, at `end`. A `/` before a group goes with the group where that may be left out, and the last segment may go
 * on in what follows.
 */
function sureStart(pattern: string, text: string, end: number): { segments: PathSegment[]; rest: string } {
  const sure = text.endsWith('/') && mayBeLeftOut(pattern, end) ? text.slice(0, -1) : text;
  const last = sure.lastIndexOf('/');
  if (last <= 0 || !sure.startsWith('/')) return { segments: [], rest: sure };
  const names = sure.slice(1, last).split('/');
  return { segments: names.map((segment) => ({ text: segment, name: null })), rest: sure.slice(last) };
}

const GROUP_NAME = /:[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*/uy;

/** Whether the group at `start` has the modifier `?` or `*`. What stands in braces has no `/` from before them. */
function mayBeLeftOut(pattern: string, start: number): boolean {
  let at = start;
  if (pattern[at] === '{') return false;
  GROUP_NAME.lastIndex = at;
  const name = GROUP_NAME.exec(pattern);
  if (name !== null) at += name[0].length;
  else if (pattern[at] === '*') at++;
  if (pattern[at] === '(') at = endOfExpression(pattern, at);
  return pattern[at] === '?' || pattern[at] === '*';
}

function endOfExpression(pattern: string, start: number): number {
  let depth = 0;
  for (let at = start; at < pattern.length; at++) {
    if (pattern[at] === '\\') at++;
    else if (pattern[at] === '(') depth++;
    else if (pattern[at] === ')' && --depth === 0) return at + 1;
  }
  return pattern.length;
}

/** Reads `/text/:name/text`, also with `*` at the very end; null for everything else. */
function segmentsShape(pattern: string): PathShape | null {
  if (!pattern.startsWith('/')) return null;
  const segments: PathSegment[] = [];
  let at = 0;
  while (at < pattern.length) {
    at++; // the slash
    GROUP.lastIndex = at;
    const group = GROUP.exec(pattern);
    if (group?.[1] !== undefined) {
      segments.push({ text: null, name: group[1] });
      at += group[0].length;
      continue;
    }
    const slash = pattern.indexOf('/', at);
    const end = slash === -1 ? pattern.length : slash;
    const source = pattern.slice(at, end);
    const literal = literalPrefix(source);
    if (literal.end === source.length) {
      segments.push({ text: literal.text, name: null });
      at = end;
    } else if (slash === -1 && literal.end === source.length - 1 && source.endsWith('*')) {
      return { kind: 'segments', segments, rest: `/${literal.text}` };
    } else {
      return null;
    }
  }
  return { kind: 'segments', segments, rest: null };
}
