// PostgreSQL embedded in this process: one session that everybody takes turns with, started anew when it is lost. Opens no
// files and no sockets itself (open-embedded.ts, gateway/).
import type { ErrorFields } from '../../protocol/postgres/backend-messages.ts';
import type { SqlCall } from '../call.ts';
import type { Database, SetupSession } from '../database.ts';
import type { DataLock } from './data-lock.ts';
import type { Runtime } from './runtime-file.ts';
import { HowdahError } from '../../errors.ts';
import { firstResult, type SqlResult } from '../exchange-result.ts';
import type { LinkLoss, LinkReceiver } from '../session-link.ts';
import { Session } from '../session.ts';
import { CallQueue } from '../call-queue.ts';
import type { EmbeddedDatabaseOptions } from './embedded-options.ts';
import { EngineLease, type Lease } from './engine-lease.ts';
import { EngineLink } from './engine-link.ts';
import { ServerOrders } from './server-orders.ts';
import { startFailure, startingSession } from './starting-session.ts';
import { UnitWatch } from './unit-watch.ts';
import { useSession } from './use-session.ts';

/** The channel that the catalog's triggers notify of a new epoch. */
export const CATALOG_CHANNEL = 'howdah_catalog';

/**
 * Calls on their way to the engine at once. Enough that it has work while the main thread answers requests (some
 * milliseconds); not more, because a client of the gateway waits until they are through.
 */
const MAX_IN_FLIGHT = 128;

/** Calls that go between two turns of clients, so that neither side starves. */
const CALLS_PER_TURN = 128;

/** Time before a start after a failed one: doubled each time, from the first to the last. */
const FIRST_BACKOFF_MS = 100;
const LAST_BACKOFF_MS = 5000;

type Listener = (payload: string) => void;

/** What a running server tells other processes; see runtime-file.ts. */
export type Announcement = Partial<Omit<Runtime, 'pid' | 'startedAt'>>;

interface Borrower {
  readonly receiver: LinkReceiver;
  readonly granted: (lease: Lease) => void;
  readonly refused: (reason: Error) => void;
}

interface Job {
  /** Never rejects: whoever asked is told of the failure. */
  run(session: Session): Promise<void>;
  refuse(reason: string): void;
}

export class EmbeddedDatabase implements Database {
  readonly orders = new ServerOrders();
  readonly #options: EmbeddedDatabaseOptions;
  readonly #clusterDirectory: string | null;
  readonly #queue: CallQueue;
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #jobs: Job[] = [];
  readonly #borrowers: Borrower[] = [];
  #link: EngineLink | null = null;
  #session: Session | null = null;
  #watch: UnitWatch | null = null;
  #ready = false;
  #jobRuns = false;
  #leased = false;
  #callsOwed = 0;
  #epoch = 0;
  #failedStarts = 0;
  #restartTimer: NodeJS.Timeout | null = null;
  #closing = false;
  #idle: (() => void) | null = null;
  readonly #lock: DataLock | null;
  readonly #notificationListeners = new Set<(channel: string, payload: string) => void>();
  readonly #lossListeners = new Set<(loss: LinkLoss) => void>();
  readonly lendsEngine = true;
  version = '';

  /** @param clusterDirectory null: in memory */
  constructor(clusterDirectory: string | null, lock: DataLock | null, options: EmbeddedDatabaseOptions) {
    this.#lock = lock;
    this.#clusterDirectory = clusterDirectory;
    this.#options = options;
    this.#queue = new CallQueue(options.maxQueuedCalls, options.queueTimeoutMs);
  }

  /** What the session listens to at all times. */
  get channels(): readonly string[] {
    return [CATALOG_CHANNEL, ...this.#options.listenChannels];
  }

  get isClosing(): boolean {
    return this.#closing;
  }

  /** Units of work that the engine has ended since it was started; for telling whether there were any. */
  get unitsEnded(): number {
    return this.#link?.progress.finished ?? 0;
  }

  /** Starts the engine for the first time. Rejects where it, or `onStart`, fails. */
  async open(): Promise<void> {
    try {
      await this.#start();
    } catch (error) {
      this.#closing = true;
      this.#link?.close('the start failed');
      await this.#link?.ended;
      this.#lock?.release();
      throw error;
    }
  }

  dispatch(call: SqlCall): void {
    if (this.#closing) {
      call.complete({ kind: 'unavailable', reason: 'the database is closing' });
      return;
    }
    const session = this.#session;
    if (session !== null && this.#queue.length === 0 && this.#takesCalls(session)) {
      this.#send(session, call);
      return;
    }
    this.#queue.add(call);
    this.#pump();
  }

  /** Runs one statement on the cold path. Rejects with SqlFailure where PostgreSQL reports an error. */
  async query(text: string, parameters: readonly (string | null)[] = []): Promise<SqlResult> {
    const results = await this.#job((session) => session.query(text, parameters));
    return firstResult(results);
  }

  /** Runs statements one after another, nothing in between: one transaction, unless they begin and end their own. */
  exec(text: string): Promise<SqlResult[]> {
    return this.#job((session) => session.exec(text));
  }

  runScript(text: string): Promise<SqlResult[]> {
    return this.exec(text);
  }

  withSession<T>(use: (session: SetupSession) => Promise<T>): Promise<T> {
    return this.#job((session) => useSession(session, () => this.#watch?.start(), use));
  }

  /** Refuses calls of an older epoch from now on. The engine raises it by itself when it hears of a newer one. */
  setEpoch(epoch: string): void {
    this.#epoch = Math.max(this.#epoch, Number(epoch));
    if (this.#link !== null) this.#link.epoch = this.#epoch;
  }

  /** `listener` hears notifications of `channel` once the session listens to it (LISTEN); returns how to stop. */
  onNotification(channel: string, listener: Listener): () => void {
    const listeners = this.#listeners.get(channel) ?? new Set();
    this.#listeners.set(channel, listeners);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** `listener` hears every notification that the session gets; for the gateway. */
  onAnyNotification(listener: (channel: string, payload: string) => void): () => void {
    this.#notificationListeners.add(listener);
    return () => this.#notificationListeners.delete(listener);
  }

  /** `listener` hears that the engine was lost, before another one is started. */
  onLost(listener: (loss: LinkLoss) => void): () => void {
    this.#lossListeners.add(listener);
    return () => this.#lossListeners.delete(listener);
  }

  /** Hands a notification to its listeners; also for the gateway, whose clients' notifications pass by it. */
  notify(channel: string, payload: string): void {
    for (const listener of this.#listeners.get(channel) ?? []) listener(payload);
    for (const listener of this.#notificationListeners) listener(channel, payload);
  }

  /** Has every prepared statement prepared anew: a client dropped them all. */
  forgetStatements(): void {
    this.#session?.forgetStatements();
  }

  /** Waits for the borrower's turn and lends it the engine. */
  borrow(receiver: LinkReceiver): Promise<Lease> {
    return new Promise((granted, refused) => {
      if (this.#closing) {
        refused(new Error('the database is closing'));
        return;
      }
      this.#borrowers.push({ receiver, granted, refused });
      this.#pump();
    });
  }

  /** Tells other processes (`howdah sql`) how to reach this one. In memory there is nowhere to tell it. */
  announce(announcement: Announcement): void {
    this.#lock?.update(announcement);
  }

  /** Ends what is queued, shuts PostgreSQL down in good order (with a checkpoint), and ends its thread. */
  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    if (this.#ready) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
        this.#pump();
      });
    }
    if (this.#restartTimer !== null) clearTimeout(this.#restartTimer);
    this.#refuseAll('the database is closed');
    if (this.#ready) this.#link?.end();
    else this.#link?.close('the database is closed');
    await this.#link?.ended;
    this.#lock?.release();
  }

  async #start(): Promise<void> {
    const link = new EngineLink({
      clusterDirectory: this.#clusterDirectory,
      catalogChannel: CATALOG_CHANNEL,
      channels: this.#options.listenChannels,
    });
    link.epoch = this.#epoch;
    const session = new Session(
      link,
      {
        notice: (notice) => this.#notice(notice),
        notification: (channel, payload) => this.notify(channel, payload),
        progressed: () => this.#pump(),
        lost: (loss, unsent) => this.#lost(loss, unsent),
      },
      this.channels,
    );
    this.#link = link;
    this.#session = session;
    const started = await link.started.catch((error: unknown) => {
      throw startFailure(this.#clusterDirectory, error);
    });
    this.version = started.version;
    this.#watch = new UnitWatch(
      link,
      () => link.idle && session.inFlight === 0,
      () => this.#limitMs(),
      (limitMs) => link.closeOverrun(`it ran longer than ${limitMs} ms`),
    );
    await this.#options.onStart?.(startingSession(session, started, () => this.#watch?.start()));
    this.#ready = true;
    this.#failedStarts = 0;
    const place = this.#clusterDirectory === null ? 'in memory' : `in ${this.#clusterDirectory}`;
    this.#options.observer.observe({
      kind: 'session-ready',
      description: `embedded PostgreSQL ${started.version} ${place}`,
    });
    this.#pump();
  }

  #lost(loss: LinkLoss, unsent: SqlCall[]): void {
    const wasReady = this.#ready;
    this.#ready = false;
    this.#leased = false;
    this.#watch?.stop();
    this.#watch = null;
    this.#session = null;
    this.#epoch = Math.max(this.#epoch, this.#link?.epoch ?? 0);
    this.#queue.putBack(unsent);
    for (const listener of this.#lossListeners) listener(loss);
    if (!this.#closing) this.#options.observer.observe({ kind: 'session-lost', reason: loss.reason });
    // A start that fails reports it where it is awaited, and is repeated from there.
    if (wasReady) this.#restart();
  }

  #restart(): void {
    if (this.#closing) {
      this.#refuseAll('the database is closed');
      this.#idle?.();
      return;
    }
    void this.#start().catch((error: unknown) => {
      // That of PostgreSQL itself has been told as the loss of the session.
      if (!(error instanceof HowdahError && error.code === 'HOWDAH_DATA_UNUSABLE'))
        this.#options.observer.observe({
          kind: 'internal-error',
          where: 'start of the embedded engine',
          error,
        });
      const backoff = Math.min(LAST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** this.#failedStarts);
      this.#failedStarts += 1;
      const link = this.#link;
      link?.close('the start failed');
      void link?.ended.then(() => {
        if (!this.#closing) this.#restartTimer = setTimeout(() => this.#restart(), backoff);
      });
    });
  }

  #job<T>(run: (session: Session) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#closing) {
        reject(new Error('the database is closing'));
        return;
      }
      this.#jobs.push({
        run: (session) => run(session).then(resolve, reject),
        refuse: (reason) => reject(new Error(reason)),
      });
      this.#pump();
    });
  }

  /** Gives the engine to whoever is next. */
  #pump(): void {
    const session = this.#session;
    if (!this.#ready || session === null) return;
    while (this.#queue.length > 0 && this.#takesCalls(session)) {
      const call = this.#queue.take();
      if (call === null) break;
      if (this.#callsOwed > 0) this.#callsOwed -= 1;
      this.#send(session, call);
    }
    if (this.#leased || this.#jobRuns || session.inFlight > 0) return;
    const job = this.#jobs.shift();
    if (job !== undefined) {
      this.#runJob(session, job);
      return;
    }
    const borrower = this.#borrowers.shift();
    if (borrower !== undefined) {
      this.#lend(session, borrower);
      return;
    }
    if (this.#queue.length === 0) this.#idle?.();
  }

  #takesCalls(session: Session): boolean {
    return (
      this.#ready &&
      !this.#leased &&
      !this.#jobRuns &&
      session.load < MAX_IN_FLIGHT &&
      (this.#callsOwed > 0 || (this.#jobs.length === 0 && this.#borrowers.length === 0))
    );
  }

  #send(session: Session, call: SqlCall): void {
    session.call(call);
    this.#watch?.start();
  }

  #runJob(session: Session, job: Job): void {
    this.#jobRuns = true;
    this.#watch?.start();
    void job.run(session).then(() => {
      this.#jobRuns = false;
      this.#callsOwed = Math.min(this.#queue.length, CALLS_PER_TURN);
      this.#pump();
    });
  }

  #lend(session: Session, borrower: Borrower): void {
    const link = this.#link;
    if (link === null) return;
    this.#leased = true;
    session.lend(borrower.receiver);
    const released = (): void => {
      if (this.#session !== session) return;
      session.takeBack();
      this.#leased = false;
      this.#callsOwed = Math.min(this.#queue.length, CALLS_PER_TURN);
      this.#pump();
    };
    borrower.granted(new EngineLease(link, () => this.#watch?.start(), released));
  }

  #limitMs(): number {
    const { handlerTimeoutMs, gatewayStatementMs } = this.#options;
    return this.#ready && !this.#leased && !this.#jobRuns ? handlerTimeoutMs : gatewayStatementMs;
  }

  #notice(notice: ErrorFields): void {
    this.orders.hear(notice);
    this.#options.observer.observe({
      kind: 'sql-notice',
      severity: notice.severity,
      code: notice.code,
      message: notice.message,
    });
  }

  #refuseAll(reason: string): void {
    this.#queue.refuseAll(reason);
    for (const job of this.#jobs.splice(0)) job.refuse(reason);
    for (const borrower of this.#borrowers.splice(0)) borrower.refused(new Error(reason));
  }
}
