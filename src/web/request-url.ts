// The URL of a request as text, as `request.url` gives it: canonical, without user and password.
import type { Exchange } from './exchange.ts';
import { BoundedCache } from './bounded-cache.ts';
import { isCanonicalPath, isCanonicalQuery, parseTarget } from './url-target.ts';

// Host fields are the client's choice: what is kept for them is bounded.
const ORIGINS_KEPT = 512;
const AUTHORITY_MAX = 300;
const origins = new BoundedCache<string>(ORIGINS_KEPT, AUTHORITY_MAX);
let lastKey = '';
let lastOrigin = '';

/** The authority that a request is for: without one (HTTP/1.0), the address that it came to. */
export function requestAuthority(exchange: Exchange): string {
  const { authority } = exchange.head;
  if (authority !== '') return authority;
  const { address, port } = exchange.local;
  if (address === '') return 'localhost';
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}

/** An http or https URL; where the request's own parts make none, one with the host `localhost`. */
export function requestUrl(exchange: Exchange): string {
  const { head, scheme } = exchange;
  const authority = requestAuthority(exchange);
  const { path, query } = head;
  const origin = originOf(scheme, authority);
  if (isCanonicalPath(path) && (query === null || isCanonicalQuery(query))) {
    return query === null ? origin + path : `${origin}${path}?${query}`;
  }
  const url = parseTarget({ method: head.method, scheme, authority, path, query });
  return url === null ? `${origin}/` : `${url.origin}${url.pathname}${url.search}`;
}

function originOf(scheme: 'http' | 'https', authority: string): string {
  const key = `${scheme}://${authority}`;
  if (key === lastKey) return lastOrigin;
  let origin = origins.get(key);
  if (origin === undefined) {
    const url = URL.parse(`${key}/`);
    origin = url === null || url.pathname !== '/' ? `${scheme}://localhost` : url.origin;
    origins.set(key, origin);
  }
  lastKey = key;
  lastOrigin = origin;
  return origin;
}
