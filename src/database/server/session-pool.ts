// The sessions that calls are spread over: opens them as they are needed, keeps calls that none can take, opens lost ones anew.
// What goes where is placement.ts.
import type { Observer } from '../../observe/observation.ts';
import type { SqlCall, SqlDispatcher } from '../call.ts';
import { CallQueue } from '../call-queue.ts';
import type { LinkLoss } from '../session-link.ts';
import { Backoff } from './backoff.ts';
import { CallCosts, type CallCost } from './call-costs.ts';
import type { OpenedLink } from './open-link.ts';
import { isBetterElsewhere, LONG_MS, needsMore, placeCall } from './placement.ts';
import { PooledSession } from './pooled-session.ts';

/** Others who may run calls that no session can take at once. */
export interface CallOverflow {
  /** Takes the call, which completes or is put back; false: nobody can run it now. */
  take(call: SqlCall): boolean;
  /** Nobody waits for a call any more, which may be one that was taken. */
  abandon(call: SqlCall): void;
  /** What `idleSessions` says may have changed. */
  changed(): void;
}

export interface PoolStatus {
  readonly sessions: number;
  readonly busySessions: number;
  readonly queuedCalls: number;
}

export interface PooledSessionStatus {
  readonly pid: number;
  readonly state: 'idle' | 'busy' | 'cancelling';
  readonly calls: number;
  readonly statement: string | null;
}

export interface SessionPoolOptions {
  readonly observer: Observer;
  readonly open: () => Promise<OpenedLink>;
  /** Ends a backend that ignores a cancellation. */
  readonly terminate: (processId: number) => void;
  readonly maxSessions: number;
  /** Calls that may wait, of each kind (quick and long); one more is unavailable. */
  readonly maxQueuedCalls: number;
  /** How long a call waits before it is unavailable, in ms. */
  readonly queueTimeoutMs: number;
  /** How long a call may run, in ms. */
  readonly handlerTimeoutMs: number;
}

/** How often running calls are looked at: a limit is noticed at most this part of itself late. */
const LOOKS_PER_LIMIT = 20;
const MIN_LOOK_MS = 5;
const MAX_LOOK_MS = 250;

/** A server that has no room for another session is not asked again for this time. */
const FULL_PAUSE_MS = 5000;

export class SessionPool implements SqlDispatcher {
  readonly #options: SessionPoolOptions;
  readonly #costs = new CallCosts();
  /** Calls that nothing may wait behind have a queue of their own, so that the others pass them. */
  readonly #quick: CallQueue;
  readonly #long: CallQueue;
  readonly #abandoned = new WeakSet<SqlCall>();
  readonly #backoff = new Backoff();
  #maxSessions: number;
  #overflow: CallOverflow | null = null;
  #sessions: PooledSession[] = [];
  #opening: Promise<void> | null = null;
  #openTimer: NodeJS.Timeout | null = null;
  #lookTimer: NodeJS.Timeout | null = null;
  #pauseUntil = 0;
  #closing = false;
  #idle: (() => void) | null = null;

  constructor(options: SessionPoolOptions) {
    this.#options = options;
    this.#maxSessions = options.maxSessions;
    this.#quick = new CallQueue(options.maxQueuedCalls, options.queueTimeoutMs);
    this.#long = new CallQueue(options.maxQueuedCalls, options.queueTimeoutMs);
  }

  /** Open sessions. */
  get size(): number {
    return this.#sessions.length;
  }

  get status(): PoolStatus {
    return {
      sessions: this.#sessions.length,
      busySessions: this.#sessions.filter(({ inFlight }) => inFlight > 0).length,
      queuedCalls: this.#quick.length + this.#long.length,
    };
  }

  get list(): PooledSessionStatus[] {
    return this.#sessions.map(({ processId, inFlight, isCancelling, statement }) => ({
      pid: processId,
      state: isCancelling ? 'cancelling' : inFlight > 0 ? 'busy' : 'idle',
      calls: inFlight,
      statement,
    }));
  }

  /** Sessions that would take a call at once. */
  get idleSessions(): number {
    if (this.#closing) return 0;
    return this.#sessions.filter(({ inFlight, isCancelling }) => inFlight === 0 && !isCancelling).length;
  }

  /** Calls that find no idle session are offered to `overflow` from now on. */
  useOverflow(overflow: CallOverflow): void {
    this.#overflow = overflow;
  }

  /** At least 1. What is open beyond it is closed as soon as it is idle. */
  setMaxSessions(maxSessions: number): void {
    this.#maxSessions = Math.max(1, maxSessions);
    this.#pump();
  }

  /** Runs a call of somebody else, if a session is idle. */
  runIfIdle(call: SqlCall): boolean {
    if (this.#closing) return false;
    const cost = this.#costs.of(call.statement.name);
    const now = performance.now();
    const session = placeCall(this.#sessions, this.#maxSessions, cost, now);
    if (session === null || session.inFlight > 0) return false;
    session.send(call, cost, now);
    this.#watch();
    if (this.idleSessions === 0) this.#openMore();
    return true;
  }

  /** Offers calls that wait to the overflow, which may have room again. */
  offerWaiting(): void {
    if (this.#quick.length + this.#long.length > 0) this.#pump();
  }

  /** Takes back a call that the overflow had taken and not run. */
  putBack(call: SqlCall): void {
    if (this.#closing) {
      call.complete({ kind: 'unavailable', reason: 'the database is closing' });
      return;
    }
    this.#queueOf(this.#costs.of(call.statement.name)).putBack([call]);
    this.#pump();
  }

  /** Opens the first session. Rejects where that fails. */
  async start(): Promise<void> {
    this.#add(await this.#options.open());
  }

  dispatch(call: SqlCall): void {
    if (this.#closing) {
      call.complete({ kind: 'unavailable', reason: 'the database is closing' });
      return;
    }
    const cost = this.#costs.of(call.statement.name);
    const queue = this.#queueOf(cost);
    if (queue.length === 0 && this.#place(call, cost)) return;
    queue.add(call);
    this.#openMore();
  }

  abandon(call: SqlCall): void {
    this.#abandoned.add(call);
    this.#overflow?.abandon(call);
  }

  /** Takes calls again after `close`. */
  reopen(): void {
    this.#closing = false;
  }

  /** Lets calls in flight end, refuses what waits, closes the sessions. */
  async close(): Promise<void> {
    this.#closing = true;
    if (this.#openTimer !== null) clearTimeout(this.#openTimer);
    this.#quick.refuseAll('the database is closed');
    this.#long.refuseAll('the database is closed');
    await this.#opening;
    if (this.#sessions.some((session) => session.inFlight > 0)) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    for (const session of this.#sessions) session.end();
    if (this.#lookTimer !== null) clearTimeout(this.#lookTimer);
  }

  #queueOf(cost: CallCost): CallQueue {
    return cost.meanMs > LONG_MS ? this.#long : this.#quick;
  }

  /** Whether a session took it. */
  #place(call: SqlCall, cost: CallCost): boolean {
    const now = performance.now();
    const session = placeCall(this.#sessions, this.#maxSessions, cost, now);
    const overflow = this.#overflow;
    if (overflow !== null && isBetterElsewhere(session, cost) && overflow.take(call)) return true;
    if (session === null) return false;
    if (needsMore(session, cost)) this.#openMore();
    session.send(call, cost, now);
    this.#watch();
    overflow?.changed();
    return true;
  }

  #pump(): void {
    this.#closeExcess();
    this.#drain(this.#quick);
    this.#drain(this.#long);
    if (this.#idle !== null && this.#sessions.every((session) => session.inFlight === 0)) this.#idle();
    this.#overflow?.changed();
  }

  /** The last ones first: those that quick calls are piled up in stay. */
  #closeExcess(): void {
    for (let i = this.#sessions.length - 1; this.#sessions.length > this.#maxSessions && i >= 0; i--) {
      const session = this.#sessions[i];
      if (session === undefined || session.inFlight > 0 || session.isCancelling) continue;
      this.#sessions.splice(i, 1);
      session.end();
    }
  }

  #drain(queue: CallQueue): void {
    for (let call = queue.peek(); call !== null; call = queue.peek()) {
      if (call.interruptible === true && this.#abandoned.has(call)) {
        queue.take()?.complete({ kind: 'abandoned' });
        continue;
      }
      // What it costs may have become known since it was queued.
      if (!this.#place(call, this.#costs.of(call.statement.name))) return;
      queue.take();
    }
  }

  #openMore(): void {
    const open = this.#sessions.length;
    if (this.#opening !== null || this.#openTimer !== null || this.#closing) return;
    if (open >= this.#maxSessions || (open > 0 && performance.now() < this.#pauseUntil)) return;
    this.#opening = this.#open().finally(() => {
      this.#opening = null;
      if (this.#sessions.length === 0 || this.#quick.length + this.#long.length > 0) this.#openMore();
    });
  }

  async #open(): Promise<void> {
    try {
      const opened = await this.#options.open();
      this.#backoff.succeeded();
      this.#add(opened);
    } catch (error) {
      if (this.#backoff.failures === 0) this.#observeFailure(error);
      if (this.#sessions.length > 0) {
        // The others go on; most likely the server has no room for more.
        this.#pauseUntil = performance.now() + FULL_PAUSE_MS;
        this.#backoff.failed();
        return;
      }
      const wait = this.#backoff.failed();
      this.#openTimer = setTimeout(() => {
        this.#openTimer = null;
        this.#openMore();
      }, wait);
    }
  }

  #add({ link, version, place }: OpenedLink): void {
    const { observer } = this.#options;
    const session: PooledSession = new PooledSession(link, {
      notice: ({ severity, code, message }) =>
        observer.observe({ kind: 'sql-notice', severity, code, message }),
      progressed: () => this.#pump(),
      lost: (loss, unsent) => this.#lost(session, loss, unsent),
      rolledBack: (call) => {
        if (this.#closing) call.complete({ kind: 'unavailable', reason: 'the database is closing' });
        else this.#queueOf(this.#costs.of(call.statement.name)).putBack([call]);
      },
    });
    this.#sessions.push(session);
    observer.observe({ kind: 'session-ready', description: `PostgreSQL ${version} at ${place}` });
    if (this.#closing) session.end();
    else this.#pump();
  }

  #lost(lost: PooledSession, loss: LinkLoss, unsent: readonly SqlCall[]): void {
    this.#sessions = this.#sessions.filter((session) => session !== lost);
    if (!this.#closing) {
      this.#options.observer.observe({ kind: 'session-lost', reason: loss.reason });
    }
    // Each in the place of its kind, the oldest first.
    for (const queue of [this.#quick, this.#long]) {
      const calls = unsent.filter((call) => this.#queueOf(this.#costs.of(call.statement.name)) === queue);
      if (calls.length > 0) queue.putBack(calls);
    }
    if (this.#sessions.length === 0) this.#openMore();
    this.#pump();
  }

  #watch(): void {
    if (this.#lookTimer !== null) return;
    const limitMs = this.#options.handlerTimeoutMs;
    const wait = Math.min(MAX_LOOK_MS, Math.max(MIN_LOOK_MS, limitMs / LOOKS_PER_LIMIT));
    this.#lookTimer = setTimeout(() => {
      this.#lookTimer = null;
      const now = performance.now();
      let busy = false;
      for (const session of this.#sessions) {
        if (session.inFlight === 0) continue;
        busy = true;
        session.look(now, limitMs, (call) => this.#abandoned.has(call), this.#options.terminate);
      }
      if (busy) this.#watch();
    }, wait);
  }

  #observeFailure(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#options.observer.observe({ kind: 'session-lost', reason });
  }
}
