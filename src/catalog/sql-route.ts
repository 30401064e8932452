// One route of the catalog: whether it can be called at all, and the SQL expression that calls it. Not the order in
// which the routes of a request are called.
import type { HandlerArgument, RouteRow } from './catalog-rows.ts';
import { groupArguments, type GroupArgument } from './group-arguments.ts';

/** Name of the type of outcomes, as format_type prints it. */
export const OUTCOME_TYPE = 'omni_httpd.http_outcome';

export interface SqlRoute {
  readonly row: RouteRow;
  /** A procedure that is called as such: in a statement of its own. Not one that has a stand-in, which is a function. */
  readonly isProcedure: boolean;
  /** An INOUT outcome makes it middleware; everything else is a handler (omni_httpd.md §8.1). */
  readonly middleware: boolean;
  /** May change data or what is kept in the session. */
  readonly volatile: boolean;
  /** Place of the outcome among the OUT and INOUT parameters; -1 if it is none of them. */
  readonly outcomeColumn: number;
  /** Number of OUT and INOUT parameters. */
  readonly columns: number;
  /** By their places, the arguments that have the text of one of the pattern's groups. */
  readonly groups: ReadonlyMap<number, GroupArgument>;
}

/** Where the arguments of a call come from: SQL expressions, usually `$n`. */
export interface ArgumentExpressions {
  request(): string;
  listener(): string;
  row(route: SqlRoute): string;
  /** With the type of the argument. */
  group(route: SqlRoute, argument: GroupArgument): string;
  /** The outcome so far. */
  outcome(): string;
}

// No null of these can be passed. format_type prints those of pg_catalog without schema, and "any" quoted.
const PSEUDO_TYPE =
  /^(?:any(?:element|array|nonarray|enum|range|multirange)|anycompatible(?:array|nonarray|range|multirange)?|"any"|internal|cstring|void|trigger|event_trigger|language_handler|record|record\[\]|unknown)$/;

/** The reason why the row cannot be a route, or the route. */
export function compileRoute(row: RouteRow): SqlRoute | { readonly problem: string } {
  if (row.returnsSet) {
    return { problem: 'what returns a set, an aggregate or a variadic function cannot be a handler' };
  }
  if (row.role !== null && row.standIn === null) {
    return { problem: `nothing runs it as the role ${row.role} of omni_httpd.handler_role` };
  }
  const groups = groupArguments(row.match, row.arguments);
  for (const argument of row.arguments) {
    if (argument.mode !== 'out' && argument.pass === 'null' && PSEUDO_TYPE.test(argument.type)) {
      return { problem: `no argument can be passed for a parameter of type ${argument.type}` };
    }
  }
  const neverRuns = row.strict === true ? argumentThatIsNull(row, groups) : undefined;
  if (neverRuns !== undefined) {
    return {
      problem:
        `it is strict and would never run, since nothing is passed for its parameter of type ${neverRuns.type}: ` +
        `alter function ${row.handler} called on null input`,
    };
  }
  const returned = row.arguments.filter((argument) => argument.mode !== 'in');
  const outcomes = returned.filter(isOutcome);
  if (row.outcome !== 'none' && row.outcome !== 'result' && outcomes.length !== 1) {
    return { problem: `it has ${outcomes.length} OUT or INOUT parameters of type ${OUTCOME_TYPE}, not one` };
  }
  return {
    row,
    isProcedure: row.kind === 'procedure' && row.standIn === null,
    middleware: row.outcome === 'inout',
    volatile: row.kind === 'procedure' || row.volatility === 'volatile',
    outcomeColumn: row.outcome === 'none' ? -1 : returned.findIndex(isOutcome),
    columns: returned.length,
    groups,
  };
}

/** An argument that is null in every call. */
function argumentThatIsNull(row: RouteRow, groups: SqlRoute['groups']): HandlerArgument | undefined {
  return row.arguments.find(
    ({ mode, pass }, place) =>
      mode !== 'out' && !groups.has(place) && (pass === 'null' || (pass === 'outcome' && mode === 'in')),
  );
}

function isOutcome(argument: HandlerArgument): boolean {
  return argument.type === OUTCOME_TYPE || (argument.mode === 'inout' && argument.pass === 'outcome');
}

/** An expression that calls a function and has its outcome as value. */
export function functionCall(route: SqlRoute, expressions: ArgumentExpressions): string {
  const { row } = route;
  const texts = row.arguments
    .flatMap((argument, place) =>
      argument.mode === 'out' ? [] : [argumentText(route, argument, place, expressions)],
    )
    .join(', ');
  if (row.standIn !== null) return `${row.standIn}(${texts})`;
  const call = `${row.name}(${texts})`;
  // Called for what it does; `is null` makes it run, whatever it returns, void included.
  if (row.outcome === 'none') return `case when row(${call}) is null then null::${OUTCOME_TYPE} end`;
  if (route.columns < 2) return call;
  const names = Array.from({ length: route.columns }, (_, i) => `c${i}`);
  return `(select r.c${route.outcomeColumn} from ${call} as r(${names.join(', ')}))`;
}

/**
 * A statement that calls a procedure: OUT parameters need a placeholder. `change` is applied to the first argument that is
 * evaluated, where there is one.
 */
export function procedureCall(
  route: SqlRoute,
  expressions: ArgumentExpressions,
  change: (argument: string) => string,
): string {
  const first = route.row.arguments.findIndex(({ mode }) => mode !== 'out');
  const passed = route.row.arguments.map((argument, i) => {
    const text = argumentText(route, argument, i, expressions);
    return i === first ? change(text) : text;
  });
  return `call ${route.row.name}(${passed.join(', ')})`;
}

function argumentText(
  route: SqlRoute,
  argument: HandlerArgument,
  place: number,
  expressions: ArgumentExpressions,
): string {
  const group = route.groups.get(place);
  if (group !== undefined) return expressions.group(route, group);
  if (argument.mode === 'out') return nullOf(argument);
  switch (argument.pass) {
    case 'request':
      return expressions.request();
    case 'listener':
      return expressions.listener();
    case 'row':
      return expressions.row(route);
    case 'outcome':
      // An IN parameter of this type gets null (omni_httpd.md §8.2).
      if (argument.mode === 'inout') return expressions.outcome();
      break;
    case 'null':
      break;
  }
  return nullOf(argument);
}

/** With its type, so that of several functions of one name the right one is called. */
function nullOf(argument: HandlerArgument): string {
  return PSEUDO_TYPE.test(argument.type) ? 'null' : `null::${argument.type}`;
}
