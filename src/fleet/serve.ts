// Puts a server on the embedded engine together: the database with its schema, the catalog, the HTTP engine and the listeners, all
// in this process (design.md, decision 7). On a PostgreSQL server, master.ts does it.
import type { Database } from '../database/database.ts';
import { startGateway, type Gateway } from '../database/gateway/gateway.ts';
import { AdminServer } from './admin-server.ts';
import { fanOut } from '../observe/observation.ts';
import { RequestMeter } from '../observe/request-metrics.ts';
import { HowdahError } from '../errors.ts';
import { inject } from '../server/inject.ts';
import { Certificates } from './certificates.ts';
import { HttpWorker, WORKER_CHANNELS } from './http-worker.ts';
import { CONFIGURATION_CHANNEL, ListenerConfiguration } from './listener-configuration.ts';
import { assertListening, notServed, writeListeners } from './listener-rows.ts';
import { connectionList } from './connection-list.ts';
import { ListenerSet, openHere } from './listener-set.ts';
import { serveFleet } from './master.ts';
import { NodeReport, type NodeDescription, type WorkerReport } from './node-report.ts';
import { openDatabase, type OpenDatabase } from './open-database.ts';
import type { Preparation, RunningServer, ServeOptions } from './serve-options.ts';
import { SERVING_CHANNEL, ServingControl, STOPPED } from './serving-control.ts';
import { runSqlFiles } from './sql-files.ts';

export type { RunningServer, ServeOptions, TlsServeOptions } from './serve-options.ts';

/**
 * Starts a server; it accepts when the promise resolves.
 * @throws HowdahError where the data directory, an address, a file of SQL or the schema stands in the way; nothing is
 *   left open then
 */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const { application = null, inProcess = false, server } = options;
  if (server !== null && application === null && !inProcess) return serveFleet(options, server);
  const { dataDirectory, listen, noInit, requests, observer } = options;
  const opened = await openDatabase({
    server,
    dataDirectory,
    listen,
    noInit,
    handlerTimeoutMs: requests.handlerTimeoutMs,
    observer,
    channels: [CONFIGURATION_CHANNEL, SERVING_CHANNEL, ...WORKER_CHANNELS],
  });
  try {
    return await new Server(options, opened).start();
  } catch (error) {
    await opened.database.close();
    throw error;
  }
}

/** Whether the schema is still there; stops are told of. */
const LOOK_EVERY_MS = 1000;
/** Nothing tells of a stop from inside a transaction. */
const LOOK_AT_SERVER_EVERY_MS = 200;

class Server {
  readonly #options: ServeOptions;
  readonly #opened: OpenDatabase;
  readonly #database: Database;
  readonly #worker: HttpWorker;
  readonly #certificates: Certificates;
  readonly #listeners: ListenerSet;
  readonly #configuration: ListenerConfiguration;
  readonly #meter = new RequestMeter();
  readonly #report: NodeReport;
  readonly #startedAt = new Date();
  readonly #control: ServingControl;
  #gateway: Gateway | null = null;
  #admin: AdminServer | null = null;
  #draining = false;

  constructor(options: ServeOptions, opened: OpenDatabase) {
    this.#options = options;
    this.#opened = opened;
    const { database } = opened;
    this.#database = database;
    const { requests, admin = null, version } = options;
    const observer = admin === null ? options.observer : fanOut([options.observer, this.#meter]);
    this.#worker = new HttpWorker({
      ...requests,
      observeRequests: requests.observeRequests || admin !== null,
      database,
      observer,
      application: options.application ?? null,
    });
    const { tls, dataDirectory } = options;
    this.#certificates = new Certificates({ ...tls, dataDirectory }, observer);
    this.#listeners = new ListenerSet(
      openHere(
        (socket, listenerId, header) => this.#worker.accept(socket, listenerId, header),
        observer,
        (address, port) => options.inherited?.take(address, port)?.handle,
        requests.proxyFrom,
      ),
      observer,
      tls.clientAuthority === null ? 'none' : 'required',
      options.unixListen ?? null,
    );
    const keepsAlive = opened.server !== null;
    this.#report = new NodeReport(database, { observer, version, keepsAlive }, () => this.#describe());
    this.#configuration = new ListenerConfiguration(
      database,
      this.#listeners,
      this.#certificates,
      this.#report.identity,
      observer,
    );
    this.#control = new ServingControl({
      observer,
      query: (text, parameters) => database.query(text, parameters),
      queryAside: (text) => database.runScript(text),
      // The embedded PostgreSQL starts anew whenever it was lost.
      since: opened.server === null ? new Date().toISOString() : null,
      lookEveryMs: opened.server === null ? LOOK_EVERY_MS : LOOK_AT_SERVER_EVERY_MS,
      suspend: () => this.#suspend(),
      resume: () => this.#resume(),
    });
  }

  async start(): Promise<RunningServer> {
    const { sqlPaths, gateway } = this.#options;
    const database = this.#database;
    let problems: readonly string[];
    try {
      const { admin = null, observer, inherited = null } = this.#options;
      if (admin !== null) {
        this.#admin = await AdminServer.open({
          ...admin,
          observer,
          inherited,
          database,
          describe: () => this.#describe(),
        });
      }
      await writeListeners(database, this.#options);
      await runSqlFiles(sqlPaths, (text) => database.runScript(text));
      await this.#worker.start();
      await this.#options.prepare?.(this.#preparation());
      const results = await this.#configuration.load();
      database.onNotification(CONFIGURATION_CHANNEL, () => this.#reload());
      await assertListening(database, this.#options, results);
      this.#listeners.assertUnixServed();
      this.#options.inherited?.closeRest();
      problems = [...this.#certificates.problems, ...notServed(results)];
      this.#opened.onReconnected(() => {
        this.#worker.refresh();
        this.#reload();
      });
      const { embedded } = this.#opened;
      if (gateway !== null && embedded !== null) {
        this.#gateway = await startGateway(embedded, gateway, this.#options.observer);
      }
    } catch (error) {
      await this.#stopAccepting();
      await this.#worker.close(0);
      await this.#report.stop();
      await this.#admin?.close();
      throw error;
    }
    this.#opened.embedded?.orders.onOrder((order) => void this.#control.hear(order));
    database.onNotification(SERVING_CHANNEL, () => void this.#control.look());
    if ((await this.#control.start()) !== 'serving') {
      problems = [STOPPED, ...problems];
      await this.#suspend();
    }
    this.#announce();
    this.#report.start();
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const listeners = this.#listeners;
    return {
      get listeners() {
        return listeners.urls.map((url) => ({ url }));
      },
      problems,
      gatewayUrl: this.#gateway?.url ?? null,
      adminUrl: this.#admin?.url ?? null,
      database: this.#opened.description,
      workers: 1,
      restartWorkers: () => Promise.resolve(),
      // Its database, or the application that is in its memory, cannot be a second process' as well.
      handOver: () => Promise.reject(new HowdahError('HOWDAH_NO_WORKERS')),
      ...this.#preparation(),
      inject: (request, init) => inject(this.#worker.http.streams, request, init),
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

  #preparation(): Preparation {
    const database = this.#database;
    return {
      useApplication: (application) => this.#worker.useApplication(application),
      runScript: (text) => database.runScript(text),
      query: async (text, parameters) => (await database.query(text, parameters)).rows,
    };
  }

  /** What other commands find in the data directory. */
  #announce(): void {
    this.#opened.embedded?.announce({
      gateway: this.#gateway?.address ?? null,
      listeners: this.#listeners.urls,
    });
  }

  #describe(): NodeDescription {
    const { counts, catalog, http } = this.#worker;
    const pool = this.#opened.server?.pool;
    const worker: WorkerReport = {
      slot: 1,
      pid: process.pid,
      state: this.#draining ? 'draining' : 'serving',
      startedAt: this.#startedAt.toISOString(),
      restarts: 0,
      connections: http.connections,
      openRequests: counts.begun - counts.ended,
      requests: counts.ended,
      // The embedded engine is one session.
      ...(pool?.status ?? { sessions: 1 }),
      callsSent: 0,
      callsTaken: 0,
      epoch: catalog.current.epoch,
      metrics: this.#meter.metrics,
      connectionList: connectionList(http),
      ...(pool === undefined ? {} : { sessionList: pool.list }),
    };
    return {
      state: this.#draining ? 'draining' : 'serving',
      listeners: this.#listeners.urls,
      ports: this.#listeners.ports,
      refusedConfiguration: this.#configuration.refused,
      workers: [worker],
    };
  }

  #reload(): void {
    if (this.#control.state === 'serving') this.#configuration.reload();
  }

  async #suspend(): Promise<void> {
    await this.#configuration.settled();
    await this.#listeners.close();
    await this.#worker.suspend(this.#options.drainTimeoutMs, this.#listeners.connectionsEnded());
    await this.#opened.server?.suspend();
  }

  async #resume(): Promise<void> {
    const { server } = this.#opened;
    await server?.resume();
    try {
      await this.#worker.resume();
      await this.#configuration.load();
    } catch (error) {
      await server?.suspend();
      throw error;
    }
    this.#announce();
  }

  async #stopAccepting(): Promise<void> {
    this.#worker.stopPolling();
    await this.#configuration.settled();
    await this.#listeners.close();
    await this.#gateway?.close();
  }

  async #close(deadlineMs: number): Promise<void> {
    await this.#control.end();
    this.#draining = true;
    await this.#stopAccepting();
    await this.#worker.close(deadlineMs, this.#listeners.connectionsEnded());
    await this.#report.stop();
    await this.#admin?.close();
    await this.#database.close();
  }
}
