// A compiled catalog: immutable, with a number (the epoch), pinned by each request that is routed with it. Not where it
// comes from, nor when it is replaced.
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
import { compileRoute, type SqlRoute } from './sql-route.ts';
import { applicationOf, defaultApplication, type WebSocketApplication } from './websocket-application.ts';

export interface RoutedRequest {
  readonly plan: CallPlan;
  readonly matches: RouteMatches<SqlRoute>;
}

export class Snapshot {
  readonly rows: CatalogRows;
  readonly epoch: string;
  readonly types: CatalogRows['types'];
  readonly listeners: readonly ListenerRow[];
  /** The routes that work, highest priority first. */
  readonly routes: readonly SqlRoute[];
  /** What does not work, found here or by the database. */
  readonly problems: readonly RouteProblem[];
  readonly #router: Router<SqlRoute>;
  readonly #webSockets: Router<WebSocketRow>;
  readonly #applications = new Map<WebSocketRow | null, WebSocketApplication>();
  readonly #plans = new WeakMap<readonly SqlRoute[], CallPlan>();

  constructor(rows: CatalogRows) {
    const problems = [...rows.problems];
    const compiled: SqlRoute[] = [];
    for (const row of rows.routes) {
      const route = compileRoute(row);
      if ('problem' in route) problems.push(problemOf(row, route.problem));
      else compiled.push(route);
    }
    compiled.sort((a, b) => b.row.priority - a.row.priority);
    this.#router = compileRouter(
      compiled.map((route) => ({ pattern: route.row.match, priority: route.row.priority, value: route })),
    );
    const rejected = new Set<SqlRoute>();
    for (const { value, reason } of this.#router.rejected) {
      rejected.add(value);
      problems.push(problemOf(value.row, reason));
    }
    this.#webSockets = compileRouter(
      rows.webSockets
        .filter(({ problem }) => problem === null)
        .map((row) => ({ pattern: row.match, priority: row.priority, value: row })),
    );
    for (const row of rows.webSockets) {
      if (row.problem !== null) problems.push(webSocketProblem(row, row.problem));
    }
    for (const { value, reason } of this.#webSockets.rejected) problems.push(webSocketProblem(value, reason));
    this.rows = rows;
    this.epoch = rows.epoch;
    this.types = rows.types;
    this.listeners = rows.listeners;
    this.routes = compiled.filter((route) => !rejected.has(route));
    this.problems = problems;
  }

  /** The routes for a request and how to call them; null if the request's target is no URL. */
  route(request: RouterRequest): RoutedRequest | null {
    const matches = this.#router.match(request);
    if (matches === null) return null;
    let plan = this.#plans.get(matches.values);
    if (plan === undefined) {
      plan = planCalls(matches.values, this.types);
      this.#plans.set(matches.values, plan);
    }
    return { plan, matches };
  }

  /** The functions for a handshake, which is matched as a GET; null if the request's target is no URL. */
  routeWebSocket(request: RouterRequest): WebSocketApplication | null {
    const matches = this.#webSockets.match({ ...request, method: 'GET' });
    if (matches === null) return null;
    const row = matches.values[0] ?? null;
    let application = this.#applications.get(row);
    if (application === undefined) {
      application = row === null ? defaultApplication(this.types) : applicationOf(row, this.types);
      this.#applications.set(row, application);
    }
    return application;
  }
}

/** Compiles what the database says. Never throws for the sake of one route: that becomes a problem and is left out. */
export function compileSnapshot(rows: CatalogRows): Snapshot {
  return new Snapshot(rows);
}

/** Epoch of the catalog before any was read: that of no database. */
export const NO_EPOCH = '-1';

/** The catalog before any was read: no routes, and nothing can be called with it. */
export function emptySnapshot(): Snapshot {
  return new Snapshot({
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
  });
}

function problemOf(row: RouteRow, problem: string): RouteProblem {
  return { router: row.router, match: patternText(row.match), handler: row.handler, problem };
}

function webSocketProblem({ match, handler }: WebSocketRow, problem: string): RouteProblem {
  return { router: 'howdah.websocket_router', match: patternText(match), handler, problem };
}

/** A pattern as text for people: the method and what is not left open. */
export function patternText(match: UrlPatternRow): string {
  const parts = Object.entries(match).filter(([, value]) => value !== null && value !== undefined);
  return JSON.stringify(Object.fromEntries(parts));
}
