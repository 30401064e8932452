// How the routes that match a request are called: which of them run, in which statements (omni_httpd.md §8.4). Built
// once for each list of routes. Calls nothing.
//
// Functions that follow one another are called by one statement, so in one transaction and one round trip:
//
//   select p.o from (select case when STOP then p.o else g($1, p.o) end as o
//                    from (select f($1, null) as o offset 0) p offset 0) p
//
// `offset 0` keeps PostgreSQL from merging the levels, so that f has run before STOP is looked at. Volatile functions
// see what earlier ones changed. A stable one would see what was there before the statement, as in any statement; behind
// a volatile one it is called by howdah.call_afresh(), which is volatile and so has it look anew.
//
// Where the database is a server, the innermost level has a condition on the epoch as well (database/epoch-guard.ts).
//
// A procedure may commit, which it can only in a statement of its own, so it is a step by itself, and the steps of a
// plan that has one are transactions of their own. Whether it called stop_handling() is asked behind it in the same session
// (SqlCall.followUp). A procedure with a role has a function that stands in for it, and cannot commit.
import type { GroupedStatement, PreparedStatement } from '../database/call.ts';
import { assertingEpoch, EPOCH_TYPE, epochIs } from '../database/epoch-guard.ts';
import type { CatalogRows } from './catalog-rows.ts';
import { quoteLiteral } from '../database/session-reset.ts';
import { prepareText } from './prepared-text.ts';
import {
  functionCall,
  OUTCOME_TYPE,
  procedureCall,
  type ArgumentExpressions,
  type SqlRoute,
} from './sql-route.ts';

export type ParameterSource =
  | { readonly kind: 'request' }
  | { readonly kind: 'listener' }
  | { readonly kind: 'outcome' }
  /** The literal of the router's row that matched. */
  | { readonly kind: 'row'; readonly literal: string }
  /** The text of a group of the route's pattern. */
  | { readonly kind: 'group'; readonly route: SqlRoute; readonly name: string };

/** One statement of a plan. */
export interface CallStep {
  readonly statement: PreparedStatement;
  readonly parameters: readonly ParameterSource[];
  /** Column of the result that has the outcome; -1: none has, the outcome becomes null. */
  readonly outcomeColumn: number;
  /** Column that is true after stop_handling(), among those of the statement and of `followUp`; -1 if that does not matter. */
  readonly stopColumn: number;
  /** What is asked behind the statement, in the same session. */
  readonly followUp: PreparedStatement | null;
  readonly resetAfter: boolean;
  /** Whether it may be ended when nobody waits for it: it changes nothing, or its handlers allow that. */
  readonly interruptible: boolean;
  /** Whether it may run again where it was rolled back because of others. */
  readonly repeatable: boolean;
  /** The handlers it calls, for messages. */
  readonly handler: string;
}

export interface CallPlan {
  /** Never empty. */
  readonly steps: readonly CallStep[];
  /** Whether all of it is one transaction that can be rolled back as a whole, so that it can be tried again. */
  readonly atomic: boolean;
}

const INT4_OID = 23;
const TEXT_OID = 25;
const REQUEST_TYPE = 'omni_httpd.http_request';
/** The server infers the type. */
const INFERRED = 0;

// coalesce: not set; '': what a setting of this kind is after the transaction that first set it locally.
const STOP = "coalesce(nullif(current_setting('omni_httpd.stop_handling', true), ''), 'off')::boolean";
/** Whatever an earlier request has left: a handler that is marked as stable may have set it, and then nothing is reset. */
const CLEAR_STOP = "set_config('omni_httpd.stop_handling', 'off', false)";
const NO_OUTCOME = `null::${OUTCOME_TYPE}`;

/** In the session of a procedure, behind it. */
const ASK_WHETHER_STOPPED = prepareText(`select ${STOP}`, []);

/** The plan for `routes`, which match a request, in order. */
export function planCalls(routes: readonly SqlRoute[], types: CatalogRows['types']): CallPlan {
  const groups = groupRoutes(routesThatRun(routes));
  if (groups.length === 0) return { steps: [guardStep()], atomic: true };
  const steps = groups.map((group, i) =>
    group.procedure === null
      ? functionStep(group.functions, types, i > 0, i < groups.length - 1)
      : procedureStep(group.procedure, types, i > 0, i < groups.length - 1),
  );
  return { steps, atomic: steps.length === 1 && groups[0]?.procedure === null };
}

/** Only the first handler, but all middleware before and after it. */
function routesThatRun(routes: readonly SqlRoute[]): SqlRoute[] {
  let handled = false;
  return routes.filter((route) => {
    if (route.middleware) return true;
    const first = !handled;
    handled = true;
    return first;
  });
}

type Group = { readonly procedure: SqlRoute } | { readonly procedure: null; readonly functions: SqlRoute[] };

function groupRoutes(routes: readonly SqlRoute[]): Group[] {
  const groups: Group[] = [];
  for (const route of routes) {
    const last = groups.at(-1);
    if (route.isProcedure) groups.push({ procedure: route });
    else if (last === undefined || last.procedure !== null)
      groups.push({ procedure: null, functions: [route] });
    else last.functions.push(route);
  }
  return groups;
}

/** What a request that no route matches costs: whether that is still so has to be asked. */
function guardStep(): CallStep {
  return {
    ...new Parameters(null).prepareGuarded((guard) => `select ${NO_OUTCOME}${guard}`),
    outcomeColumn: 0,
    stopColumn: -1,
    followUp: null,
    resetAfter: false,
    interruptible: true,
    repeatable: true,
    handler: '',
  };
}

function functionStep(
  routes: readonly SqlRoute[],
  types: CatalogRows['types'],
  continues: boolean,
  goesOn: boolean,
): CallStep {
  const parameters = new Parameters(types);
  const start = (): string => (continues ? parameters.outcome() : NO_OUTCOME);
  const common = {
    outcomeColumn: 0,
    stopColumn: goesOn ? 1 : -1,
    followUp: null,
    resetAfter: routes.some((route) => route.volatile),
    interruptible: routes.every(({ volatile, row }) => !volatile || row.cancelOnDisconnect === true),
    repeatable: routes.every(({ volatile, row }) => !volatile || row.retry === true),
    handler: routes.map((route) => route.row.name).join(', '),
  };
  const [only] = routes;
  if (routes.length === 1 && only !== undefined && !goesOn) {
    const call = functionCall(only, parameters.with(start));
    const prepared = parameters.prepareGuarded(
      (guard, more) => `select ${call}${more}${guard}`,
      !common.resetAfter,
    );
    if (continues || only.volatile || only.row.leavesNothing !== true || only.row.standIn !== null) {
      return { ...common, ...prepared };
    }
    const grouped = parameters.prepareGrouped((expressions) => functionCall(only, expressions));
    return { ...common, ...prepared, statement: { ...prepared.statement, grouped } };
  }
  const calls = routes.map((route, i) => {
    const outcome = i === 0 ? start : () => 'p.o';
    const afresh =
      route.row.volatility === 'stable' && routes.slice(0, i).some((earlier) => earlier.volatile);
    return afresh && route.row.standIn === null
      ? callAfresh(route, parameters.with(outcome))
      : functionCall(route, parameters.with(outcome));
  });
  return {
    ...common,
    ...parameters.prepareGuarded((guard, more) => {
      let source = '';
      for (const call of calls) {
        source =
          source === ''
            ? `select ${call} as o from (select ${CLEAR_STOP}${guard} offset 0) s offset 0`
            : `select case when ${STOP} then p.o else ${call} end as o from (${source}) p offset 0`;
      }
      return `select p.o${goesOn ? `, ${STOP}` : ''}${more} from (${source}) p`;
    }, !common.resetAfter),
  };
}

/** Has a stable function see what was written earlier in the statement. */
function callAfresh(route: SqlRoute, expressions: ArgumentExpressions): string {
  const given = ['null', 'null', 'null', 'null'];
  const groups: string[] = [];
  const use = (number: number, expression: string): string => {
    given[number - 1] = expression;
    return `$${number}`;
  };
  const call = functionCall(route, {
    request: () => use(1, expressions.request()),
    listener: () => use(2, expressions.listener()),
    row: () => `${use(3, `${expressions.row(route)}::text`)}::${route.row.router}`,
    outcome: () => use(4, expressions.outcome()),
    // Converted within, since an array has one type.
    group: (_, { name, type }) => {
      groups.push(expressions.group(route, { name, type: 'text' }));
      return `($5)[${groups.length}]::${type}`;
    },
  });
  if (groups.length > 0) given.push(`array[${groups.join(', ')}]`);
  return `howdah.call_afresh(${quoteLiteral(`select ${call}`)}, ${given.join(', ')})`;
}

function procedureStep(
  route: SqlRoute,
  types: CatalogRows['types'],
  continues: boolean,
  goesOn: boolean,
): CallStep {
  const parameters = new Parameters(types);
  const expressions = parameters.with(() => (continues ? parameters.outcome() : NO_OUTCOME));
  const clears = (argument: string): string =>
    goesOn ? `case when ${CLEAR_STOP} is not null then ${argument} end` : argument;
  const prepared = parameters.prepareGuardedCall((guard) =>
    procedureCall(route, expressions, (argument) => guard(clears(argument))),
  );
  return {
    parameters: prepared.parameters,
    statement: { ...prepared.statement, commits: true },
    outcomeColumn: route.outcomeColumn,
    stopColumn: goesOn ? route.columns : -1,
    followUp: goesOn ? ASK_WHETHER_STOPPED : null,
    resetAfter: true,
    interruptible: route.row.cancelOnDisconnect === true,
    repeatable: false,
    handler: route.row.name,
  };
}

type PreparedCall = Pick<CallStep, 'statement' | 'parameters'>;

/** Numbers the parameters of a statement as they are first used. */
class Parameters {
  readonly #types: CatalogRows['types'] | null;
  readonly #sources: ParameterSource[] = [];
  readonly #oids: number[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #routes: SqlRoute[] = [];

  /** @param types null: none is needed */
  constructor(types: CatalogRows['types'] | null) {
    this.#types = types;
  }

  outcome(): string {
    return `$${this.#number('outcome', this.#types?.httpOutcome ?? INFERRED, { kind: 'outcome' })}`;
  }

  with(outcome: () => string): ArgumentExpressions {
    return { ...this.#expressions((number) => `$${number}`), outcome };
  }

  /** `place` is where the parameter of a number is. */
  #expressions(place: (number: number) => string): ArgumentExpressions {
    return {
      request: () =>
        place(this.#number('request', this.#types?.httpRequest ?? INFERRED, { kind: 'request' })),
      listener: () => `${place(this.#number('listener', INT4_OID, { kind: 'listener' }))}::integer`,
      // A parameter and not a literal, so that the rows of one router share a prepared statement.
      row: ({ row: { router, row } }) => {
        const number = this.#number(`row ${router} ${row}`, INFERRED, { kind: 'row', literal: row });
        return `${place(number)}::${router}`;
      },
      group: (route, { name, type }) => {
        const number = this.#number(`group ${this.#placeOf(route)} ${name} ${type}`, INFERRED, {
          kind: 'group',
          route,
          name,
        });
        return `${place(number)}::${type}`;
      },
      outcome: () => NO_OUTCOME,
    };
  }

  /** The same call for the parameters of many. */
  prepareGrouped(call: (expressions: ArgumentExpressions) => string): GroupedStatement {
    const row = call(this.#expressions((number) => `given.p${number}`));
    // In the select list, a function that returns a set has composites whole. What has no parameters has rows all the same.
    const sources = this.#sources.length === 0 ? [null] : this.#sources;
    const isRequest = (source: ParameterSource | null): boolean => source?.kind === 'request';
    const columns = sources.map((source, i) => {
      const type = isRequest(source) ? REQUEST_TYPE : 'text';
      return `unnest($${i + 1}::${type}[]) as p${i + 1}`;
    });
    const text = `select ${row} from (select ${columns.join(', ')} offset 0) as given`;
    const { name, parameterTypes } = prepareText(
      text,
      columns.map(() => INFERRED),
    );
    const elementTypes = sources.map((source) =>
      isRequest(source) ? (this.#types?.httpRequest ?? INFERRED) : TEXT_OID,
    );
    return { name, text, parameterTypes, elementTypes };
  }

  /**
   * `text` makes the statement with a WHERE clause, or with an empty text in its place, and with more columns behind its own.
   * @param watches whether it is to be had with whom the session is behind it
   */
  prepareGuarded(text: (guard: string, more: string) => string, watches = false): PreparedCall {
    const prepared = this.#prepare(text('', ''), text(` where ${epochIs(this.#next())}`, ''), 'no-row');
    if (!watches) return prepared;
    // A select list is evaluated from left to right.
    const watched = prepareText(text('', ', current_user'), this.#oids);
    return { ...prepared, statement: { ...prepared.statement, watched } };
  }

  /** `text` makes the statement with one argument changed by `guard`; where it has none, it is the same. */
  prepareGuardedCall(text: (guard: (argument: string) => string) => string): PreparedCall {
    const plain = text((argument) => argument);
    return this.#prepare(
      plain,
      text((argument) => assertingEpoch(argument, this.#next())),
      'error',
    );
  }

  #prepare(plain: string, guarded: string, refusal: 'no-row' | 'error'): PreparedCall {
    const statement = prepareText(plain, this.#oids);
    const parameters = this.#sources;
    if (plain === guarded) return { statement, parameters };
    const { name, text, parameterTypes } = prepareText(guarded, [...this.#oids, EPOCH_TYPE]);
    return { statement: { ...statement, guarded: { name, text, parameterTypes, refusal } }, parameters };
  }

  /** The parameter of a guard, behind all others. */
  #next(): string {
    return `$${this.#sources.length + 1}`;
  }

  #placeOf(route: SqlRoute): number {
    const place = this.#routes.indexOf(route);
    return place < 0 ? this.#routes.push(route) - 1 : place;
  }

  #number(key: string, oid: number, source: ParameterSource): number {
    let number = this.#numbers.get(key);
    if (number === undefined) {
      this.#sources.push(source);
      this.#oids.push(oid);
      number = this.#sources.length;
      this.#numbers.set(key, number);
    }
    return number;
  }
}
