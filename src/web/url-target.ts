// The URL that a request is routed by: scheme://authority/path?query in the canonical form that the URL standard gives
// it. Not the path that handlers see (they get the decoded one).

/** What the router needs of a request. Texts are as sent, bytes as latin1 characters. */
export interface RouterRequest {
  readonly method: string;
  readonly scheme: 'http' | 'https';
  readonly authority: string;
  /** What does not begin with `/` (`*`, the empty path of CONNECT) is taken as if it did. */
  readonly path: string;
  readonly query: string | null;
}

export interface UrlTarget {
  readonly pathname: string;
  /** Without `?`. */
  readonly search: string;
  /** Without `#`. */
  readonly hash: string;
}

// https://url.spec.whatwg.org/#path-percent-encode-set : characters of a path that the URL parser leaves alone. `%`
// stays too, also where no two hexadecimal digits follow.
const PLAIN_PATH = characterTable("-._~!$&'()*+,;=:@/|[]%");
// https://url.spec.whatwg.org/#special-query-percent-encode-set
const PLAIN_QUERY = characterTable('-._~!$&()*+,;=:@/?|[]%^`{}\\');

function characterTable(others: string): Uint8Array {
  const table = new Uint8Array(256);
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  for (const character of letters + others) table[character.charCodeAt(0)] = 1;
  return table;
}

const SLASH = 0x2f;
const DOT = 0x2e;
const PERCENT = 0x25;

/** Whether the URL parser would leave the path as it is: only plain characters, and no segment that begins like `.`. */
export function isCanonicalPath(path: string): boolean {
  if (path.charCodeAt(0) !== SLASH) return false;
  let previous = 0;
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i);
    if (PLAIN_PATH[code] !== 1) return false;
    if (previous === SLASH) {
      if (code === DOT) return false;
      // `%2e` is a dot to the URL parser, where it makes a dot segment.
      if (code === PERCENT && path.charCodeAt(i + 1) === 0x32 && (path.charCodeAt(i + 2) | 0x20) === 0x65) {
        return false;
      }
    }
    previous = code;
  }
  return true;
}

/** Whether the URL parser would leave the query as it is, and it holds no `#`. */
export function isCanonicalQuery(query: string): boolean {
  for (let i = 0; i < query.length; i++) if (PLAIN_QUERY[query.charCodeAt(i)] !== 1) return false;
  return true;
}

/** The request's URL as text, not yet canonical. Bytes that are no ASCII become percent-encoded as they are. */
export function targetText(request: RouterRequest): string {
  const path = request.path.charCodeAt(0) === SLASH ? request.path : `/${request.path}`;
  const query = request.query === null ? '' : `?${request.query}`;
  return escapeBytes(`${request.scheme}://${request.authority}${path}${query}`);
}

// oxlint-disable-next-line no-control-regex -- all that is not ASCII is meant
const NOT_ASCII = /[^\x00-\x7f]/g;

function escapeBytes(text: string): string {
  return text.replace(NOT_ASCII, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

/**
 * Parses with the URL standard's parser. Null if the target is no URL. An empty authority is none: the parser would
 * take the first path segment for it.
 */
export function parseTarget(request: RouterRequest): URL | null {
  return request.authority === '' ? null : URL.parse(targetText(request));
}
