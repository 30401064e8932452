// The catalog in force: reads it, compiles it aside, swaps it in whole, and gives requests to the routes in it. Does not
// know how it is read, nor who says that it has changed.
import { webSocketOffer } from '../server/websocket-handshake.ts';
import { plainError } from '../server/stream.ts';
import { ApplicationRoute } from '../web/application.ts';
import { ReadExchange } from '../web/exchange-layer.ts';
import type { Exchange, ExchangeHandler } from '../web/exchange.ts';
import { requestAuthority } from '../web/request-url.ts';
import type { RouterRequest } from '../web/url-target.ts';
import { refuseHandshake } from '../web/websocket.ts';
import type { CatalogOptions } from './catalog-options.ts';
import type { CatalogRows, RouteProblem } from './catalog-rows.ts';
import { requestPath } from './request-path.ts';
import { compileSnapshot, emptySnapshot, NO_EPOCH, type ApplicationPart, type Snapshot } from './snapshot.ts';
import { SqlHandshake } from './sql-handshake.ts';
import { SqlRequest } from './sql-request.ts';

/** The methods of omni_http.http_method; others are answered with 501. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']);

export class Catalog {
  readonly options: CatalogOptions;
  #current: Snapshot = emptySnapshot();
  #part: ApplicationPart | null = null;
  #loading: Promise<Snapshot> | null = null;
  #next: Promise<Snapshot> | null = null;

  constructor(options: CatalogOptions) {
    this.options = options;
  }

  get current(): Snapshot {
    return this.#current;
  }

  /** Serves the routes of an application, too, from the next request on, in place of those of the one before. */
  setApplication(part: ApplicationPart | null): void {
    this.#part = part;
    this.#current = compileSnapshot(this.#current.rows, part);
  }

  /**
   * Reads the catalog as it is now or later, and gives the snapshot that is then in force. Calls that come while one
   * is being read share the reading after it. What cannot be read or compiled leaves the old one in force and is
   * observed as `catalog-refused`; it rejects only where there is no old one.
   */
  refresh(): Promise<Snapshot> {
    if (this.#loading === null) {
      this.#loading = this.#load();
      return this.#loading;
    }
    this.#next ??= this.#after(this.#loading);
    return this.#next;
  }

  async #after(loading: Promise<Snapshot>): Promise<Snapshot> {
    try {
      await loading;
    } catch {
      // Whoever asked for that one was told.
    }
    this.#next = null;
    this.#loading = this.#load();
    return this.#loading;
  }

  async #load(): Promise<Snapshot> {
    try {
      const rows = await this.options.loadRows();
      if (!this.#isCurrent(rows)) this.#swap(compileSnapshot(rows, this.#part));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.options.observer.observe({ kind: 'catalog-refused', reason });
      if (this.#current.epoch === NO_EPOCH) throw error;
    } finally {
      // Before whoever waits goes on, so that a refresh asked for from now on reads anew.
      this.#loading = null;
    }
    return this.#current;
  }

  /** What was found by looking (a dropped function, say) may differ without a new epoch. */
  #isCurrent(rows: CatalogRows): boolean {
    return this.#current.epoch === rows.epoch && JSON.stringify(this.#current.rows) === JSON.stringify(rows);
  }

  #swap(snapshot: Snapshot): void {
    const former = this.#current;
    this.#current = snapshot;
    const { observer } = this.options;
    const { epoch, routes, problems, doubts } = snapshot;
    observer.observe({ kind: 'catalog-swapped', epoch, routes: routes.length, problems: problems.length });
    for (const { router, handler, problem } of newAmong(problems, former.problems)) {
      observer.observe({ kind: 'route-problem', router, handler, problem });
    }
    for (const { router, match, handler, problem } of newAmong(doubts, former.doubts)) {
      observer.observe({ kind: 'route-doubt', router, match, handler, doubt: problem });
    }
  }

  /** Answers requests with the routes of the catalog and of the application. */
  readonly handle: ExchangeHandler = (exchange) => {
    if (this.#part === null) this.#serveSql(exchange);
    else this.#part.application.handle(exchange, this.#route);
  };

  readonly #route: ExchangeHandler = (exchange) => {
    if (this.#current.epoch === NO_EPOCH) this.#serveSql(exchange);
    else if (!this.#serveApplication(exchange)) this.#serveSql(exchange);
  };

  /** Whether a route of the application, or an error, has taken the request. */
  #serveApplication(exchange: Exchange): boolean {
    const routed = this.#current.route(routerRequest(exchange));
    if (routed === null) {
      exchange.fail(400, 'the target is no URL');
      return true;
    }
    const { matches, application } = routed;
    for (const index of application) {
      const route = matches.values[index];
      if (route instanceof ApplicationRoute && route.run(exchange, matches, index)) return true;
    }
    return false;
  }

  /** For a request whose body is read and that no route in SQL matches. False: there is no application to answer it. */
  serveUnmatched(exchange: Exchange, body: Buffer): boolean {
    if (this.#part === null) return false;
    // The catalog may have moved on since its routes were looked at.
    if (!this.#serveApplication(new ReadExchange(exchange, body))) this.#refuse(exchange);
    return true;
  }

  /** What nothing matches: 404, or what methods there are. */
  #refuse(exchange: Exchange): void {
    const request = routerRequest(exchange);
    const allowed = this.#current.allowedMethods(request);
    const fields = ['allow', [...allowed].join(', ')];
    if (allowed.size === 0) {
      exchange.fail(404);
    } else if (request.method === 'OPTIONS') {
      exchange.respond({ status: 204, fields, body: null });
    } else {
      const error = plainError(405, '');
      exchange.respond({ ...error, fields: [...error.fields, ...fields] });
    }
  }

  #serveSql(exchange: Exchange): void {
    const { head } = exchange;
    const { webSockets } = this.options;
    if (!METHODS.has(head.method)) {
      exchange.fail(501, `the method ${head.method} is not known`);
      return;
    }
    const path = requestPath(head.path);
    if (path === null) {
      exchange.fail(400, 'the path is not UTF-8 text, or has a NUL');
      return;
    }
    const offer = webSockets === undefined ? null : webSocketOffer(head);
    if (webSockets !== undefined && offer !== null) {
      if (offer.kind === 'refusal') refuseHandshake(exchange, offer);
      else new SqlHandshake(this, webSockets, exchange, offer, path).start();
      return;
    }
    exchange.collectBody(this.options.maxBodyBytes, (body) => {
      new SqlRequest(this, exchange, path, body).route();
    });
  }
}

/** Those that have not been told with the catalog before: one that stays is no news with each change of another route. */
function newAmong(found: readonly RouteProblem[], told: readonly RouteProblem[]): RouteProblem[] {
  const known = new Set(told.map((problem) => JSON.stringify(problem)));
  return found.filter((problem) => !known.has(JSON.stringify(problem)));
}

function routerRequest(exchange: Exchange): RouterRequest {
  const { head, scheme } = exchange;
  const { method, path, query } = head;
  const authority = head.authority === '' ? requestAuthority(exchange) : head.authority;
  return { method, scheme, authority, path, query };
}
