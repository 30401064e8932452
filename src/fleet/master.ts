// The master of a fleet on a PostgreSQL server: binds the listening sockets, keeps the configuration and the worker processes, and
// handles no request and no connection. (On the embedded engine there is one worker, in the same process: serve.ts.)
//
//   clients ──► listening sockets ◄──accept── worker 1 ──sessions──► PostgreSQL
//                    ▲                           │ UNIX socket (siblings.ts)
//                  binds ◄──master──supervises──► worker 2 ──sessions──► PostgreSQL
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ERRORS, HowdahError, type ErrorCode } from '../errors.ts';
import { AdminServer } from './admin-server.ts';
import { availableCpus } from './available-cpus.ts';
import { Certificates } from './certificates.ts';
import { CONFIGURATION_CHANNEL, ListenerConfiguration } from './listener-configuration.ts';
import { assertListening, notServed, writeListeners } from './listener-rows.ts';
import { ListenerSet } from './listener-set.ts';
import { NodeReport, type NodeDescription, type WorkerReport } from './node-report.ts';
import { openDatabase, type OpenDatabase, type ServerDatabaseChoice } from './open-database.ts';
import { PassedConnections } from './passed-connections.ts';
import type { RunningServer, ServeOptions } from './serve-options.ts';
import { SERVING_CHANNEL, ServingControl, STOPPED } from './serving-control.ts';
import { SETTLE_MS } from './settling.ts';
import { SharedListeners } from './shared-listeners.ts';
import { runSqlFiles } from './sql-files.ts';
import { startSuccessor } from './successor.ts';
import { Supervisor, WorkerStartFailed } from './supervisor.ts';
import { WorkerChild } from './worker-child.ts';
import type { WorkerStart } from './worker-messages.ts';

/** Nothing tells of a stop or start from inside a transaction, nor that the schema is gone. */
const LOOK_EVERY_MS = 200;

/** Notified by howdah.restart_workers(). */
const CONTROL_CHANNEL = 'howdah_control';

/**
 * Starts a master and its workers; they accept when the promise resolves.
 * @throws HowdahError where the database, the schema, a file of SQL, an address or a worker stands in the way; nothing is left
 *   open then
 */
export async function serveFleet(
  options: ServeOptions,
  server: ServerDatabaseChoice,
): Promise<RunningServer> {
  const siblingDirectory = await mkdtemp(join(tmpdir(), 'howdah-'));
  let opened: OpenDatabase | null = null;
  try {
    opened = await openDatabase({
      // Calls are the workers' business.
      server: { ...server, maxSessions: 0 },
      dataDirectory: null,
      listen: options.listen,
      noInit: options.noInit,
      handlerTimeoutMs: options.requests.handlerTimeoutMs,
      observer: options.observer,
      channels: [CONFIGURATION_CHANNEL, CONTROL_CHANNEL, SERVING_CHANNEL],
    });
    return await new Master(options, server, opened, siblingDirectory).start();
  } catch (error) {
    await opened?.database.close();
    await rm(siblingDirectory, { recursive: true, force: true });
    throw error;
  }
}

class Master {
  readonly #options: ServeOptions;
  readonly #server: ServerDatabaseChoice;
  readonly #opened: OpenDatabase;
  readonly #siblingDirectory: string;
  readonly #certificates: Certificates;
  readonly #shared: SharedListeners;
  readonly #listeners: ListenerSet;
  readonly #configuration: ListenerConfiguration;
  readonly #supervisor: Supervisor;
  readonly #passed: PassedConnections;
  readonly #report: NodeReport;
  #admin: AdminServer | null = null;
  readonly #serving: ServingControl;
  #workers = 0;
  #nextNumber = 1;
  #draining = false;

  constructor(
    options: ServeOptions,
    server: ServerDatabaseChoice,
    opened: OpenDatabase,
    siblingDirectory: string,
  ) {
    this.#options = options;
    this.#server = server;
    this.#opened = opened;
    this.#siblingDirectory = siblingDirectory;
    const { inherited } = options;
    this.#shared = new SharedListeners(
      (address, port) => inherited?.take(address, port) ?? null,
      inherited?.ticketSecret,
    );
    const { tls, observer, drainTimeoutMs, hangTimeoutMs, version } = options;
    this.#certificates = new Certificates({ ...tls, dataDirectory: null }, observer);
    this.#listeners = new ListenerSet(
      (row, listener) => this.#shared.open(row, listener),
      observer,
      tls.clientAuthority === null ? 'none' : 'required',
      options.unixListen ?? null,
    );
    const { database } = opened;
    this.#report = new NodeReport(database, { observer, version, keepsAlive: true }, () => this.#describe());
    this.#configuration = new ListenerConfiguration(
      database,
      this.#listeners,
      this.#certificates,
      this.#report.identity,
      observer,
      () => this.#adjustWorkers(),
    );
    this.#supervisor = new Supervisor({
      observer,
      start: (slot) =>
        new WorkerChild(this.#startOf(slot), {
          handOver: (from, key, to, handle) => this.#passed.pass({ from, key, to, handle }),
        }),
      equip: async (worker) => {
        await this.#shared.equip(worker);
        this.#passed.offerWaiting();
      },
      changed: () => this.#tellSiblings(),
      drainTimeoutMs,
      hangTimeoutMs,
    });
    this.#passed = new PassedConnections(() => this.#supervisor.running);
    this.#serving = new ServingControl({
      observer,
      query: (text, parameters) => database.query(text, parameters),
      queryAside: (text) => database.runScript(text),
      since: null,
      lookEveryMs: LOOK_EVERY_MS,
      suspend: () => this.#suspend(),
      resume: () => this.#resume(),
    });
  }

  async start(): Promise<RunningServer> {
    const { sqlPaths, observer } = this.#options;
    const { database, description } = this.#opened;
    // Whatever ends this process: no worker is left behind.
    const killWorkers = (): void => this.#supervisor.kill('the master ends');
    process.on('exit', killWorkers);
    let problems: readonly string[];
    let stopped = false;
    try {
      // First, so that whoever watches the start sees that it is not ready.
      await this.#openAdmin();
      await writeListeners(database, this.#options);
      await runSqlFiles(sqlPaths, (text) => database.runScript(text));
      this.#workers = await this.#wantedWorkers();
      stopped = (await this.#serving.start()) !== 'serving';
      await this.#supervisor.start(stopped ? 0 : this.#workers).catch(rethrowAsCoded);
      const results = stopped ? [] : await this.#configuration.load();
      await assertListening(database, this.#options, results);
      this.#listeners.assertUnixServed();
      if (!stopped) this.#options.inherited?.closeRest();
      problems = [...(stopped ? [STOPPED] : []), ...this.#certificates.problems, ...notServed(results)];
    } catch (error) {
      await this.#admin?.close();
      await this.#listeners.close();
      await this.#supervisor.drain(0);
      await this.#report.stop();
      process.off('exit', killWorkers);
      throw error;
    }
    database.onNotification(CONFIGURATION_CHANNEL, () => this.#configuration.reload());
    database.onNotification(CONTROL_CHANNEL, (payload) => this.#control(payload));
    database.onNotification(SERVING_CHANNEL, () => void this.#serving.look());
    this.#opened.onReconnected(() => this.#configuration.reload());
    if (stopped) await this.#opened.server?.suspend();
    else this.#report.start();
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const listeners = this.#listeners;
    const supervisor = this.#supervisor;
    return {
      get listeners() {
        return listeners.urls.map((url) => ({ url }));
      },
      problems,
      gatewayUrl: null,
      adminUrl: this.#admin?.url ?? null,
      database: description,
      get workers() {
        return supervisor.serving.length;
      },
      closed,
      reload: async () => {
        if (this.#serving.state !== 'serving') return;
        await database.query('select omni_httpd.reload_configuration()');
      },
      restartWorkers: () => supervisor.renew(),
      handOver: () => this.#handOverProgram(),
      close: async (deadlineMs) => {
        await this.#close(deadlineMs).catch((error: unknown) => {
          observer.observe({ kind: 'internal-error', where: 'end of the server', error });
        });
        process.off('exit', killWorkers);
        resolve();
      },
    };
  }

  async #handOverProgram(): Promise<number> {
    const handles = this.#shared.sockets.map(({ handle }) => handle);
    const pid = await startSuccessor(handles, this.#admin?.handle ?? null, this.#shared.ticketSecret);
    this.#shared.handOver();
    // From now on the other one says how the service is.
    await this.#admin?.close(true);
    this.#admin = null;
    return pid;
  }

  async #openAdmin(): Promise<void> {
    const { admin = null, observer, inherited = null } = this.#options;
    if (admin === null) return;
    const { database } = this.#opened;
    this.#admin = await AdminServer.open({
      ...admin,
      observer,
      inherited,
      database,
      describe: () => this.#describe(),
    });
  }

  #startOf(slot: number): WorkerStart {
    const { requests, drainTimeoutMs, logs, admin = null } = this.#options;
    return {
      slot,
      number: this.#nextNumber++,
      database: { ...this.#server, maxSessions: this.#sessionsEach() },
      // Whoever asks for counts of requests needs them observed, whether they are logged or not.
      requests: { ...requests, observeRequests: requests.observeRequests || admin !== null },
      drainTimeoutMs,
      logs,
      siblingDirectory: this.#siblingDirectory,
    };
  }

  /** Sessions are shared out evenly; a worker without one would be of no use. */
  #sessionsEach(): number {
    return Math.max(1, Math.floor(this.#server.maxSessions / Math.max(1, this.#workers)));
  }

  async #wantedWorkers(): Promise<number> {
    const { workers } = this.#options;
    if (workers !== null) return workers;
    const { rows } = await this.#opened.database.query('select howdah.http_workers()');
    const setting = rows[0]?.[0] ?? null;
    return setting === null ? availableCpus() : Number(setting);
  }

  /** At each reload. */
  async #adjustWorkers(): Promise<void> {
    const wanted = await this.#wantedWorkers();
    if (wanted === this.#workers || this.#draining || this.#serving.state !== 'serving') return;
    this.#workers = wanted;
    this.#options.observer.observe({
      kind: 'workers-changed',
      workers: wanted,
      reason: 'the setting has changed',
    });
    this.#supervisor.setCount(wanted);
    for (const worker of this.#supervisor.serving) worker.setMaxSessions(this.#sessionsEach());
  }

  #tellSiblings(): void {
    const serving = this.#supervisor.serving;
    const numbers = serving.map(({ number }) => number);
    for (const worker of serving) worker.setSiblings(numbers);
  }

  #control(payload: string): void {
    let command: { command?: unknown; node?: unknown };
    try {
      command = JSON.parse(payload) as typeof command;
    } catch {
      return;
    }
    if (command.node !== null && command.node !== this.#report.identity.id) return;
    if (command.command !== 'restart-workers') return;
    const { observer } = this.#options;
    observer.observe({ kind: 'workers-changed', workers: this.#workers, reason: 'each is replaced' });
    this.#supervisor.renew().catch((error: unknown) => {
      observer.observe({ kind: 'internal-error', where: 'replacement of the workers', error });
    });
  }

  #describe(): NodeDescription {
    return {
      state: this.#draining ? 'draining' : 'serving',
      listeners: this.#listeners.urls,
      ports: this.#listeners.ports,
      refusedConfiguration: this.#configuration.refused,
      workers: this.#supervisor.slots.map(({ slot, worker, restarts }): WorkerReport => ({
        ...worker?.status,
        slot,
        pid: worker?.pid ?? null,
        state: worker?.state ?? 'failed',
        startedAt: worker?.startedAt.toISOString() ?? null,
        restarts,
      })),
    };
  }

  /** No worker and no session stays, so that the database can be copied or dropped. */
  async #suspend(): Promise<void> {
    await this.#configuration.settled();
    await this.#listeners.close();
    await this.#supervisor.settle(SETTLE_MS);
    this.#passed.close();
    this.#supervisor.setCount(0);
    await Promise.all(this.#supervisor.running.map(({ ended }) => ended));
    await this.#report.stop();
    await this.#opened.server?.suspend();
  }

  async #resume(): Promise<void> {
    const { server } = this.#opened;
    await server?.resume();
    try {
      this.#workers = await this.#wantedWorkers();
      this.#supervisor.setCount(this.#workers);
      await this.#configuration.load();
    } catch (error) {
      this.#supervisor.setCount(0);
      await server?.suspend();
      throw error;
    }
    this.#report.start();
  }

  async #close(deadlineMs: number): Promise<void> {
    await this.#serving.end();
    this.#draining = true;
    const suspended = this.#serving.state !== 'serving';
    if (!suspended) this.#report.write();
    await this.#configuration.settled();
    await this.#listeners.close();
    await this.#supervisor.drain(deadlineMs);
    this.#passed.close();
    this.#shared.stop();
    if (!suspended) await this.#report.stop();
    // Until the end it says that it is alive, and not ready.
    await this.#admin?.close();
    await this.#opened.database.close();
    await rm(this.#siblingDirectory, { recursive: true, force: true });
  }
}

/** What a worker says of why it cannot start is what is wrong with the server. */
function rethrowAsCoded(error: unknown): never {
  if (!(error instanceof WorkerStartFailed)) throw error;
  const { failure } = error.end;
  const code = failure?.code ?? null;
  if (failure !== null && code !== null && code in ERRORS) {
    throw new HowdahError(code as ErrorCode, failure.message, { cause: error });
  }
  throw new HowdahError('HOWDAH_WORKER_FAILED', error.message, { cause: error });
}
