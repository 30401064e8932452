// A compiled catalog: immutable, with a number (the epoch), pinned by each request that is routed with it. Not where it
// comes from, nor when it is replaced.
import { ApplicationRoute, type Application } from '../web/application.ts';
import { convertGroups } from '../web/bindings.ts';
import { argumentDoubt, unmatchable } from './route-doubts.ts';
import { compileRouter, type RouteMatches, type Router } from '../web/router.ts';
import type { RouterRequest } from '../web/url-target.ts';
import { planCalls, type CallPlan } from './call-plan.ts';
import type {
  CatalogRows,
  ListenerRow,
  RouteProblem,
  RouteRow,
  UrlPatternRow,
  WebSocketRow,
} from './catalog-rows.ts';
import { groupTexts, type GroupTexts } from './group-arguments.ts';
import { compileRoute, type SqlRoute } from './sql-route.ts';
import { applicationOf, defaultApplication, type WebSocketApplication } from './websocket-application.ts';

/** What a request can be routed to: a row of a router, or a route of the application. */
export type AnyRoute = SqlRoute | ApplicationRoute;

/** What is done with the requests that the same routes match. */
interface RoutePlan {
  /** Places, in the list, of the routes of the application that come before the first handler in SQL. */
  readonly application: readonly number[];
  /** How the routes in SQL are called. */
  readonly calls: CallPlan;
  /** Whether none of them is there. */
  readonly withoutSql: boolean;
  /** Places of those that are called with groups of their patterns. */
  readonly withGroups: readonly number[];
  /** Plans without those whose groups do not fit their parameters, by the places of these. */
  readonly narrower: Map<string, RoutePlan>;
}

export interface RoutedRequest {
  /** To be tried in order before anything is called. */
  readonly application: readonly number[];
  readonly plan: CallPlan;
  readonly withoutSql: boolean;
  readonly matches: RouteMatches<AnyRoute>;
  /** What the handlers in SQL get of the groups of their patterns. */
  readonly groups: ReadonlyMap<SqlRoute, GroupTexts>;
}

/** What the catalog's rows are joined by. */
export interface ApplicationPart {
  readonly application: Application;
  /** Whether what no other route matches goes to `omni_httpd.handler`, as it does without an application. */
  readonly sqlFallback: boolean;
}

interface WebSocketRoute {
  readonly row: WebSocketRow;
  readonly application: WebSocketApplication;
}

export interface RoutedWebSocket {
  readonly application: WebSocketApplication;
  /** What its functions get of the groups of the row's pattern. */
  readonly groups: GroupTexts;
}

/** Of a request whose handlers have no parameters for groups. */
const NO_GROUPS: ReadonlyMap<SqlRoute, GroupTexts> = new Map();

const DEFAULT_ROUTER = 'omni_httpd.default_router';

export class Snapshot {
  readonly rows: CatalogRows;
  readonly epoch: string;
  readonly types: CatalogRows['types'];
  readonly listeners: readonly ListenerRow[];
  /** The routes that work, highest priority first. */
  readonly routes: readonly SqlRoute[];
  /** What does not work, found here or by the database. */
  readonly problems: readonly RouteProblem[];
  /** Of routes that are served: what is odd about them. */
  readonly doubts: readonly RouteProblem[];
  readonly #application: Application | null;
  readonly #router: Router<AnyRoute>;
  readonly #webSockets: Router<WebSocketRoute>;
  readonly #defaultWebSocket: WebSocketApplication;
  readonly #plans = new WeakMap<readonly AnyRoute[], RoutePlan>();

  constructor(rows: CatalogRows, part: ApplicationPart | null) {
    const problems = [...rows.problems];
    const compiled: SqlRoute[] = [];
    const withoutDefault = part !== null && !part.sqlFallback;
    for (const row of rows.routes) {
      if (withoutDefault && row.router === DEFAULT_ROUTER) continue;
      const never = unmatchable(row.match);
      const route = never === null ? compileRoute(row) : { problem: never };
      if ('problem' in route) problems.push(problemOf(row, route.problem));
      else compiled.push(route);
    }
    compiled.sort((a, b) => b.row.priority - a.row.priority);
    this.#application = part?.application ?? null;
    // First those of the application: of routes with the same priority they go before those in SQL.
    this.#router = compileRouter<AnyRoute>([
      ...(part?.application.definitions ?? []),
      ...compiled.map((route) => ({ pattern: route.row.match, priority: route.row.priority, value: route })),
    ]);
    const rejected = new Set<SqlRoute>();
    for (const { value, reason } of this.#router.rejected) {
      // route() has refused what URLPattern rejects.
      if (value instanceof ApplicationRoute) continue;
      rejected.add(value);
      problems.push(problemOf(value.row, reason));
    }
    const webSockets: WebSocketRoute[] = [];
    for (const row of rows.webSockets) {
      const problem = row.problem ?? unmatchable(row.match);
      const application = problem === null ? applicationOf(row, rows.types) : { problem };
      if ('problem' in application) problems.push(webSocketProblem(row, application.problem));
      else webSockets.push({ row, application });
    }
    this.#webSockets = compileRouter(
      webSockets.map((value) => ({ pattern: value.row.match, priority: value.row.priority, value })),
    );
    for (const { value, reason } of this.#webSockets.rejected)
      problems.push(webSocketProblem(value.row, reason));
    this.#defaultWebSocket = defaultApplication(rows.types);
    this.rows = rows;
    this.epoch = rows.epoch;
    this.types = rows.types;
    this.listeners = rows.listeners;
    this.routes = compiled.filter((route) => !rejected.has(route));
    this.problems = problems;
    this.doubts = this.routes.flatMap(({ row }) => {
      const doubt = argumentDoubt(row);
      return doubt === null ? [] : [problemOf(row, doubt)];
    });
  }

  /** The routes for a request and how to call them; null if the request's target is no URL. */
  route(request: RouterRequest): RoutedRequest | null {
    const matches = this.#router.match(request);
    if (matches === null) return null;
    let plan = this.#plans.get(matches.values);
    if (plan === undefined) {
      plan = this.#plan(matches.values);
      this.#plans.set(matches.values, plan);
    }
    if (plan.withGroups.length === 0) return routed(plan, matches, NO_GROUPS);
    const groups = new Map<SqlRoute, GroupTexts>();
    return routed(this.#withGroups(plan, matches, groups), matches, groups);
  }

  /** Finds the texts of groups; the plan is one without the routes that these do not fit. */
  #withGroups(plan: RoutePlan, matches: RouteMatches<AnyRoute>, into: Map<SqlRoute, GroupTexts>): RoutePlan {
    const unfit: number[] = [];
    for (const index of plan.withGroups) {
      const route = matches.values[index];
      if (route === undefined || route instanceof ApplicationRoute) continue;
      const texts = groupTexts(matches.groups(index), route.groups.values());
      if (texts === null) unfit.push(index);
      else into.set(route, texts);
    }
    if (unfit.length === 0) return plan;
    const key = unfit.join();
    let narrower = plan.narrower.get(key);
    if (narrower === undefined) {
      narrower = this.#plan(matches.values, unfit);
      plan.narrower.set(key, narrower);
    }
    return narrower;
  }

  /** `without`: places of routes that are left out. */
  #plan(routes: readonly AnyRoute[], without: readonly number[] = []): RoutePlan {
    const application: number[] = [];
    const sql: SqlRoute[] = [];
    const withGroups: number[] = [];
    let handled = false;
    for (const [index, route] of routes.entries()) {
      if (route instanceof ApplicationRoute) {
        if (!handled) application.push(index);
        continue;
      }
      if (without.includes(index)) continue;
      if (route.groups.size > 0) withGroups.push(index);
      sql.push(route);
      if (!route.middleware) handled = true;
    }
    return {
      application,
      calls: planCalls(sql, this.types),
      withoutSql: sql.length === 0,
      withGroups,
      narrower: new Map(),
    };
  }

  /** The methods that the routes of the application take for the target of a request; empty where none takes any. */
  allowedMethods(request: RouterRequest): ReadonlySet<string> {
    const allowed = new Set<string>();
    for (const method of this.#application?.methods ?? []) {
      const matches = this.#router.match({ ...request, method });
      const takes = (matches?.values ?? []).some(
        (route, index) =>
          route instanceof ApplicationRoute &&
          matches !== null &&
          typeof convertGroups(matches.groups(index), route.route.options.constraints) === 'object',
      );
      if (takes) allowed.add(method);
    }
    if (allowed.size > 0) allowed.add('OPTIONS');
    return allowed;
  }

  /** The functions for a handshake, which is matched as a GET; null if the request's target is no URL. */
  routeWebSocket(request: RouterRequest): RoutedWebSocket | null {
    const matches = this.#webSockets.match({ ...request, method: 'GET' });
    if (matches === null) return null;
    for (const [index, { application }] of matches.values.entries()) {
      if (application.groups.length === 0) return { application, groups: {} };
      const groups = groupTexts(matches.groups(index), application.groups);
      if (groups !== null) return { application, groups };
    }
    return { application: this.#defaultWebSocket, groups: {} };
  }
}

function routed(
  { application, calls, withoutSql }: RoutePlan,
  matches: RouteMatches<AnyRoute>,
  groups: ReadonlyMap<SqlRoute, GroupTexts>,
): RoutedRequest {
  return { application, plan: calls, withoutSql, matches, groups };
}

/** Compiles what the database says. Never throws for the sake of one route: that becomes a problem and is left out. */
export function compileSnapshot(rows: CatalogRows, part: ApplicationPart | null = null): Snapshot {
  return new Snapshot(rows, part);
}

/** Epoch of the catalog before any was read: that of no database. */
export const NO_EPOCH = '-1';

/** The catalog before any was read: no routes, and nothing can be called with it. */
export function emptySnapshot(): Snapshot {
  return compileSnapshot(emptyRows());
}

/** Those of no database. */
export function emptyRows(): CatalogRows {
  return {
    epoch: NO_EPOCH,
    types: {
      httpRequest: 0,
      httpMethod: 0,
      httpHeader: 0,
      httpHeaderArray: 0,
      httpHeaders: 0,
      httpOutcome: 0,
    },
    listeners: [],
    routes: [],
    webSockets: [],
    problems: [],
  };
}

function problemOf(row: RouteRow, problem: string): RouteProblem {
  return { router: row.router, match: patternText(row.match), handler: row.handler, problem };
}

function webSocketProblem({ match, handler }: WebSocketRow, problem: string): RouteProblem {
  return { router: 'howdah.websocket_router', match: patternText(match), handler, problem };
}

/** A pattern as text for people: the method and what is not left open. */
function patternText(match: UrlPatternRow): string {
  const parts = Object.entries(match).filter(([, value]) => value !== null && value !== undefined);
  return JSON.stringify(Object.fromEntries(parts));
}
