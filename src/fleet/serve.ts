// Puts a server together: the embedded database with its schema, the catalog, the HTTP engine and the listeners, all in
// this process (design.md, decision 7). The one place where the rooms meet; what each does is theirs.
import type { CatalogRows } from '../catalog/catalog-rows.ts';
import { Catalog } from '../catalog/catalog.ts';
import type { EmbeddedDatabase, StartingSession } from '../database/embedded/embedded-database.ts';
import { openEmbedded } from '../database/embedded/open-embedded.ts';
import type { SqlResult } from '../database/exchange-result.ts';
import { startGateway, type Gateway, type GatewayAddress } from '../database/gateway/gateway.ts';
import { installSchema } from '../database/schema-installation.ts';
import { HowdahError } from '../errors.ts';
import type { Observer } from '../observe/observation.ts';
import { HttpServer } from '../server/http-server.ts';
import { ReverseProxy } from '../web/proxy.ts';
import { requestHandler } from '../web/request-handler.ts';
import { ListenerConfiguration } from './listener-configuration.ts';
import { ListenerSet, type ListenerResult } from './listener-set.ts';
import { runSqlFiles } from './sql-files.ts';

export interface ServeOptions {
  /** Data directory of the embedded PostgreSQL; null: in memory. */
  readonly dataDirectory: string | null;
  /** Address of the first listener. null: 127.0.0.1:8080 in a new database, what it has in an old one. */
  readonly listen: { readonly host: string; readonly port: number } | null;
  /** Where outside SQL clients are admitted; null: nowhere. */
  readonly gateway: GatewayAddress | null;
  /** Files and directories of SQL to run at start. */
  readonly sqlPaths: readonly string[];
  /** A new database gets no listener and no default page. */
  readonly noInit: boolean;
  /** SQL errors are shown in responses. */
  readonly dev: boolean;
  readonly maxBodyBytes: number;
  readonly handlerTimeoutMs: number;
  readonly observer: Observer;
  /** Whether the observer is told of each request (an access log, say). */
  readonly observeRequests: boolean;
}

export interface RunningServer {
  readonly listeners: readonly { readonly url: string }[];
  /** Connection string for SQL clients, or null. */
  readonly gatewayUrl: string | null;
  /** What serves as the database, in a few words. */
  readonly database: string;
  readonly workers: number;
  /** Stops accepting, lets requests finish until `deadlineMs` from now, then ends everything. Call once. */
  close(deadlineMs: number): Promise<void>;
  /** Resolves when close() has ended. */
  readonly closed: Promise<void>;
}

const DEFAULT_LISTEN = { host: '127.0.0.1', port: 8080 } as const;

/** How often what no trigger tells of is looked for (views over functions, foreign tables). */
const POLL_INTERVAL_MS = 1000;

/** Notified by omni_httpd.reload_configuration(), and so by each change of the listeners. */
const CONFIGURATION_CHANNEL = 'omni_httpd_configuration';
const CATALOG_CHANNEL = 'howdah_catalog';

/**
 * Starts a server; it accepts when the promise resolves.
 * @throws HowdahError where the data directory, an address, a file of SQL or the schema stands in the way; nothing is
 *   left open then
 */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const database = await openEmbedded({
    dataDirectory: options.dataDirectory,
    observer: options.observer,
    handlerTimeoutMs: options.handlerTimeoutMs,
    listenChannels: [CONFIGURATION_CHANNEL],
    onStart: (session) => install(session, options),
  });
  try {
    return await new Server(options, database).start();
  } catch (error) {
    await database.close();
    throw error;
  }
}

async function install(session: StartingSession, { listen, noInit }: ServeOptions): Promise<void> {
  const target = {
    exec: (text: string) => session.exec(text),
    query: async (text: string) => asRecords(await session.query(text)),
  };
  const { host, port } = listen ?? DEFAULT_LISTEN;
  await installSchema(target, { noInit, initAddress: host, initPort: port });
}

function asRecords({ fields, rows }: SqlResult): Record<string, string | null>[] {
  return rows.map((row) => Object.fromEntries(fields.map(({ name }, i) => [name, row[i] ?? null])));
}

class Server {
  readonly #options: ServeOptions;
  readonly #database: EmbeddedDatabase;
  readonly #proxy = new ReverseProxy();
  readonly #catalog: Catalog;
  readonly #http: HttpServer;
  readonly #listeners: ListenerSet;
  readonly #configuration: ListenerConfiguration;
  #gateway: Gateway | null = null;
  #poll: NodeJS.Timeout | null = null;

  constructor(options: ServeOptions, database: EmbeddedDatabase) {
    this.#options = options;
    this.#database = database;
    const { observer, maxBodyBytes, handlerTimeoutMs, dev, observeRequests } = options;
    this.#catalog = new Catalog({
      loadRows: () => this.#loadRows(),
      dispatcher: database,
      observer,
      proxy: (exchange, body, target) => void this.#proxy.forward(exchange, body, target),
      maxBodyBytes,
      handlerTimeoutMs,
      dev,
    });
    this.#http = new HttpServer({
      handlers: [requestHandler(this.#catalog.handle)],
      observer,
      observeRequests,
    });
    this.#listeners = new ListenerSet(
      (socket, listenerId) => this.#http.accept(socket, listenerId),
      observer,
    );
    this.#configuration = new ListenerConfiguration(database, this.#listeners, observer);
  }

  async start(): Promise<RunningServer> {
    const { listen, sqlPaths, gateway } = this.#options;
    const database = this.#database;
    try {
      if (listen !== null) await this.#moveFirstListener(listen);
      await runSqlFiles(sqlPaths, (text) => database.exec(text));
      database.onNotification(CATALOG_CHANNEL, () => this.#refresh());
      await this.#catalog.refresh();
      await this.#reportProblems();
      const results = await this.#configuration.load();
      database.onNotification(CONFIGURATION_CHANNEL, () => this.#configuration.reload());
      if (listen !== null) assertListening(results[0], listen);
      this.#gateway = gateway === null ? null : await startGateway(database, gateway, this.#options.observer);
    } catch (error) {
      await this.#stopAccepting();
      await this.#http.drain(0);
      await this.#proxy.close();
      throw error;
    }
    this.#announce();
    this.#poll = setInterval(() => this.#pollCatalog(), POLL_INTERVAL_MS);
    this.#poll.unref();
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const { dataDirectory } = this.#options;
    const major = database.version.split('.')[0] ?? '';
    const listeners = this.#listeners;
    return {
      get listeners() {
        return listeners.urls.map((url) => ({ url }));
      },
      gatewayUrl: this.#gateway?.url ?? null,
      database: `embedded PostgreSQL ${major} ${dataDirectory === null ? 'in memory' : `in ${dataDirectory}`}`,
      workers: 1,
      closed,
      close: async (deadlineMs) => {
        await this.#close(deadlineMs);
        resolve();
      },
    };
  }

  /** What other commands find in the data directory. */
  #announce(): void {
    this.#database.announce({ gateway: this.#gateway?.address ?? null, listeners: this.#listeners.urls });
  }

  /** What --listen says goes before what an older database has. */
  async #moveFirstListener({ host, port }: { host: string; port: number }): Promise<void> {
    const address = `'${host.replaceAll("'", "''")}'`;
    await this.#database.exec(
      `begin; set local howdah.server_write = 'on';
       update omni_httpd.listeners set address = ${address}, port = ${port}
       where id = (select min(id) from omni_httpd.listeners)
         and (host(address), port::int) is distinct from (host(${address}::inet), ${port});
       insert into omni_httpd.listeners (address, port)
       select ${address}, ${port} where not exists (select from omni_httpd.listeners);
       commit`,
    );
  }

  async #loadRows(): Promise<CatalogRows> {
    const { rows } = await this.#database.query('select howdah.catalog()::text');
    return JSON.parse(rows[0]?.[0] ?? 'null') as CatalogRows;
  }

  #refresh(): void {
    this.#catalog
      .refresh()
      .then(() => this.#reportProblems())
      .catch((error: unknown) => this.#observeError('catalog refresh', error));
  }

  /** What could not be compiled can be read with SQL (howdah.route_problems). */
  async #reportProblems(): Promise<void> {
    const { problems } = this.#catalog.current;
    await this.#database.query('select howdah.report_problems($1::jsonb)', [JSON.stringify(problems)]);
  }

  #pollCatalog(): void {
    this.#database
      .query('select howdah.poll_catalog()')
      .catch((error: unknown) => this.#observeError('poll of the catalog', error));
  }

  #observeError(where: string, error: unknown): void {
    this.#options.observer.observe({ kind: 'internal-error', where, error });
  }

  async #stopAccepting(): Promise<void> {
    if (this.#poll !== null) clearInterval(this.#poll);
    await this.#configuration.settled();
    await this.#listeners.close();
    await this.#gateway?.close();
  }

  async #close(deadlineMs: number): Promise<void> {
    await this.#stopAccepting();
    await this.#http.drain(deadlineMs);
    await this.#proxy.close();
    await this.#database.close();
  }
}

/** An address that somebody asked for by name is that one or an error, never a port nearby. */
function assertListening(result: ListenerResult | undefined, listen: { host: string; port: number }): void {
  const [failure] = result?.failures ?? [];
  if (result === undefined || failure === undefined) return;
  throw new HowdahError('HOWDAH_ADDRESS_UNUSABLE', `${listen.host}:${listen.port}: ${failure.message}`);
}
