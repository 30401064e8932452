// route(): a pattern, options and a target, checked and put together. Does not match and does not run anything.
import type { Constraints } from './constraint.ts';
import type { AnyBindings, FetchApplication, Handler, Middleware, RouteTarget } from './handler.ts';
import { groupNames, parseRoutePattern, type BindingsOf } from './route-pattern.ts';
import { analysePattern, type UrlPatternParts } from './url-pattern.ts';

/** What there is to say of a route besides its pattern and its target. */
export interface RouteOptions<C extends Constraints = Constraints> {
  /** By the names of the pattern's groups. Where a text is not allowed the route does not match, and the next one may. */
  readonly constraints?: C;
  /** Highest first; among equals the routes of the application in their order, then those of SQL. Default 0, as in SQL. */
  readonly priority?: number;
  /** Run in order before the target, after those of the application. */
  readonly middlewares?: readonly Middleware[];
  /** Pattern of the query, without `?`. Default: any. */
  readonly search?: string;
  /** How long the handler may take to answer; then 504. Default: that of the server. Infinity: no limit. */
  readonly timeoutMs?: number;
  /** Largest request body in bytes; a larger one is answered with 413. Default: that of the server. */
  readonly maxBodyBytes?: number;
}

/** What a route may lead to. */
export type Target<B extends AnyBindings = AnyBindings> = Handler<B> | FetchApplication | RouteTarget<B>;

/** What route() makes. */
export interface Route<B extends AnyBindings = AnyBindings> {
  /** The pattern as it was given. */
  readonly pattern: string;
  /** null: every method. */
  readonly methods: readonly string[] | null;
  /** The pattern, by the components of URLs. */
  readonly parts: UrlPatternParts;
  readonly options: RouteOptions;
  /** A handler, or a target that takes exchanges. */
  readonly target: { readonly handler: Handler } | { readonly exchange: RouteTarget };
  /**
   * The path of this route with these values for its groups: constraints write them (`reverse`), what is special in a path
   * is percent-encoded.
   * @throws TypeError where the pattern is not made of texts and `:name` groups only, or a value is missing or not allowed
   */
  path(bindings: B): string;
}

export function route<const P extends string>(
  pattern: P,
  target: Target<BindingsOf<P>>,
): Route<BindingsOf<P>>;
export function route<const P extends string, const C extends Constraints>(
  pattern: P,
  options: RouteOptions<C>,
  target: Target<BindingsOf<P, C>>,
): Route<BindingsOf<P, C>>;
/**
 * A route: what answers requests that match a pattern.
 * @throws TypeError with what is wrong
 */
export function route(pattern: string, ...rest: readonly unknown[]): Route {
  if (typeof pattern !== 'string')
    throw new TypeError(`route(): the pattern is a text, not ${nameOf(pattern)}`);
  const where = `route ${JSON.stringify(pattern)}`;
  const [options, target] = rest.length > 1 ? rest : [{}, rest[0]];
  const checked = checkOptions(where, options);
  const leadsTo = checkTarget(where, target);
  const parsed = parseRoutePattern(pattern, checked.search);
  try {
    analysePattern(parsed.parts);
  } catch (error) {
    throw new TypeError(`${where}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  const names = groupNames(parsed.parts);
  for (const name of Object.keys(checked.constraints ?? {})) {
    if (!names.has(name))
      throw new TypeError(`${where}: there is a constraint on ${name}, and no group of that name`);
  }
  const ofTarget = 'exchange' in leadsTo ? (leadsTo.exchange.methods ?? null) : null;
  return {
    pattern,
    methods: parsed.methods ?? ofTarget,
    parts: parsed.parts,
    options: checked,
    target: leadsTo,
    path: (bindings) => buildPath(where, parsed.parts.pathname ?? '', checked.constraints ?? {}, bindings),
  };
}

/** Checks that a middleware is one, and gives it its type. */
export function middleware(run: Middleware): Middleware {
  if (typeof run !== 'function')
    throw new TypeError(`middleware(): a function is expected, not ${nameOf(run)}`);
  return run;
}

/** What an unexpected value is, for messages. */
export function nameOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return `an object of ${value.constructor?.name ?? 'no class'}`;
  return typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`;
}

const OPTIONS: ReadonlySet<string> = new Set([
  'constraints',
  'priority',
  'middlewares',
  'search',
  'timeoutMs',
  'maxBodyBytes',
] satisfies (keyof RouteOptions)[]);

function checkOptions(where: string, options: unknown): RouteOptions {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError(`${where}: options are an object, not ${nameOf(options)}`);
  }
  const given = options as Record<keyof RouteOptions, unknown>;
  for (const name of Object.keys(given)) {
    if (!OPTIONS.has(name)) throw new TypeError(`${where}: there is no option ${name}`);
  }
  const { constraints, priority, middlewares, search, timeoutMs, maxBodyBytes } = given;
  for (const [name, constraint] of Object.entries(constraints ?? {})) {
    if (typeof constraint !== 'function') {
      throw new TypeError(`${where}: the constraint on ${name} is ${nameOf(constraint)}, not a function`);
    }
  }
  // SQL's priority is an int.
  if (priority !== undefined && (!Number.isInteger(priority) || Math.abs(priority as number) > 2 ** 31)) {
    throw new TypeError(
      `${where}: the priority is a whole number, not ${typeof priority === 'number' ? priority : nameOf(priority)}`,
    );
  }
  if (middlewares !== undefined) checkMiddlewares(where, middlewares);
  if (search !== undefined && typeof search !== 'string') {
    throw new TypeError(`${where}: search is a text, not ${nameOf(search)}`);
  }
  for (const [name, value] of Object.entries({ timeoutMs, maxBodyBytes })) {
    if (value !== undefined && !(typeof value === 'number' && value > 0)) {
      throw new TypeError(
        `${where}: ${name} is a number above 0, not ${typeof value === 'number' ? value : nameOf(value)}`,
      );
    }
  }
  return given as RouteOptions;
}

export function checkMiddlewares(where: string, middlewares: unknown): asserts middlewares is Middleware[] {
  if (!Array.isArray(middlewares)) {
    throw new TypeError(`${where}: middlewares are an array, not ${nameOf(middlewares)}`);
  }
  for (const run of middlewares) {
    if (typeof run !== 'function')
      throw new TypeError(`${where}: a middleware is ${nameOf(run)}, not a function`);
  }
}

function checkTarget(where: string, target: unknown): Route['target'] {
  if (typeof target === 'function') return { handler: target as Handler };
  if (typeof target === 'object' && target !== null) {
    if ('handleExchange' in target && typeof target.handleExchange === 'function') {
      return { exchange: target as RouteTarget };
    }
    if ('fetch' in target && typeof target.fetch === 'function') {
      const application = target as FetchApplication;
      return { handler: (request, context) => application.fetch(request, context) };
    }
  }
  throw new TypeError(
    `${where}: the target is a function, an application with fetch(), or what staticFiles(), sql and the like make, not ${nameOf(target)}`,
  );
}

const SIMPLE_SEGMENT = /^(?::([\p{ID_Start}$_][\p{ID_Continue}$]*)|[^:*?+(){}\\]*)$/u;

function buildPath(where: string, pathname: string, constraints: Constraints, bindings: AnyBindings): string {
  return pathname
    .split('/')
    .map((segment) => {
      const simple = SIMPLE_SEGMENT.exec(segment);
      if (simple === null) throw new TypeError(`${where}: no path can be made of ${JSON.stringify(segment)}`);
      const name = simple[1];
      if (name === undefined) return segment;
      const value = bindings[name];
      const constraint = constraints[name];
      if (value === undefined) throw new TypeError(`${where}: ${name} is missing`);
      const text =
        constraint?.reverse === undefined ? `${value as string | number}` : constraint.reverse(value);
      if (text === '' || (constraint !== undefined && constraint(text) === undefined)) {
        throw new TypeError(`${where}: ${JSON.stringify(text)} is not allowed for ${name}`);
      }
      return encodeURIComponent(text);
    })
    .join('/');
}
