// Finds the routes whose path pattern accepts a path: literal paths by a hash map, `:name` segments and trailing `*`
// by a trie of segments. What only a URLPattern can decide is found by its literal prefix and still has to be tried.
import type { PathSegment, PathShape } from './url-pattern.ts';

export interface IndexedRoute {
  readonly path: PathShape;
}

class TrieNode<R> {
  readonly texts = new Map<string, TrieNode<R>>();
  group: TrieNode<R> | null = null;
  /** Routes whose segments end here. */
  readonly ends: R[] = [];
  /** Routes whose segments end here and that take whatever begins with `rest` after them. */
  readonly rests: { readonly rest: string; readonly route: R }[] = [];
}

export class RouteIndex<R extends IndexedRoute> {
  readonly #anywhere: R[] = [];
  readonly #literals = new Map<string, R[]>();
  readonly #root = new TrieNode<R>();
  #hasTrie = false;

  add(route: R): void {
    const { path } = route;
    switch (path.kind) {
      case 'any':
        this.#anywhere.push(route);
        return;
      case 'literal': {
        const routes = this.#literals.get(path.path);
        if (routes === undefined) this.#literals.set(path.path, [route]);
        else routes.push(route);
        return;
      }
      case 'segments':
      case 'other': {
        this.#hasTrie = true;
        const node = this.#nodeAt(path.segments);
        if (path.rest === null) node.ends.push(route);
        else node.rests.push({ rest: path.rest, route });
      }
    }
  }

  #nodeAt(segments: readonly PathSegment[]): TrieNode<R> {
    let node = this.#root;
    for (const { text } of segments) {
      let next = text === null ? node.group : node.texts.get(text);
      if (next === null || next === undefined) {
        next = new TrieNode<R>();
        if (text === null) node.group = next;
        else node.texts.set(text, next);
      }
      node = next;
    }
    return node;
  }

  /** Appends the routes for `path` (canonical, beginning with `/`), each once, in no particular order. */
  collect(path: string, found: R[]): void {
    for (const route of this.#anywhere) found.push(route);
    const literals = this.#literals.get(path);
    if (literals !== undefined) for (const route of literals) found.push(route);
    if (this.#hasTrie) walk(this.#root, path, 0, found);
  }
}

/** `at` is the offset of the slash before the next segment, or the length of the path at its end. */
function walk<R>(node: TrieNode<R>, path: string, at: number, found: R[]): void {
  for (const { rest, route } of node.rests) if (path.startsWith(rest, at)) found.push(route);
  if (at === path.length) {
    for (const route of node.ends) found.push(route);
    return;
  }
  if (node.group === null && node.texts.size === 0) return;
  const slash = path.indexOf('/', at + 1);
  const end = slash === -1 ? path.length : slash;
  if (node.texts.size > 0) {
    const next = node.texts.get(path.slice(at + 1, end));
    if (next !== undefined) walk(next, path, end, found);
  }
  // A group takes at least one character: its expression is `[^/]+?`.
  if (node.group !== null && end > at + 1) walk(node.group, path, end, found);
}
