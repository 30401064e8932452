// Puts a server together: the database with its schema, the catalog, the HTTP engine and the listeners, all in
// this process (design.md, decision 7). The one place where the rooms meet; what each does is theirs.
import type { Database } from '../database/database.ts';
import { startGateway, type Gateway, type GatewayAddress } from '../database/gateway/gateway.ts';
import { HowdahError } from '../errors.ts';
import type { Observer } from '../observe/observation.ts';
import { Certificates, type CertificateFiles } from './certificates.ts';
import { HttpWorker, WORKER_CHANNELS } from './http-worker.ts';
import { ListenerConfiguration } from './listener-configuration.ts';
import { ListenerSet, type ListenerResult } from './listener-set.ts';
import { openDatabase, type OpenDatabase, type ServerDatabaseChoice } from './open-database.ts';
import { runSqlFiles } from './sql-files.ts';

export interface TlsServeOptions {
  /**
   * Address of the https listener. null: what the database has; where it has none and there are certificates from files or
   * for development, 127.0.0.1:8443.
   */
  readonly listen: { readonly host: string; readonly port: number } | null;
  readonly files: readonly CertificateFiles[];
  /** Path of PEM with the authorities whose client certificates are required; null: no client is asked for one. */
  readonly clientAuthority: string | null;
  /** A self-signed certificate serves where there is no other. */
  readonly dev: boolean;
}

export interface ServeOptions {
  /** A PostgreSQL server; null: the embedded one. */
  readonly server: ServerDatabaseChoice | null;
  /** Data directory of the embedded PostgreSQL; null: in memory. */
  readonly dataDirectory: string | null;
  /** Address of the first listener. null: 127.0.0.1:8080 in a new database, what it has in an old one. */
  readonly listen: { readonly host: string; readonly port: number } | null;
  readonly tls: TlsServeOptions;
  /** Where outside SQL clients of the embedded PostgreSQL are admitted; null: nowhere. */
  readonly gateway: GatewayAddress | null;
  /** Files and directories of SQL to run at start. */
  readonly sqlPaths: readonly string[];
  /** Directories that SQL handlers may answer with files of. */
  readonly allowedDirectories: readonly string[];
  /** A new database gets no listener and no default page. */
  readonly noInit: boolean;
  /** SQL errors are shown in responses. */
  readonly dev: boolean;
  /** Responses are compressed where the client accepts it. */
  readonly compress: boolean;
  /** Request bodies are decompressed; handlers see them as if they had been sent so. */
  readonly decompress: boolean;
  readonly maxBodyBytes: number;
  readonly handlerTimeoutMs: number;
  /** How long events are kept for clients that come again, in ms. */
  readonly eventRetentionMs: number;
  readonly observer: Observer;
  /** Whether the observer is told of each request (an access log, say). */
  readonly observeRequests: boolean;
}

type Protocol = 'http' | 'https';
type Address = { readonly host: string; readonly port: number };

export interface RunningServer {
  readonly listeners: readonly { readonly url: string }[];
  /** What of the listeners and certificates is not served, a line each. */
  readonly problems: readonly string[];
  /** Connection string for SQL clients, or null. */
  readonly gatewayUrl: string | null;
  /** What serves as the database, in a few words. */
  readonly database: string;
  readonly workers: number;
  /** Reads listeners and certificates anew, files included. */
  reload(): Promise<void>;
  /** Stops accepting, lets requests finish until `deadlineMs` from now, then ends everything. Call once. */
  close(deadlineMs: number): Promise<void>;
  /** Resolves when close() has ended. */
  readonly closed: Promise<void>;
}

const DEFAULT_LISTEN = { host: '127.0.0.1', port: 8080 } as const;
const DEFAULT_TLS_LISTEN = { host: '127.0.0.1', port: 8443 } as const;

/** Notified by omni_httpd.reload_configuration(), and so by each change of the listeners. */
const CONFIGURATION_CHANNEL = 'omni_httpd_configuration';

/**
 * Starts a server; it accepts when the promise resolves.
 * @throws HowdahError where the data directory, an address, a file of SQL or the schema stands in the way; nothing is
 *   left open then
 */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const { server, dataDirectory, listen, noInit, handlerTimeoutMs, observer } = options;
  const opened = await openDatabase({
    server,
    dataDirectory,
    listen: listen ?? DEFAULT_LISTEN,
    noInit,
    handlerTimeoutMs,
    observer,
    channels: [CONFIGURATION_CHANNEL, ...WORKER_CHANNELS],
  });
  try {
    return await new Server(options, opened).start();
  } catch (error) {
    await opened.database.close();
    throw error;
  }
}

class Server {
  readonly #options: ServeOptions;
  readonly #opened: OpenDatabase;
  readonly #database: Database;
  readonly #worker: HttpWorker;
  readonly #certificates: Certificates;
  readonly #listeners: ListenerSet;
  readonly #configuration: ListenerConfiguration;
  #gateway: Gateway | null = null;

  constructor(options: ServeOptions, opened: OpenDatabase) {
    this.#options = options;
    this.#opened = opened;
    const { database } = opened;
    this.#database = database;
    const { observer, maxBodyBytes, handlerTimeoutMs, dev, observeRequests, allowedDirectories } = options;
    this.#worker = new HttpWorker({
      database,
      observer,
      observeRequests,
      dev,
      compress: options.compress,
      decompress: options.decompress,
      maxBodyBytes,
      handlerTimeoutMs,
      eventRetentionMs: options.eventRetentionMs,
      allowedDirectories,
    });
    const { tls, dataDirectory } = options;
    this.#certificates = new Certificates({ ...tls, dataDirectory }, observer);
    this.#listeners = new ListenerSet(
      (socket, listenerId) => this.#worker.accept(socket, listenerId),
      observer,
      tls.clientAuthority === null ? 'none' : 'required',
    );
    this.#configuration = new ListenerConfiguration(database, this.#listeners, this.#certificates, observer);
  }

  async start(): Promise<RunningServer> {
    const { listen, tls, sqlPaths, gateway } = this.#options;
    const database = this.#database;
    let problems: readonly string[];
    try {
      if (listen !== null) await this.#moveFirstListener('http', listen);
      if (tls.listen !== null) await this.#moveFirstListener('https', tls.listen);
      else if (tls.dev || tls.files.length > 0) await this.#addListener('https', DEFAULT_TLS_LISTEN);
      await runSqlFiles(sqlPaths, (text) => database.runScript(text));
      await this.#worker.start();
      const results = await this.#configuration.load();
      database.onNotification(CONFIGURATION_CHANNEL, () => this.#configuration.reload());
      await this.#assertListening('http', listen, results);
      await this.#assertListening('https', tls.listen, results);
      problems = [...this.#certificates.problems, ...results.flatMap(notServed)];
      this.#opened.onReconnected(() => {
        this.#worker.refresh();
        this.#configuration.reload();
      });
      const { embedded } = this.#opened;
      if (gateway !== null && embedded !== null) {
        this.#gateway = await startGateway(embedded, gateway, this.#options.observer);
      }
    } catch (error) {
      await this.#stopAccepting();
      await this.#worker.close(0);
      throw error;
    }
    this.#announce();
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const listeners = this.#listeners;
    return {
      get listeners() {
        return listeners.urls.map((url) => ({ url }));
      },
      problems,
      gatewayUrl: this.#gateway?.url ?? null,
      database: this.#opened.description,
      workers: 1,
      closed,
      reload: async () => {
        await database.query('select omni_httpd.reload_configuration()');
      },
      close: async (deadlineMs) => {
        await this.#close(deadlineMs);
        resolve();
      },
    };
  }

  /** What other commands find in the data directory. */
  #announce(): void {
    this.#opened.embedded?.announce({
      gateway: this.#gateway?.address ?? null,
      listeners: this.#listeners.urls,
    });
  }

  /** What --listen and --tls-listen say goes before what an older database has. */
  async #moveFirstListener(protocol: Protocol, { host, port }: Address): Promise<void> {
    await this.#addListener(protocol, { host, port });
    const address = quoted(host);
    await this.#database.exec(
      `begin; set local howdah.server_write = 'on';
       update omni_httpd.listeners set address = ${address}, port = ${port}
       where id = (select min(id) from omni_httpd.listeners where protocol = '${protocol}')
         and (host(address), port::int) is distinct from (host(${address}::inet), ${port});
       commit`,
    );
  }

  /** Unless there is one with this protocol. */
  async #addListener(protocol: Protocol, { host, port }: Address): Promise<void> {
    await this.#database.exec(
      `begin; set local howdah.server_write = 'on';
       insert into omni_httpd.listeners (address, port, protocol)
       select ${quoted(host)}, ${port}, '${protocol}'
       where not exists (select from omni_httpd.listeners where protocol = '${protocol}');
       commit`,
    );
  }

  /** An address that somebody asked for by name is that one or an error, never a port nearby. */
  async #assertListening(
    protocol: Protocol,
    listen: Address | null,
    results: readonly ListenerResult[],
  ): Promise<void> {
    if (listen === null) return;
    const { rows } = await this.#database.query(
      `select min(id) from omni_httpd.listeners where protocol = '${protocol}'`,
    );
    const [failure] = results.find(({ id }) => id === Number(rows[0]?.[0]))?.failures ?? [];
    if (failure === undefined) return;
    throw new HowdahError('HOWDAH_ADDRESS_UNUSABLE', `${listen.host}:${listen.port}: ${failure.message}`);
  }

  async #stopAccepting(): Promise<void> {
    this.#worker.stopPolling();
    await this.#configuration.settled();
    await this.#listeners.close();
    await this.#gateway?.close();
  }

  async #close(deadlineMs: number): Promise<void> {
    await this.#stopAccepting();
    await this.#worker.close(deadlineMs);
    await this.#database.close();
  }
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

function notServed({ address, port, failures }: ListenerResult): string[] {
  return port === null
    ? [`${address} is not served: ${failures.at(-1)?.message ?? 'no reason is known'}`]
    : [];
}
