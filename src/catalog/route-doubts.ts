// What is odd about a route in SQL though it can be called: patterns that nothing matches, arguments that are hardly what was meant.
import type { HandlerArgument, RouteRow, UrlPatternRow } from './catalog-rows.ts';
import { namesOfGroups } from './group-arguments.ts';

/** Why no request can match the pattern; null: one may. */
export function unmatchable({ pathname }: UrlPatternRow): string | null {
  // With anything else at the beginning (`*`, `:name`, `{`, `(`), the path may still be matched.
  if (typeof pathname !== 'string' || !/^[\w.~%-]/.test(pathname)) return null;
  return `no path is matched by ${JSON.stringify(pathname)}: paths begin with /`;
}

/**
 * What gets something else than its name says, beside a group of the pattern that nothing takes: `/notes/:note_id` to a function of
 * `id int` has it called with the number of the listener, always the same.
 */
export function argumentDoubt(row: RouteRow): string | null {
  const groups = namesOfGroups(row.match);
  const untaken = new Set(groups);
  for (const { parameter } of row.arguments) if (parameter !== undefined) untaken.delete(parameter);
  // "0" and so on: of asterisks, which hardly anybody wants.
  const named = [...untaken].filter((name) => !/^\d+$/.test(name));
  const odd = row.arguments.find((argument) => isNoGroup(argument, groups));
  if (named.length === 0 || odd === undefined) return null;
  const given = odd.pass === 'listener' ? 'the number of the listener' : 'null';
  return `its parameter ${odd.parameter} ${odd.type} gets ${given}: the groups of its pattern are ${[...groups].join(', ')}`;
}

function isNoGroup({ mode, pass, parameter }: HandlerArgument, groups: ReadonlySet<string>): boolean {
  if (mode !== 'in' || parameter === undefined || parameter === '' || groups.has(parameter)) return false;
  return pass === 'null' || (pass === 'listener' && !/listener/i.test(parameter));
}
