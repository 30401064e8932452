// The sessions that calls are spread over: opens them as they are needed, keeps calls that none can take, opens lost ones anew.
// What goes where is placement.ts.
import type { Observer } from '../../observe/observation.ts';
import type { SqlCall, SqlDispatcher } from '../call.ts';
import type { LinkLoss } from '../session-link.ts';
import { Backoff } from './backoff.ts';
import { CallCosts, LONG_MS, type CallCost } from './call-costs.ts';
import type { OpenedLink } from './open-link.ts';
import {
  isBetterElsewhere,
  kindOf,
  needsMore,
  placeCall,
  sessionToHold,
  type CallKind,
} from './placement.ts';
import { PooledSession } from './pooled-session.ts';
import { WaitingCalls } from './waiting-calls.ts';

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
  /** Calls that may wait, of each kind (placement.ts); one more is unavailable. */
  readonly maxQueuedCalls: number;
  /** How long a call waits before it is unavailable, in ms. */
  readonly queueTimeoutMs: number;
  /** How long a call may run, in ms. */
  readonly handlerTimeoutMs: number;
}

/** How often running calls are looked at: a limit is noticed at most this part of itself late, and a long call soon. */
const LOOKS_PER_LIMIT = 20;
const MIN_LOOK_MS = 5;
const MAX_LOOK_MS = LONG_MS;

/** A server that has no room for another session is not asked again for this time. */
const FULL_PAUSE_MS = 5000;

export class SessionPool implements SqlDispatcher {
  readonly #options: SessionPoolOptions;
  readonly #costs = new CallCosts();
  readonly #waiting: WaitingCalls;
  /** Calls that are to have a session by themselves, whatever others of their statement take; and where these wait. */
  readonly #alone = new WeakSet<SqlCall>();
  readonly #aloneCost: CallCost = {
    meanMs: Infinity,
    leastMs: Infinity,
    measured: true,
    samples: 0,
    inFlight: 0,
  };
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
    this.#waiting = new WaitingCalls({
      maxCalls: options.maxQueuedCalls,
      timeoutMs: options.queueTimeoutMs,
      kindOf: (cost) => kindOf(cost, this.#sessions),
    });
  }

  /** Open sessions. */
  get size(): number {
    return this.#sessions.length;
  }

  get status(): PoolStatus {
    return {
      sessions: this.#sessions.length,
      busySessions: this.#sessions.filter(({ inFlight }) => inFlight > 0).length,
      queuedCalls: this.#waiting.length,
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
    const kind = kindOf(cost, this.#sessions);
    const now = performance.now();
    const session = placeCall(this.#sessions, this.#maxSessions, kind, cost, now);
    if (session === null || session.inFlight > 0) return false;
    session.send(call, cost, kind, now);
    this.#watch();
    if (this.idleSessions === 0) this.#openMore();
    return true;
  }

  /** Offers calls that wait to the overflow, which may have room again. */
  offerWaiting(): void {
    if (this.#waiting.length > 0) this.#pump();
  }

  /** Takes back a call that the overflow had taken and not run. */
  putBack(call: SqlCall): void {
    if (this.#closing) {
      call.complete({ kind: 'unavailable', reason: 'the database is closing' });
      return;
    }
    this.#putBack(call);
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
    if (!this.#waiting.has(cost)) {
      const kind = kindOf(cost, this.#sessions);
      if (this.#place(call, cost, kind)) return;
      if (kind === 'long' || kind === 'unknown') this.#hold();
    }
    this.#waiting.add(call, cost);
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
    this.#waiting.refuseAll('the database is closed');
    await this.#opening;
    if (this.#sessions.some((session) => session.inFlight > 0)) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    for (const session of this.#sessions) session.end();
    if (this.#lookTimer !== null) clearTimeout(this.#lookTimer);
  }

  /** Puts calls back that have not run, the oldest first. */
  #putBack(...calls: readonly SqlCall[]): void {
    const own = (call: SqlCall): CallCost =>
      this.#alone.has(call) ? this.#aloneCost : this.#costs.of(call.statement.name);
    for (const [cost, alike] of Map.groupBy(calls, own)) this.#waiting.putBack(alike, cost);
  }

  /** Whether somebody took it. */
  #place(call: SqlCall, cost: CallCost, kind: CallKind): boolean {
    const now = performance.now();
    const session = placeCall(this.#sessions, this.#maxSessions, kind, cost, now);
    const overflow = this.#overflow;
    if (overflow !== null && isBetterElsewhere(session, kind) && overflow.take(call)) return true;
    if (session === null) return false;
    session.send(call, cost, kind, now);
    session.isHeld = false;
    if (needsMore(this.#sessions, session, kind, now)) this.#openMore();
    this.#watch();
    overflow?.changed();
    return true;
  }

  #pump(): void {
    this.#closeExcess();
    const left = this.#drain();
    if (left.has('long') || left.has('unknown')) this.#hold();
    else this.#release();
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

  #drain(): ReadonlySet<CallKind> {
    return this.#waiting.drain((call, cost, kind) => {
      if (call.interruptible === true && this.#abandoned.has(call)) {
        call.complete({ kind: 'abandoned' });
        return true;
      }
      const own = cost === this.#aloneCost ? this.#costs.of(call.statement.name) : cost;
      return this.#place(call, own, kind);
    });
  }

  /** Keeps a session from all but the calls that wait for it to be idle. */
  #hold(): void {
    const session = sessionToHold(this.#sessions, performance.now());
    if (session === null) this.#release();
    else if (!this.#sessions.some(({ isHeld }) => isHeld)) session.isHeld = true;
  }

  #release(): void {
    for (const session of this.#sessions) session.isHeld = false;
  }

  #openMore(): void {
    const open = this.#sessions.length;
    if (this.#opening !== null || this.#openTimer !== null || this.#closing) return;
    if (open >= this.#maxSessions || (open > 0 && performance.now() < this.#pauseUntil)) return;
    this.#opening = this.#open().finally(() => {
      this.#opening = null;
      if (this.#sessions.length === 0 || this.#waiting.length > 0) this.#openMore();
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
        else this.#putBack(call);
      },
      overran: (call) => {
        this.#alone.add(call);
        if (this.#closing) call.complete({ kind: 'unavailable', reason: 'the database is closing' });
        else this.#putBack(call);
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
    this.#putBack(...unsent);
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
