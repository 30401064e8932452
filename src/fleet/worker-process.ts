// The process of one HTTP worker of a fleet: started by the master (worker-child.ts), which tells it everything over the channel
// between them. Puts a worker together from what it is told; knows nothing of the other workers but how to reach them.
//
//   started ──start──► ready ──listen…──► serving ──drain, SIGTERM, or the master is gone──► draining ──► ended
import { HowdahError } from '../errors.ts';
import { fanOut, type Observer } from '../observe/observation.ts';
import { processLogs } from '../observe/process-logs.ts';
import { RequestMeter } from '../observe/request-metrics.ts';
import type { SocketHandle } from '../transport/socket-handle.ts';
import type { ServerDatabase } from '../database/server/server-database.ts';
import { connectionList } from './connection-list.ts';
import { HttpWorker, WORKER_CHANNELS } from './http-worker.ts';
import { openDatabase } from './open-database.ts';
import { within } from './settling.ts';
import { Siblings } from './siblings.ts';
import { WorkerListeners } from './worker-listeners.ts';
import type {
  MasterMessage,
  PassedConnection,
  WorkerMessage,
  WorkerStart,
  WorkerStatus,
} from './worker-messages.ts';

class WorkerProcess {
  readonly #start: WorkerStart;
  readonly #worker: HttpWorker;
  readonly #database: ServerDatabase;
  readonly #siblings: Siblings;
  readonly #listeners: WorkerListeners;
  readonly #meter: RequestMeter;
  readonly #observer: Observer;
  #draining = false;
  /** Nothing is served any more. */
  #ended = false;

  constructor(start: WorkerStart, database: ServerDatabase, observer: Observer, meter: RequestMeter) {
    this.#start = start;
    this.#database = database;
    this.#observer = observer;
    this.#meter = meter;
    this.#worker = new HttpWorker({
      ...start.requests,
      database,
      observer,
      pollsCatalog: start.slot === 1,
    });
    const { pool } = database;
    this.#siblings = new Siblings(
      start.number,
      start.siblingDirectory,
      pool,
      () => this.#listeners.connections,
      observer,
    );
    pool.useOverflow(this.#siblings);
    this.#listeners = new WorkerListeners({
      observer,
      ...(start.requests.proxyFrom === undefined ? {} : { proxyFrom: start.requests.proxyFrom }),
      accept: (socket, listenerId, header) => this.#worker.accept(socket, listenerId, header),
      changed: () => this.#siblings.connectionsChanged(),
      elsewhere: () => this.#siblings.fewerConnections(),
      handOver: (key, to, handle, sent) => send({ kind: 'hand-over', key, to }, handle, sent),
    });
  }

  async start(): Promise<void> {
    await this.#siblings.listen();
    await this.#worker.start();
  }

  refresh(): void {
    this.#worker.refresh();
  }

  async receive(message: MasterMessage, handle: SocketHandle | undefined): Promise<void> {
    switch (message.kind) {
      case 'ping':
        send({ kind: 'pong', status: this.#status(message.details) });
        return;
      case 'certificates':
        this.#listeners.useCertificates(message);
        return;
      case 'listen':
        if (handle === undefined) return;
        if (this.#draining) handle.close();
        else
          send({
            kind: 'listening',
            key: message.key,
            failure: await this.#listeners.listen(message, handle),
          });
        return;
      case 'stop-listening':
        await this.#listeners.stop(message.key, message.shared);
        send({ kind: 'stopped-listening', key: message.key });
        return;
      case 'settle':
        await this.#listeners.handedOver();
        send({ kind: 'settled' });
        return;
      case 'siblings':
        this.#siblings.setNumbers(message.numbers);
        return;
      case 'connection':
        await this.#take(message, handle);
        return;
      case 'sessions':
        this.#database.pool.setMaxSessions(message.maxSessions);
        return;
      case 'drain':
        await this.drain(message.deadlineMs);
        return;
      case 'start':
    }
  }

  /** Who it was sent to serves it, unless it is about to end: then somebody else does. */
  async #take({ id, key, from }: PassedConnection, handle: SocketHandle | undefined): Promise<void> {
    this.#siblings.tookConnection(from);
    await this.#listeners.opened(key);
    const taken = handle !== undefined && !this.#ended && this.#listeners.take(key, handle);
    if (!taken) handle?.close();
    send({ kind: 'connection-taken', id, taken });
  }

  /** Finishes what runs and ends the process. */
  async drain(deadlineMs: number): Promise<void> {
    if (this.#draining) return;
    this.#draining = true;
    const left = this.#siblings.leave();
    await this.#listeners.close();
    await this.#worker.close(deadlineMs, this.#listeners.ended(), () => (this.#ended = true));
    // One that hangs is killed, or keeps this one until the deadline.
    await within(left, deadlineMs);
    await this.#database.close();
    await this.#siblings.close();
    await this.#listeners.handedOver();
    process.exit(0);
  }

  #status(details: boolean): WorkerStatus {
    const { counts, catalog, http } = this.#worker;
    const { pool } = this.#database;
    return {
      connections: this.#listeners.connections,
      openRequests: counts.begun - counts.ended,
      requests: counts.ended,
      ...pool.status,
      callsSent: this.#siblings.callsSent,
      callsTaken: this.#siblings.callsTaken,
      epoch: catalog.current.epoch,
      metrics: this.#meter.metrics,
      ...(details
        ? {
            connectionList: connectionList(http),
            sessionList: pool.list,
          }
        : {}),
    };
  }

  /** What cannot be gone on with: the master starts another one. */
  fail(error: unknown): void {
    this.#observer.observe({ kind: 'internal-error', where: `worker ${this.#start.slot}`, error });
  }
}

function send(message: WorkerMessage, handle?: SocketHandle, sent?: () => void): void {
  // A master that is gone is noticed by its channel.
  if (process.send === undefined || !process.connected) sent?.();
  else process.send(message, handle as never, {}, () => sent?.());
}

async function open(start: WorkerStart): Promise<WorkerProcess> {
  const logs = processLogs(start.logs);
  const meter = new RequestMeter();
  const observer = start.requests.observeRequests ? fanOut([logs.observer, meter]) : logs.observer;
  const opened = await openDatabase({
    server: start.database,
    dataDirectory: null,
    listen: { host: '', port: 0 },
    noInit: true,
    installs: false,
    handlerTimeoutMs: start.requests.handlerTimeoutMs,
    observer,
    channels: WORKER_CHANNELS,
  });
  if (opened.server === null) throw new Error('a worker process needs a PostgreSQL server');
  const worker = new WorkerProcess(start, opened.server, observer, meter);
  opened.onReconnected(() => worker.refresh());
  await worker.start();
  send({ kind: 'ready', database: opened.description });
  return worker;
}

// Signals of a terminal, or of a service manager that means all processes, are the master's to act on.
for (const signal of ['SIGINT', 'SIGHUP', 'SIGUSR2'] as const) process.on(signal, () => {});

process.once('message', (message: MasterMessage) => {
  if (message.kind !== 'start') return;
  const drain = (worker: WorkerProcess): Promise<void> => worker.drain(message.drainTimeoutMs);
  const opened = open(message).then(
    (worker) => worker,
    (error: unknown) => {
      const code = error instanceof HowdahError ? error.code : null;
      const text =
        error instanceof HowdahError ? error.detail : error instanceof Error ? error.message : String(error);
      send({ kind: 'start-failed', code, message: text }, undefined, () => process.exit(1));
      return null;
    },
  );
  const use = (act: (worker: WorkerProcess) => Promise<void>): void => {
    opened
      .then((worker) =>
        worker === null ? undefined : act(worker).catch((error: unknown) => worker.fail(error)),
      )
      .catch(() => process.exit(1));
  };
  process.on('message', (next: MasterMessage, handle) =>
    use((worker) => worker.receive(next, handle as unknown as SocketHandle | undefined)),
  );
  process.on('disconnect', () => use(drain));
  process.on('SIGTERM', () => use(drain));
});
