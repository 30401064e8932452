// What the groups of a matched pattern (`:name`, `*`, `(…)`) stand for. Assumes that the pattern did match.
import type { UrlPattern } from './url-pattern.ts';

/**
 * Text by name of the group, as it stands in the canonical URL (percent-encoded). All named groups of a pattern are
 * there, those of the path first in rank; unnamed ones, `'0'`, `'1'` …, of the path only. A group that took no part
 * in the match is missing.
 */
export type RouteGroups = Readonly<Record<string, string>>;

/** `url` gives the whole URL; it is asked for only where the platform's URLPattern has to be. */
export function routeGroups(pattern: UrlPattern, pathname: string, url: () => string): RouteGroups {
  if (pattern.originGroups || pattern.search === 'other' || pattern.hash === 'other') {
    return nativeGroups(pattern, url());
  }
  const { path } = pattern;
  if (path.kind === 'other') return nativeGroups(pattern, url());
  const groups = emptyGroups();
  if (path.kind === 'any') groups['0'] = pathname.slice(path.groupOffset);
  if (path.kind === 'segments') {
    let at = 0;
    for (const { name } of path.segments) {
      const slash = pathname.indexOf('/', at + 1);
      const end = slash === -1 ? pathname.length : slash;
      if (name !== null) groups[name] = pathname.slice(at + 1, end);
      at = end;
    }
    if (path.rest !== null) groups['0'] = pathname.slice(at + path.rest.length);
  }
  return groups;
}

// Without a prototype: the names are those of the patterns' authors, `__proto__` among them.
function emptyGroups(): Record<string, string> {
  return Object.create(null) as Record<string, string>;
}

const UNNAMED = /^\d+$/;

function nativeGroups(pattern: UrlPattern, url: string): RouteGroups {
  const groups = emptyGroups();
  const result = pattern.native.exec(url);
  if (result === null) return groups;
  const { protocol, username, password, hostname, port, search, hash, pathname } = result;
  for (const component of [protocol, username, password, hostname, port, search, hash, pathname]) {
    for (const [name, text] of Object.entries(component.groups)) {
      if (text !== undefined && (component === pathname || !UNNAMED.test(name))) groups[name] = text;
    }
  }
  return groups;
}
