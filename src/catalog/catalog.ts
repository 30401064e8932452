// The catalog in force: reads it, compiles it aside, swaps it in whole, and gives requests to the routes in it. Does not
// know how it is read, nor who says that it has changed.
import { webSocketOffer } from '../server/websocket-handshake.ts';
import type { ExchangeHandler } from '../web/exchange.ts';
import { refuseHandshake } from '../web/websocket.ts';
import type { CatalogOptions } from './catalog-options.ts';
import type { CatalogRows } from './catalog-rows.ts';
import { requestPath } from './request-path.ts';
import { compileSnapshot, emptySnapshot, NO_EPOCH, type Snapshot } from './snapshot.ts';
import { SqlHandshake } from './sql-handshake.ts';
import { SqlRequest } from './sql-request.ts';

/** The methods of omni_http.http_method; others are answered with 501. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']);

export class Catalog {
  readonly options: CatalogOptions;
  #current: Snapshot = emptySnapshot();
  #loading: Promise<Snapshot> | null = null;
  #next: Promise<Snapshot> | null = null;

  constructor(options: CatalogOptions) {
    this.options = options;
  }

  get current(): Snapshot {
    return this.#current;
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
      if (!this.#isCurrent(rows)) this.#swap(compileSnapshot(rows));
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
    this.#current = snapshot;
    const { observer } = this.options;
    const { epoch, routes, problems } = snapshot;
    observer.observe({ kind: 'catalog-swapped', epoch, routes: routes.length, problems: problems.length });
    for (const { router, handler, problem } of problems) {
      observer.observe({ kind: 'route-problem', router, handler, problem });
    }
  }

  /** Answers requests with the routes of the catalog. */
  readonly handle: ExchangeHandler = (exchange) => {
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
  };
}
