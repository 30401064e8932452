// Which of the patterns' demands on protocol, username, password, hostname and port the origin of a request meets.
// Worked out when first asked for and kept per origin, so that the platform's slow URLPattern is not asked per request.
import { BoundedCache } from './bounded-cache.ts';
import type { UrlPattern } from './url-pattern.ts';

/** The part of a request's URL before its path. */
export interface Origin {
  /** Canonical, as the URL parser gives it. */
  readonly hostname: string;
  readonly scheme: 'http' | 'https';
  /** A URL of this origin. */
  readonly url: string;
  /** Per demand: 0 not yet known, 1 not met, 2 met. */
  readonly answers: Uint8Array;
}

// Different Host fields are the client's choice: what is kept for them is bounded. 2 × 512 origins.
const ORIGINS_KEPT = 512;
const ORIGIN_BYTES_MAX = 300;

export class OriginTable {
  readonly #ids = new Map<string, number>();
  readonly #demands: URLPattern[] = [];
  readonly #origins = new BoundedCache<Origin>(ORIGINS_KEPT, ORIGIN_BYTES_MAX);

  /** The number of the pattern's demand; null if it has none. All are added before the first request. */
  add(pattern: UrlPattern): number | null {
    const { originKey, native } = pattern;
    if (originKey === null) return null;
    const known = this.#ids.get(originKey);
    if (known !== undefined) return known;
    const id = this.#demands.length;
    this.#ids.set(originKey, id);
    this.#demands.push(
      new URLPattern({
        protocol: native.protocol,
        username: native.username,
        password: native.password,
        hostname: native.hostname,
        port: native.port,
      }),
    );
    return id;
  }

  /** The origin of `scheme://authority`, or null if that is no URL. */
  find(scheme: 'http' | 'https', authority: string): Origin | null {
    const url = `${scheme}://${authority}/`;
    const known = this.#origins.get(url);
    if (known !== undefined) return known;
    if (authority === '') return null;
    const parsed = URL.parse(url);
    if (parsed === null) return null;
    const origin = this.of(parsed, scheme);
    this.#origins.set(url, origin);
    return origin;
  }

  /** The origin of a URL. */
  of(url: URL, scheme: 'http' | 'https'): Origin {
    const user = url.username === '' && url.password === '' ? '' : `${url.username}:${url.password}@`;
    return {
      hostname: url.hostname,
      scheme,
      url: `${url.protocol}//${user}${url.host}/`,
      answers: new Uint8Array(this.#demands.length),
    };
  }

  meets(origin: Origin, id: number): boolean {
    const answer = origin.answers[id];
    if (answer !== 0) return answer === 2;
    const met = this.#demands[id]?.test(origin.url) ?? false;
    origin.answers[id] = met ? 2 : 1;
    return met;
  }
}
