// Takes named texts of a request apart by what is expected of them: the query and cookies. The constraints themselves are
// constraint.ts.
import { parseCookie } from 'cookie';
import { HowdahError, type ErrorCode } from '../errors.ts';
import type { Constraint, ConstraintValue } from './constraint.ts';

/** A parameter that must be there, and be allowed by the constraint; or more said of it. */
export type Expected = Constraint | ExpectedValue;

/** What is expected of a parameter, or a cookie. */
export interface ExpectedValue {
  /** One constraint, or several that a text goes through in order, each given what the one before has made of it. */
  readonly is?: Constraint | readonly [Constraint, ...((value: never) => unknown)[]];
  /** Where it is missing. `null` is a value too. Without a default it must be there. */
  readonly default?: unknown;
  /** All values of that name, in order; none are an empty array. */
  readonly many?: boolean;
}

type OneOf<E> = E extends Constraint
  ? ConstraintValue<E>
  : E extends { readonly is: infer C }
    ? C extends Constraint
      ? ConstraintValue<C>
      : unknown
    : string;

type ValueOf<E> = E extends { readonly many: true }
  ? OneOf<E>[]
  : E extends { readonly default: infer D }
    ? OneOf<E> | Widened<D>
    : OneOf<E>;

type Widened<D> = D extends string ? string : D extends number ? number : D extends boolean ? boolean : D;

/** What comes out of a match, by name. */
export type Matched<S extends Readonly<Record<string, Expected>>> = {
  -readonly [K in keyof S]: ValueOf<S[K]>;
};

/**
 * The query of a request by what is expected of it. Names that are not expected are left out.
 * @throws HowdahError HOWDAH_BAD_QUERY (400), naming the parameter that is missing or not allowed
 */
export function matchQuery<const S extends Readonly<Record<string, Expected>>>(
  source: Pick<Request, 'url'> | URL | URLSearchParams,
  expected: S,
): Matched<S> {
  const query = source instanceof URLSearchParams ? source : queryOf(source);
  return match(expected, (name) => query.getAll(name), 'HOWDAH_BAD_QUERY');
}

/** As matchQuery(), of the cookies of a request. @throws HowdahError HOWDAH_BAD_COOKIE (400) */
export function matchCookies<const S extends Readonly<Record<string, Expected>>>(
  request: Pick<Request, 'headers'>,
  expected: S,
): Matched<S> {
  const cookies = readCookies(request);
  return match(expected, (name) => (cookies.has(name) ? [cookies.get(name) ?? ''] : []), 'HOWDAH_BAD_COOKIE');
}

/** All cookies of a request, decoded; of those of the same name, the first (RFC 6265 §5.4: the most specific). */
export function readCookies(request: Pick<Request, 'headers'>): ReadonlyMap<string, string> {
  const cookies = new Map<string, string>();
  for (const [name, value] of Object.entries(parseCookie(request.headers.get('cookie') ?? ''))) {
    if (value !== undefined) cookies.set(name, value);
  }
  return cookies;
}

function queryOf(source: Pick<Request, 'url'> | URL): URLSearchParams {
  const text = 'searchParams' in source ? source.search : source.url;
  const start = text.indexOf('?');
  if (start < 0) return new URLSearchParams();
  const end = text.indexOf('#', start);
  return new URLSearchParams(text.slice(start + 1, end < 0 ? undefined : end));
}

function match<S extends Readonly<Record<string, Expected>>>(
  expected: S,
  valuesOf: (name: string) => readonly string[],
  code: ErrorCode,
): Matched<S> {
  const matched: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const [name, expectation] of Object.entries(expected)) {
    const {
      is,
      many,
      default: otherwise,
    } = typeof expectation === 'function'
      ? { is: expectation, many: false, default: undefined }
      : expectation;
    const texts = valuesOf(name);
    const [first] = texts;
    if (many === true) matched[name] = texts.map((text) => convert(name, text, is, code));
    else if (first !== undefined) matched[name] = convert(name, first, is, code);
    else if (typeof expectation !== 'function' && 'default' in expectation) matched[name] = otherwise;
    else throw new HowdahError(code, `${name} is missing`);
  }
  return matched as Matched<S>;
}

function convert(name: string, text: string, is: ExpectedValue['is'], code: ErrorCode): unknown {
  let value: unknown = text;
  const steps = is === undefined ? [] : typeof is === 'function' ? [is] : is;
  for (const step of steps as readonly ((value: unknown) => unknown)[]) {
    value = step(value);
    if (value === undefined)
      throw new HowdahError(code, `${name} is not allowed to be ${JSON.stringify(text.slice(0, 100))}`);
  }
  return value;
}

/** The query of these values, `?` and all, by the constraints that would read them back; null, undefined and empty arrays are left out. */
export function writeQuery(
  values: Readonly<Record<string, unknown>>,
  expected: Readonly<Record<string, Expected>> = {},
): string {
  const query = new URLSearchParams();
  for (const [name, given] of Object.entries(values)) {
    const expectation = expected[name];
    const is = typeof expectation === 'function' ? expectation : expectation?.is;
    for (const value of Array.isArray(given) ? (given as unknown[]) : [given]) {
      if (value !== null && value !== undefined) query.append(name, reversed(value, is));
    }
  }
  return query.size === 0 ? '' : `?${query.toString()}`;
}

function reversed(value: unknown, is: ExpectedValue['is']): string {
  const steps = is === undefined ? [] : typeof is === 'function' ? [is] : is;
  let result = value;
  for (const step of (steps as readonly Constraint[]).toReversed()) {
    if (step.reverse !== undefined) result = step.reverse(result);
  }
  return String(result);
}
