// What handlers in SQL get of the groups of their route's pattern (`/notes/:id`): an IN parameter that is named like a group has its
// text, converted by PostgreSQL to the parameter's type. Such parameters are an addition to omni_httpd, where they are null.
import type { RouteGroups } from '../web/route-groups.ts';
import { groupNames } from '../web/route-pattern.ts';
import type { HandlerArgument, UrlPatternRow } from './catalog-rows.ts';

export interface GroupArgument {
  /** Of the group, and of the parameter. */
  readonly name: string;
  /** As format_type prints it. */
  readonly type: string;
}

/** Texts of the groups that a handler has parameters for, decoded; null: the group took no part in the match. */
export type GroupTexts = Readonly<Record<string, string | null>>;

/** Those of a route's arguments that are filled from its pattern, by their places. */
export function groupArguments(
  match: UrlPatternRow,
  handlerArguments: readonly HandlerArgument[],
): ReadonlyMap<number, GroupArgument> {
  const found = new Map<number, GroupArgument>();
  if (!handlerArguments.some(mayBeGroup)) return found;
  const names = namesOfGroups(match);
  for (const [place, argument] of handlerArguments.entries()) {
    const { parameter, type } = argument;
    if (mayBeGroup(argument) && parameter !== undefined && names.has(parameter))
      found.set(place, { name: parameter, type });
  }
  return found;
}

/** Names of the groups of a pattern. */
export function namesOfGroups(match: UrlPatternRow): ReadonlySet<string> {
  const { protocol, hostname, pathname, search } = match;
  const parts = Object.entries({ protocol, hostname, pathname, search });
  return groupNames(Object.fromEntries(parts.filter(([, text]) => typeof text === 'string')));
}

/** A name goes before a type: an int is the listener's id only where no group is called so. */
function mayBeGroup({ mode, pass, parameter }: HandlerArgument): boolean {
  return mode === 'in' && (pass === 'null' || pass === 'listener') && (parameter ?? '') !== '';
}

/**
 * null: a text cannot be one of its parameter's type, so that the route does not match. That is found here for the types that keys
 * are of; of others PostgreSQL says so.
 */
export function groupTexts(groups: RouteGroups, wanted: Iterable<GroupArgument>): GroupTexts | null {
  const texts: Record<string, string | null> = {};
  for (const { name, type } of wanted) {
    const text = groups[name];
    if (text === undefined) {
      texts[name] = null;
      continue;
    }
    const decoded = decode(text);
    if (decoded === null || FITS[type]?.(decoded) === false) return null;
    texts[name] = decoded;
  }
  return texts;
}

const WHOLE = /^[+-]?\d{1,20}$/;
const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;

const fitsBits =
  (bits: number) =>
  (text: string): boolean => {
    if (!WHOLE.test(text)) return false;
    const value = BigInt(text.startsWith('+') ? text.slice(1) : text);
    return BigInt.asIntN(bits, value) === value;
  };

const FITS: Readonly<Record<string, (text: string) => boolean>> = {
  smallint: fitsBits(16),
  integer: fitsBits(32),
  bigint: fitsBits(64),
  uuid: (text) => UUID.test(text),
};

/** null: it is no text of PostgreSQL's, which is UTF-8 without a NUL. */
function decode(text: string): string | null {
  if (!text.includes('%')) return text;
  try {
    const decoded = decodeURIComponent(text);
    return decoded.includes('\0') ? null : decoded;
  } catch {
    return null;
  }
}

/** The number of the parameter, from 1, that a text could not be converted for; null: the error has another reason. */
export function parameterInError({
  code,
  where,
}: {
  readonly code: string;
  readonly where?: string;
}): number | null {
  // Data exceptions, and the check of a domain. The last line tells what was done: with what a function has raised, that it was called.
  if (where === undefined || !(code.startsWith('22') || code === '23514')) return null;
  const number = /^[^"\n]*\$(\d+)(?: = '.*)?$/.exec(where.slice(where.lastIndexOf('\n') + 1))?.[1];
  return number === undefined ? null : Number(number);
}
