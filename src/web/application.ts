// The routes and middlewares of an application, checked and ready to run. Which route a request is for is the router's
// matter; what is here takes it from there: constraints, middlewares, handler, answer.
import { answerAsked, askedStatus } from './asked-failure.ts';
import type { Observer } from '../observe/observation.ts';
import type { Events } from './events.ts';
import type { Exchange } from './exchange.ts';
import type { AnyBindings, Middleware } from './handler.ts';
import type { RouteDefinition, RouteMatches } from './router.ts';
import type { SqlClient } from './sql-client.ts';
import { HowdahError } from '../errors.ts';
import { convertGroups } from './bindings.ts';
import { CapturedExchange, isAnswered } from './captured-exchange.ts';
import { RequestContext } from './context.ts';
import { LightRequest } from './light-request.ts';
import { isPromise } from './is-promise.ts';
import { PausableLimit, PendingAnswers, type TimeLimit } from './pending-answers.ts';
import { checkMiddlewares, nameOf, type Route } from './route.ts';
import { isResponse, sendResponse } from './send-response.ts';
import { installWebGlobals } from './web-globals.ts';

/** What the server does for handlers. */
export interface ApplicationServices {
  readonly db: SqlClient;
  readonly events: Events;
  readonly observer: Observer;
  /** How long a handler may take to answer, in ms. */
  readonly handlerTimeoutMs: number;
  readonly maxBodyBytes: number;
  /** Whether the answer to a failed handler says what went wrong. */
  readonly dev: boolean;
}

export interface ApplicationDefinition {
  readonly routes: readonly Route[];
  /** Run in order before the request is routed, for every request, those of SQL routes too. */
  readonly middlewares?: readonly Middleware[];
}

const NO_GROUPS = Object.freeze({});

export class Application {
  readonly services: ApplicationServices;
  readonly routes: readonly ApplicationRoute[];
  /** For the router: one for each method of each route. */
  readonly definitions: readonly RouteDefinition<ApplicationRoute>[];
  /** All methods that some route names, for the Allow field. */
  readonly methods: readonly string[];
  readonly #middlewares: readonly Middleware[];
  readonly pending: PendingAnswers;

  /** @throws TypeError with what is wrong */
  constructor({ routes, middlewares = [] }: ApplicationDefinition, services: ApplicationServices) {
    installWebGlobals();
    if (!Array.isArray(routes)) throw new TypeError(`routes are an array, not ${nameOf(routes)}`);
    checkMiddlewares('the application', middlewares);
    this.services = services;
    this.pending = new PendingAnswers();
    this.#middlewares = middlewares;
    this.routes = routes.map((route: Route, index) => {
      if (typeof route !== 'object' || route === null || !('parts' in route) || !('target' in route)) {
        throw new TypeError(`routes[${index}] is ${nameOf(route)}, not what route() makes`);
      }
      return new ApplicationRoute(route, this);
    });
    this.definitions = definitionsOf(this.routes);
    this.methods = [...new Set(this.definitions.flatMap(({ pattern }) => pattern.method ?? []))];
  }

  /** Runs the middlewares, and then `route` with an exchange whose answer they get. */
  handle(exchange: Exchange, route: (exchange: Exchange) => void): void {
    if (this.#middlewares.length === 0) {
      route(exchange);
      return;
    }
    const context = new RequestContext(
      exchange,
      this.services,
      NO_GROUPS,
      NO_GROUPS,
      this.services.maxBodyBytes,
    );
    // What is behind them has a limit of its own.
    const limit = new PausableLimit(this.pending, this.services.handlerTimeoutMs);
    const end = (request: Request): Promise<Response> => {
      const captured = new CapturedExchange(exchange, context, request);
      limit.pause();
      route(captured);
      return captured.response.finally(() => limit.resume());
    };
    settle(exchange, context, this, 'a middleware of the application', limit, () =>
      runMiddlewares(this.#middlewares, context, end),
    );
  }
}

export class ApplicationRoute {
  readonly route: Route;
  readonly #application: Application;
  readonly #maxBodyBytes: number;
  readonly #limit: TimeLimit;
  readonly #middlewares: readonly Middleware[];

  constructor(route: Route, application: Application) {
    const { services } = application;
    this.route = route;
    this.#application = application;
    this.#maxBodyBytes = route.options.maxBodyBytes ?? services.maxBodyBytes;
    const timeoutMs = route.options.timeoutMs ?? services.handlerTimeoutMs;
    this.#limit = { timeoutMs, start: (expired) => application.pending.add(timeoutMs, expired) };
    this.#middlewares = route.options.middlewares ?? [];
  }

  /**
   * Answers the exchange, now or later. False, and nothing is answered, where a constraint says that the route does not
   * match after all.
   */
  run(exchange: Exchange, matches: RouteMatches<unknown>, index: number): boolean {
    const { target, options, pattern } = this.route;
    const groups = matches.groups(index);
    let bindings: AnyBindings | 'no-match' | 'no-text';
    try {
      bindings = convertGroups(groups, options.constraints);
    } catch (error) {
      fail(exchange, this.#application, pattern, error);
      return true;
    }
    if (bindings === 'no-match') return false;
    if (bindings === 'no-text') {
      exchange.fail(400, 'a part of the path that is percent-encoded is not UTF-8 text');
      return true;
    }
    const application = this.#application;
    const context = new RequestContext(exchange, application.services, bindings, groups, this.#maxBodyBytes);
    if (this.#middlewares.length > 0) {
      settle(exchange, context, application, pattern, this.#limit, () =>
        runMiddlewares(this.#middlewares, context, (request) =>
          this.#behindMiddlewares(exchange, context, request),
        ),
      );
    } else if ('handler' in target) {
      settle(exchange, context, application, pattern, this.#limit, target.handler);
    } else {
      try {
        const handled = target.exchange.handleExchange(exchange, context);
        if (handled !== undefined)
          handled.catch((error: unknown) => fail(exchange, application, pattern, error));
      } catch (error) {
        fail(exchange, application, pattern, error);
      }
    }
    return true;
  }

  async #behindMiddlewares(exchange: Exchange, context: RequestContext, request: Request): Promise<Response> {
    const { target } = this.route;
    if ('handler' in target) {
      context.request = request;
      return checked(await target.handler(request, context), 'the handler');
    }
    const captured = new CapturedExchange(exchange, context, request);
    context.request = request;
    const handled = target.exchange.handleExchange(captured, context);
    // Where it rejects before it has answered, that is the answer.
    return handled === undefined ? captured.response : Promise.race([captured.response, failing(handled)]);
  }
}

/** Rejects as `handled` does; never resolves. */
async function failing(handled: Promise<void>): Promise<never> {
  await handled;
  return new Promise<never>(() => {});
}

/** A GET route answers HEAD too, unless there is a HEAD route with the same pattern. */
function definitionsOf(routes: readonly ApplicationRoute[]): RouteDefinition<ApplicationRoute>[] {
  const heads = new Set(
    routes
      .filter(({ route }) => route.methods?.includes('HEAD'))
      .map(({ route }) => JSON.stringify(route.parts)),
  );
  return routes.flatMap((value) => {
    const { methods, parts, options } = value.route;
    const priority = options.priority ?? 0;
    if (methods === null) return [{ pattern: parts, priority, value }];
    const all = new Set(methods);
    if (all.has('GET') && !heads.has(JSON.stringify(parts))) all.add('HEAD');
    return Array.from(all, (method) => ({ pattern: { ...parts, method }, priority, value }));
  });
}

function runMiddlewares(
  middlewares: readonly Middleware[],
  context: RequestContext,
  end: (request: Request) => Promise<Response>,
): Promise<Response> {
  const from = async (index: number, request: Request): Promise<Response> => {
    const run = middlewares[index];
    if (run === undefined) return end(request);
    let called = false;
    const next = (changed: Request = request): Promise<Response> => {
      if (called) return Promise.reject(new Error('a middleware calls next() once'));
      called = true;
      const response = from(index + 1, changed);
      // A middleware that looks at it later, or never, is no reason to end the process.
      response.catch(() => undefined);
      return response;
    };
    return checked(await run(request, context, next), 'a middleware');
  };
  return from(0, context.request);
}

/** Runs what answers the request, and sends what it gives, or says what went wrong. */
function settle(
  exchange: Exchange,
  context: RequestContext,
  application: Application,
  pattern: string,
  limit: TimeLimit,
  run: (request: Request, context: RequestContext) => Response | Promise<Response>,
): void {
  let result: unknown;
  try {
    const { request } = context;
    result = run(request, context);
  } catch (error) {
    fail(exchange, application, pattern, error);
    return;
  }
  if (!isPromise(result)) {
    answer(exchange, context, application, pattern, result);
    return;
  }
  const settled = limit.start(() => {
    application.services.observer.observe({
      kind: 'handler-timeout',
      id: exchange.id,
      handler: pattern,
      limitMs: limit.timeoutMs,
    });
    const { request } = context;
    if (LightRequest.is(request)) LightRequest.expire(request);
    exchange.fail(504);
  });
  result.then(
    (response) => {
      settled();
      answer(exchange, context, application, pattern, response);
    },
    (error: unknown) => {
      settled();
      fail(exchange, application, pattern, error);
    },
  );
}

function answer(
  exchange: Exchange,
  context: RequestContext,
  application: Application,
  pattern: string,
  response: unknown,
): void {
  try {
    const sent = checked(response, 'the handler');
    if (!isAnswered(sent)) sendResponse(exchange, sent, context.responseTrailers);
  } catch (error) {
    fail(exchange, application, pattern, error);
  }
}

function checked(response: unknown, who: string): Response {
  if (isResponse(response)) return response;
  throw new TypeError(`${who} gave ${nameOf(response)}, not a Response`);
}

function fail(exchange: Exchange, application: Application, pattern: string, error: unknown): void {
  // Whom nobody waits for any more, or who was told already (413), is no failure of the application's.
  if (exchange.closed) {
    if (exchange instanceof CapturedExchange) exchange.abandon(error);
    return;
  }
  const { observer, dev } = application.services;
  if (error instanceof HowdahError && error.status !== null && error.status < 500) {
    exchange.fail(error.status, error.message);
    return;
  }
  const asked = askedStatus(sqlStateOf(error));
  if (asked !== null && asked < 500) {
    answerAsked(exchange, asked, messageOf(error));
    return;
  }
  observer.observe({
    kind: 'handler-failed',
    id: exchange.id,
    handler: pattern,
    sqlState: sqlStateOf(error),
    message: messageOf(error),
    detail: null,
    hint: error instanceof HowdahError ? error.hint : null,
    where: error instanceof Error ? (error.stack ?? null) : null,
  });
  if (asked !== null) {
    answerAsked(exchange, asked, messageOf(error));
  } else if (error instanceof HowdahError && error.status !== null) {
    exchange.fail(error.status);
  } else if (dev) {
    exchange.respond({
      status: 500,
      fields: ['content-type', 'text/plain; charset=utf-8', 'cache-control', 'no-store'],
      body: `Internal server error (request ${exchange.id})\n\n${describe(error)}\n`,
    });
  } else {
    exchange.fail(500);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Of an SqlFailure, which is made in another room. */
function sqlStateOf(error: unknown): string | null {
  const sql: unknown = typeof error === 'object' && error !== null && 'sql' in error ? error.sql : null;
  const code: unknown = typeof sql === 'object' && sql !== null && 'code' in sql ? sql.code : null;
  return typeof code === 'string' ? code : null;
}
