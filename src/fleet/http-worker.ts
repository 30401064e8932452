// An HTTP worker: the network side of one process with the sessions that it owns. Serves the connections that it is given with
// the routes of the catalog, which it keeps up to date. Opens neither the database nor sockets, and knows of no other worker.
import type { Socket } from 'node:net';
import type { CatalogRows } from '../catalog/catalog-rows.ts';
import { Catalog } from '../catalog/catalog.ts';
import { databaseClient } from '../catalog/database-client.ts';
import { EventClient } from '../catalog/event-client.ts';
import { EVENTS_CHANNEL, EventHub } from '../catalog/event-hub.ts';
import { WEBSOCKET_CHANNEL, WebSocketHub } from '../catalog/websocket-hub.ts';
import type { Database } from '../database/database.ts';
import { SqlFailure } from '../database/exchange-result.ts';
import type { Observer } from '../observe/observation.ts';
import type { ProxyHeader } from '../transport/listener.ts';
import { compress } from '../server/compress.ts';
import { decompress } from '../server/decompress.ts';
import { HttpServer } from '../server/http-server.ts';
import type { StreamCounts } from '../server/stream.ts';
import { Application } from '../web/application.ts';
import type { ApplicationConfig } from '../web/define-application.ts';
import { LocalFiles } from '../web/local-files.ts';
import type { StreamHandlerChain, StreamHandlerFactory } from '../server/stream-handler.ts';
import { ReverseProxy } from '../web/proxy.ts';
import { requestHandler } from '../web/request-handler.ts';
import type { SqlClient } from '../web/sql-client.ts';
import { loadApplication } from './application-module.ts';
import { CATALOG_CHANNEL } from './open-database.ts';

/** How requests are handled, the same in every worker of a server; plain values, which can be sent to a process. */
export interface RequestOptions {
  /** Whether the observer is told of each request (an access log, say). */
  readonly observeRequests: boolean;
  /** SQL errors are shown in responses. */
  readonly dev: boolean;
  /** Responses are compressed where the client accepts it. */
  readonly compress: boolean;
  /** Request bodies are decompressed; handlers see them as if they had been sent so. */
  readonly decompress: boolean;
  readonly maxBodyBytes: number;
  /** Of the rows of a statement that a handler in TypeScript runs. */
  readonly maxResultBytes: number;
  readonly handlerTimeoutMs: number;
  /** How long events are kept for clients that come again, in ms. */
  readonly eventRetentionMs: number;
  /** Directories that handlers may answer with files of. */
  readonly allowedDirectories: readonly string[];
  /** Absolute path of a module whose default export is an application; null: none. Each worker loads it. */
  readonly applicationModule: string | null;
  /** Peers whose connections begin with a PROXY protocol header (AllowedPeers). Default: nobody. */
  readonly proxyFrom?: readonly string[];
}

export interface HttpWorkerOptions extends RequestOptions {
  /** Open, listening to WORKER_CHANNELS; whoever opened it closes it, after the worker. */
  readonly database: Database;
  readonly observer: Observer;
  /** An application that is at hand, in place of a module. */
  readonly application?: ApplicationConfig | null;
  /** Whether this worker looks for what no trigger tells of; one of a fleet is enough. Default true. */
  readonly pollsCatalog?: boolean;
}

/** What a worker's database is to listen to, besides the catalog's channel. */
export const WORKER_CHANNELS: readonly string[] = [WEBSOCKET_CHANNEL, EVENTS_CHANNEL];

/**
 * The usual poll: a look (0.3 ms on the embedded engine) at whether there is anything that no trigger tells of, and only
 * then the poll itself (14 ms and more).
 */
const POLL_WHAT_NOTHING_TELLS = `
  select howdah.poll_catalog()
  where exists (select from howdah.polled_routers)
    or exists (select from howdah.stand_ins where problem is not null)
    or not exists (
      select from pg_catalog.pg_event_trigger
      where evtname = 'refresh_available_routers' and evtenabled <> 'D'
    )`;

/** What triggers should have told of is looked for now and then all the same. */
const POLLS_PER_FULL_POLL = 60;

/** How often what no trigger tells of is looked for (views over functions, foreign tables). */
const POLL_INTERVAL_MS = 1000;

export class HttpWorker {
  readonly catalog: Catalog;
  readonly http: HttpServer;
  readonly webSockets: WebSocketHub;
  readonly events: EventHub;
  /** The same for handlers in TypeScript. */
  readonly eventClient: EventClient;
  readonly #database: Database;
  readonly #observer: Observer;
  readonly counts: StreamCounts = { begun: 0, ended: 0 };
  readonly #proxy = new ReverseProxy();
  readonly #pollsCatalog: boolean;
  readonly #options: HttpWorkerOptions;
  readonly #db: SqlClient;
  #chain: StreamHandlerChain;
  #poll: NodeJS.Timeout | null = null;
  #polling = false;
  #pollFailure = '';
  #polls = 1;

  constructor(options: HttpWorkerOptions) {
    const { database, observer, observeRequests, maxBodyBytes, maxResultBytes, handlerTimeoutMs, dev } =
      options;
    this.events = new EventHub(database, observer, { retentionMs: options.eventRetentionMs });
    this.eventClient = new EventClient(this.events, database);
    const files = new LocalFiles(options.allowedDirectories);
    this.#database = database;
    this.#observer = observer;
    this.#pollsCatalog = options.pollsCatalog ?? true;
    this.webSockets = new WebSocketHub(database, observer);
    this.catalog = new Catalog({
      loadRows: () => this.#loadRows(),
      dispatcher: database,
      observer,
      proxy: (exchange, body, target) => void this.#proxy.forward(exchange, body, target),
      file: (exchange, file) => files.respond(exchange, file),
      webSockets: this.webSockets,
      events: this.events,
      maxBodyBytes,
      maxResultBytes,
      handlerTimeoutMs,
      dev,
    });
    this.#options = options;
    this.#db = databaseClient(database, this.catalog.options);
    this.#chain = handlerChain(options, [], requestHandler(this.catalog.handle));
    const chain = (): StreamHandlerChain => this.#chain;
    this.http = new HttpServer({
      get handlers() {
        return chain();
      },
      observer,
      observeRequests,
      counts: this.counts,
    });
  }

  /**
   * Serves an application, or none, in place of the one before, from the next request on.
   * @throws TypeError with what is wrong with it
   */
  useApplication(config: ApplicationConfig | null): void {
    const last = requestHandler(this.catalog.handle);
    if (config === null) {
      this.catalog.setApplication(null);
      this.#chain = handlerChain(this.#options, [], last);
      return;
    }
    const { observer, handlerTimeoutMs, maxBodyBytes, dev } = this.#options;
    const events = this.eventClient;
    const services = { db: this.#db, events, observer, handlerTimeoutMs, maxBodyBytes, dev };
    const application = new Application(config, services);
    this.catalog.setApplication({ application, sqlFallback: config.sqlFallback ?? false });
    this.#chain = handlerChain(this.#options, config.streamHandlers ?? [], last);
  }

  /** Reads the catalog, and follows it from now on. Rejects where it cannot be read or compiled. */
  async start(): Promise<void> {
    const { application, applicationModule } = this.#options;
    if (application !== undefined && application !== null) this.useApplication(application);
    else if (applicationModule !== null) this.useApplication(await loadApplication(applicationModule));
    this.#database.onNotification(CATALOG_CHANNEL, () => this.#refreshCatalog());
    this.#database.onNotification(WEBSOCKET_CHANNEL, (node) => this.webSockets.wake(node));
    this.#database.onNotification(EVENTS_CHANNEL, (channel) => this.events.wake(channel));
    await this.catalog.refresh();
    await this.#reportProblems();
    this.#startPolling();
  }

  /** Serves an accepted connection, whose TLS handshake is done if it has one. */
  accept(socket: Socket, listenerId: number, header: ProxyHeader | null): void {
    this.http.accept(socket, listenerId, header);
  }

  /** Reads the catalog and the events anew, where a notification may have been missed. */
  refresh(): void {
    this.events.wakeAll();
    this.#refreshCatalog();
  }

  #refreshCatalog(): void {
    this.catalog
      .refresh()
      .then(() => this.#reportProblems())
      .catch((error: unknown) => this.#observeError('catalog refresh', error));
  }

  /** Asks the database for nothing more on its own account. */
  stopPolling(): void {
    if (this.#poll !== null) clearInterval(this.#poll);
  }

  /** Ends what is connected, as `close` does, until `resume`. To be called when nothing is accepted any more. */
  async suspend(deadlineMs: number, accepted?: Promise<unknown>): Promise<void> {
    this.stopPolling();
    await this.http.closeConnections(deadlineMs, accepted);
  }

  async resume(): Promise<void> {
    await this.catalog.refresh();
    this.#startPolling();
  }

  /**
   * Lets requests finish until `deadlineMs` from now, then ends everything. To be called when nothing is accepted any more;
   * `accepted` resolves when all that was has ended, handshakes included. `served` is called when nothing is served any more, before
   * anything that comes later can be.
   */
  async close(deadlineMs: number, accepted?: Promise<unknown>, served?: () => void): Promise<void> {
    this.stopPolling();
    await this.http.drain(deadlineMs, accepted);
    served?.();
    await this.webSockets.close();
    await this.#proxy.close();
  }

  async #loadRows(): Promise<CatalogRows> {
    const { rows } = await this.#database.query('select howdah.catalog()::text');
    return JSON.parse(rows[0]?.[0] ?? 'null') as CatalogRows;
  }

  /** What could not be compiled can be read with SQL (howdah.route_problems). */
  async #reportProblems(): Promise<void> {
    const { problems } = this.catalog.current;
    await this.#database.query('select howdah.report_problems($1::jsonb)', [JSON.stringify(problems)]);
  }

  #startPolling(): void {
    this.#poll = setInterval(() => this.#pollDatabase(), POLL_INTERVAL_MS);
    this.#poll.unref();
  }

  #pollDatabase(): void {
    this.webSockets.poll(Date.now());
    this.events.poll(Date.now());
    if (this.#polling || !this.#pollsCatalog) return;
    this.#polling = true;
    this.#database
      .query(
        this.#polls++ % POLLS_PER_FULL_POLL === 0 ? 'select howdah.poll_catalog()' : POLL_WHAT_NOTHING_TELLS,
      )
      .then(
        () => {
          this.#pollFailure = '';
        },
        (error: unknown) => this.#pollFailed(error),
      )
      .finally(() => {
        this.#polling = false;
      });
  }

  /** A lost session is told of where it was lost; what goes on failing in the same way is told once. */
  #pollFailed(error: unknown): void {
    if (!(error instanceof SqlFailure) || error.message === this.#pollFailure) return;
    this.#pollFailure = error.message;
    this.#observeError('poll of the catalog', error);
  }

  #observeError(where: string, error: unknown): void {
    this.#observer.observe({ kind: 'internal-error', where, error });
  }
}

/** Those of the application see what is sent before it is compressed, and what came after it was decompressed. */
function handlerChain(
  options: HttpWorkerOptions,
  ofApplication: readonly StreamHandlerFactory[],
  last: StreamHandlerFactory,
): StreamHandlerChain {
  let chain: StreamHandlerChain = [last];
  for (const handler of [...ofApplication].reverse()) chain = [handler, ...chain];
  if (options.decompress) chain = [decompress(), ...chain];
  return options.compress ? [compress(), ...chain] : chain;
}
