// The router: which routes match a request, in order. Patterns mean exactly what the platform's URLPattern means by
// them (https://urlpattern.spec.whatwg.org/); the usual shapes are compiled so that many routes cost no more than few.
// Does not call handlers.
import { BoundedCache } from './bounded-cache.ts';
import { OriginTable, type Origin } from './origin-table.ts';
import { RouteIndex } from './route-index.ts';
import { routeGroups, type RouteGroups } from './route-groups.ts';
import { analysePattern, type ComponentShape, type UrlPattern, type UrlPatternParts } from './url-pattern.ts';
import {
  isCanonicalPath,
  isCanonicalQuery,
  parseTarget,
  type RouterRequest,
  type UrlTarget,
} from './url-target.ts';

export interface RouteDefinition<T> {
  readonly pattern: UrlPatternParts;
  /** Highest first; equal ones in input order. */
  readonly priority: number;
  readonly value: T;
}

export interface RejectedRoute<T> {
  readonly value: T;
  readonly reason: string;
}

/** The routes that match one request. */
export interface RouteMatches<T> {
  /** In order. The same array for the same routes (as long as it is remembered), so that it can be a key. */
  readonly values: readonly T[];
  /** The groups of the match at `index` of `values`. */
  groups(index: number): RouteGroups;
}

interface CompiledRoute<T> extends UrlPattern {
  readonly value: T;
  /** Place in the order of all routes. */
  readonly rank: number;
  readonly originId: number | null;
  /** Whether only the URLPattern object knows, once everything else fits. */
  readonly asksNative: boolean;
}

/** A list of routes that matched together, and those that go on with one more. */
interface RouteList<T> {
  readonly routes: readonly CompiledRoute<T>[];
  readonly values: readonly T[];
  readonly longer: Map<CompiledRoute<T>, RouteList<T>>;
}

// What is kept of requests that URLPattern objects had to be asked about, or whose path is not canonical: 2 × 2048
// entries of at most 512 characters. The others are found faster than a key for them could be made.
const REQUESTS_KEPT = 2048;
const REQUEST_KEY_MAX = 512;
// Lists of routes that are given out as the same array; beyond this they are begun anew.
const LISTS_KEPT = 4096;

export class Router<T> {
  readonly rejected: readonly RejectedRoute<T>[];
  readonly #origins = new OriginTable();
  /** Routes that any hostname may match, and those for one literal hostname. */
  readonly #general = new RouteIndex<CompiledRoute<T>>();
  readonly #byHostname = new Map<string, RouteIndex<CompiledRoute<T>>>();
  readonly #usesQuery: boolean;
  readonly #seen = new BoundedCache<Matches<T>>(REQUESTS_KEPT, REQUEST_KEY_MAX);
  #lists = emptyList<T>();
  #listsKept = 0;
  /** The origin asked for last: most requests have the same. */
  #lastAuthority = '';
  #lastOrigin: Origin | null = null;

  constructor(definitions: readonly RouteDefinition<T>[]) {
    const rejected: RejectedRoute<T>[] = [];
    let usesQuery = false;
    // The sort is stable: equal priorities stay in input order.
    const ordered = [...definitions].sort((a, b) => b.priority - a.priority);
    for (const [rank, { pattern, value }] of ordered.entries()) {
      try {
        const analysed = analysePattern(pattern);
        const { hostname, path, search, hash } = analysed;
        const asksNative = path.kind === 'other' || search === 'other' || hash === 'other';
        const route = { ...analysed, value, rank, originId: this.#origins.add(analysed), asksNative };
        this.#indexFor(hostname).add(route);
        if (route.search !== null || route.hash !== null) usesQuery = true;
      } catch (error) {
        rejected.push({ value, reason: error instanceof Error ? error.message : String(error) });
      }
    }
    this.rejected = rejected;
    this.#usesQuery = usesQuery;
  }

  #indexFor(hostname: string | null): RouteIndex<CompiledRoute<T>> {
    if (hostname === null) return this.#general;
    let index = this.#byHostname.get(hostname);
    if (index === undefined) {
      index = new RouteIndex();
      this.#byHostname.set(hostname, index);
    }
    return index;
  }

  /**
   * All routes that match, in order; none is an empty list. Null if scheme, authority, path and query make no URL,
   * which an empty authority does not either.
   */
  match(request: RouterRequest): RouteMatches<T> | null {
    const { path, query } = request;
    if (isCanonicalPath(path) && (!this.#usesQuery || query === null || isCanonicalQuery(query))) {
      const origin = this.#origin(request.scheme, request.authority);
      if (origin === null) return null;
      if (origin !== undefined) {
        const target = { pathname: path, search: this.#usesQuery ? (query ?? '') : '', hash: '' };
        const list = this.#look(request.method, origin, target, false);
        if (list !== null) return new Matches(list, origin, target);
      }
    }
    return this.#remembered(request);
  }

  /** Undefined for an authority that would not end where it seems to. */
  #origin(scheme: 'http' | 'https', authority: string): Origin | null | undefined {
    if (authority === this.#lastAuthority && this.#lastOrigin?.scheme === scheme) return this.#lastOrigin;
    if (ENDS_AUTHORITY.test(authority)) return undefined;
    const origin = this.#origins.find(scheme, authority);
    if (origin !== null) {
      this.#lastAuthority = authority;
      this.#lastOrigin = origin;
    }
    return origin;
  }

  #remembered(request: RouterRequest): RouteMatches<T> | null {
    const { method, scheme, authority, path, query } = request;
    // A text of its own: a slice would keep the whole request head in memory that it was cut from.
    let key = `${method} ${scheme}://${authority}${path}`;
    if (this.#usesQuery && query !== null) key += `?${query}`;
    const seen = this.#seen.get(key);
    if (seen !== undefined) return seen;
    const url = parseTarget(request);
    if (url === null) return null;
    const origin = this.#origins.of(url, scheme);
    const target = { pathname: url.pathname, search: url.search.slice(1), hash: url.hash.slice(1) };
    const list = this.#look(method, origin, target, true);
    if (list === null) return null;
    const matches = new Matches(list, origin, target);
    this.#seen.set(key, matches);
    return matches;
  }

  /** The routes that match. Null if URLPattern objects are to be asked and may not be (`thorough` is false). */
  #look(method: string, origin: Origin, target: UrlTarget, thorough: boolean): RouteList<T> | null {
    const found: CompiledRoute<T>[] = [];
    this.#general.collect(target.pathname, found);
    if (this.#byHostname.size > 0) this.#byHostname.get(origin.hostname)?.collect(target.pathname, found);
    let count = 0;
    for (const route of found) {
      if (!this.#mayMatch(route, method, origin, target)) continue;
      if (route.asksNative) {
        if (!thorough) return null;
        if (!route.native.test(urlText(origin, target))) continue;
      }
      // Into its place among the few before it.
      let at = count++;
      for (; at > 0; at--) {
        const before = found[at - 1];
        if (before === undefined || before.rank < route.rank) break;
        found[at] = before;
      }
      found[at] = route;
    }
    found.length = count;
    return this.#listOf(found);
  }

  #mayMatch(route: CompiledRoute<T>, method: string, origin: Origin, target: UrlTarget): boolean {
    if (route.method !== null && route.method !== method) return false;
    if (!route.schemes[origin.scheme]) return false;
    if (route.originId !== null && !this.#origins.meets(origin, route.originId)) return false;
    return mayEqual(route.search, target.search) && mayEqual(route.hash, target.hash);
  }

  #listOf(routes: readonly CompiledRoute<T>[]): RouteList<T> {
    let list = this.#lists;
    for (const route of routes) {
      let longer = list.longer.get(route);
      if (longer === undefined) {
        longer = {
          routes: [...list.routes, route],
          values: [...list.values, route.value],
          longer: new Map(),
        };
        list.longer.set(route, longer);
        this.#listsKept++;
      }
      list = longer;
    }
    if (this.#listsKept > LISTS_KEPT) {
      this.#lists = emptyList();
      this.#listsKept = 0;
    }
    return list;
  }
}

function emptyList<T>(): RouteList<T> {
  return { routes: [], values: [], longer: new Map() };
}

/** Compiles routes. Those whose pattern URLPattern rejects are left out and listed in `rejected`. */
export function compileRouter<T>(definitions: readonly RouteDefinition<T>[]): Router<T> {
  return new Router(definitions);
}

// With these characters an authority would end early, and the path would not be what it seems.
const ENDS_AUTHORITY = /[/?#\\\s]|[^\x21-\x7e]/;

function mayEqual(shape: ComponentShape, text: string): boolean {
  return shape === null || shape === 'other' || shape.literal === text;
}

function urlText(origin: Origin, target: UrlTarget): string {
  const search = target.search === '' ? '' : `?${target.search}`;
  const hash = target.hash === '' ? '' : `#${target.hash}`;
  return `${origin.url.slice(0, -1)}${target.pathname}${search}${hash}`;
}

class Matches<T> implements RouteMatches<T> {
  readonly values: readonly T[];
  readonly #routes: readonly CompiledRoute<T>[];
  readonly #origin: Origin;
  readonly #target: UrlTarget;

  constructor(list: RouteList<T>, origin: Origin, target: UrlTarget) {
    this.values = list.values;
    this.#routes = list.routes;
    this.#origin = origin;
    this.#target = target;
  }

  groups(index: number): RouteGroups {
    const route = this.#routes[index];
    if (route === undefined) throw new RangeError(`no match at ${String(index)}`);
    return routeGroups(route, this.#target.pathname, () => urlText(this.#origin, this.#target));
  }
}
