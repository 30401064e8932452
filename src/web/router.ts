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
}

interface RouteList<T> {
  readonly routes: readonly CompiledRoute<T>[];
  readonly values: readonly T[];
}

// What is kept for requests seen before: 2 × 2048 entries of at most 512 characters.
const REQUESTS_KEPT = 2048;
const REQUEST_KEY_MAX = 512;
// Lists of routes that are given out as the same array.
const LISTS_KEPT = 2048;
const LIST_KEY_MAX = 4096;

export class Router<T> {
  readonly rejected: readonly RejectedRoute<T>[];
  readonly #origins = new OriginTable();
  /** Routes that any hostname may match, and those for one literal hostname. */
  readonly #general = new RouteIndex<CompiledRoute<T>>();
  readonly #byHostname = new Map<string, RouteIndex<CompiledRoute<T>>>();
  readonly #usesQuery: boolean;
  readonly #seen = new BoundedCache<Matches<T>>(REQUESTS_KEPT, REQUEST_KEY_MAX);
  readonly #lists = new BoundedCache<RouteList<T>>(LISTS_KEPT, LIST_KEY_MAX);

  constructor(definitions: readonly RouteDefinition<T>[]) {
    const rejected: RejectedRoute<T>[] = [];
    let usesQuery = false;
    // The sort is stable: equal priorities stay in input order.
    const ordered = [...definitions].sort((a, b) => b.priority - a.priority);
    for (const [rank, { pattern, value }] of ordered.entries()) {
      try {
        const analysed = analysePattern(pattern);
        const route = { ...analysed, value, rank, originId: this.#origins.add(analysed) };
        this.#indexFor(analysed.hostname).add(route);
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
    const { method, scheme, authority, path, query } = request;
    // A concatenated key also keeps the cache from holding on to the text of whole request heads.
    let key = `${method} ${scheme}://${authority}${path}`;
    if (this.#usesQuery && query !== null) key += `?${query}`;
    const seen = this.#seen.get(key);
    if (seen !== undefined) return seen;
    const matches = this.#find(request);
    if (matches !== null) this.#seen.set(key, matches);
    return matches;
  }

  #find(request: RouterRequest): Matches<T> | null {
    const { scheme, query } = request;
    let origin: Origin | null;
    let target: UrlTarget;
    if (
      isCanonicalPath(request.path) &&
      isPlainAuthority(request.authority) &&
      (!this.#usesQuery || query === null || isCanonicalQuery(query))
    ) {
      origin = this.#origins.find(scheme, request.authority);
      if (origin === null) return null;
      target = { pathname: request.path, search: this.#usesQuery ? (query ?? '') : '', hash: '' };
    } else {
      const url = parseTarget(request);
      if (url === null) return null;
      origin = this.#origins.of(url, scheme);
      target = { pathname: url.pathname, search: url.search.slice(1), hash: url.hash.slice(1) };
    }
    const list = this.#intern(this.#candidates(request.method, origin, target));
    return new Matches(list, origin, target);
  }

  #candidates(method: string, origin: Origin, target: UrlTarget): CompiledRoute<T>[] {
    const found: CompiledRoute<T>[] = [];
    this.#general.collect(target.pathname, found);
    this.#byHostname.get(origin.hostname)?.collect(target.pathname, found);
    const routes = found.filter((route) => this.#accepts(route, method, origin, target));
    return routes.length < 2 ? routes : routes.sort((a, b) => a.rank - b.rank);
  }

  #accepts(route: CompiledRoute<T>, method: string, origin: Origin, target: UrlTarget): boolean {
    if (route.method !== null && route.method !== method) return false;
    if (!route.schemes[origin.scheme]) return false;
    if (route.originId !== null && !this.#origins.meets(origin, route.originId)) return false;
    if (!mayMatch(route.search, target.search) || !mayMatch(route.hash, target.hash)) return false;
    if (route.path.kind !== 'other' && route.search !== 'other' && route.hash !== 'other') return true;
    return route.native.test(urlText(origin, target));
  }

  #intern(routes: readonly CompiledRoute<T>[]): RouteList<T> {
    const key = routes.map((route) => route.rank).join(' ');
    const known = this.#lists.get(key);
    if (known !== undefined) return known;
    const list = { routes, values: routes.map((route) => route.value) };
    this.#lists.set(key, list);
    return list;
  }
}

/** Compiles routes. Those whose pattern URLPattern rejects are left out and listed in `rejected`. */
export function compileRouter<T>(definitions: readonly RouteDefinition<T>[]): Router<T> {
  return new Router(definitions);
}

// With these characters an authority would end early, and the path would not be what it seems.
const ENDS_AUTHORITY = /[/?#\\\s]|[^\x21-\x7e]/;

function isPlainAuthority(authority: string): boolean {
  return !ENDS_AUTHORITY.test(authority);
}

function mayMatch(shape: ComponentShape, text: string): boolean {
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
