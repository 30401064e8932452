// One session of the pool: which calls are on their way in it, how long they may take, which of them is being cancelled. Which
// calls it gets is decided by the pool.
import type { ErrorFields } from '../../protocol/postgres/backend-messages.ts';
import type { CallResult, PreparedStatement, SqlCall, SqlParameter } from '../call.ts';
import type { LinkLoss } from '../session-link.ts';
import { Session } from '../session.ts';
import { addSamples, LONG_MS, overran, type CallCost, type EndedCall } from './call-costs.ts';
import { requestCancel } from './cancel-request.ts';
import { expectedMs, type CallKind, type Placeable } from './placement.ts';
import type { ServerLink } from './server-link.ts';

/** After this a session that was asked to cancel is closed: it ignores the request (it catches query_canceled, say). */
const CANCEL_GRACE_MS = 5000;

/** Calls that others wait for, in their transaction or behind it, were taken for quick: after this they are cancelled, to run by themselves. */
const SHARED_LIMIT_MS = 250;

/** How often a call is run again because of others (serialization failure, deadlock), or because its session was lost. */
const MAX_REPEATS = 3;

/** serialization_failure, deadlock_detected: PostgreSQL asks for the transaction to be tried again. */
const DUE_TO_OTHERS = new Set(['40001', '40P01']);

/** How often each was run again. */
const repeats = new WeakMap<SqlCall, number>();

/** query_canceled. */
const CANCELLED = '57014';

export interface PooledSessionEvents {
  notice(notice: ErrorFields): void;
  /** There may be room for other calls. */
  progressed(): void;
  /** `unsent` have certainly not run. */
  lost(loss: LinkLoss, unsent: readonly SqlCall[]): void;
  /** It was rolled back by a cancellation that was not meant for it. */
  rolledBack(call: SqlCall): void;
  /** It was rolled back since others waited behind it, and is to have a session by itself. */
  overran(call: SqlCall): void;
}

/** `overran`: it keeps others waiting; it is to run by itself. */
type CancelReason = 'timeout' | 'abandoned' | 'overran';

interface Cancellation {
  /** The calls of the exchange that was meant. */
  readonly targets: ReadonlySet<SqlCall>;
  readonly reason: CancelReason;
  /** performance.now() when it was asked for. */
  readonly since: number;
  /** Whether the server may still act on it. */
  pending: boolean;
  /** Whether one of its targets was cancelled. */
  hit: boolean;
}

/** A call on its way, and what it is expected to take. */
class RunningCall implements SqlCall, EndedCall {
  readonly call: SqlCall;
  readonly cost: CallCost;
  readonly kind: CallKind;
  readonly isCold: boolean;
  readonly expectedMs: number;
  isOver = false;
  readonly #session: PooledSession;

  constructor(call: SqlCall, cost: CallCost, kind: CallKind, isCold: boolean, session: PooledSession) {
    this.call = call;
    this.cost = cost;
    this.kind = kind;
    this.isCold = isCold;
    this.expectedMs = expectedMs(kind, cost);
    this.#session = session;
  }

  get statement(): PreparedStatement {
    return this.call.statement;
  }
  get parameters(): readonly SqlParameter[] {
    return this.call.parameters;
  }
  get followUp(): PreparedStatement | undefined {
    return this.call.followUp;
  }
  get epoch(): string | null {
    return this.call.epoch;
  }
  get resetAfter(): boolean {
    return this.call.resetAfter;
  }
  get interruptible(): boolean {
    return this.call.interruptible ?? false;
  }

  complete(result: CallResult): void {
    this.#session.ended(this, result);
  }
}

export class PooledSession implements Placeable {
  readonly #link: ServerLink;
  readonly #session: Session;
  readonly #events: PooledSessionEvents;
  #inFlight = 0;
  #backlogMs = 0;
  #longCalls = 0;
  #unknownCalls = 0;
  /** performance.now() since when it runs what it does: that was sent, or the one before was over. */
  #since = 0;
  /** `#since` of what was seen to take long, and of what has turned out to. */
  #suspectSince = -1;
  #overrunSince = -1;
  /** Those of this read. */
  readonly #ended: RunningCall[] = [];
  /** Statements that have been sent to this backend. */
  readonly #warm = new WeakSet<CallCost>();
  #cancellation: Cancellation | null = null;
  #closed = false;
  isHeld = false;

  constructor(link: ServerLink, events: PooledSessionEvents) {
    this.#link = link;
    this.#events = events;
    this.#session = new Session(link, {
      notice: (notice) => events.notice(notice),
      notification: () => undefined,
      progressed: () => this.#progressed(),
      lost: (loss, unsent) => this.#lost(loss, unsent),
    });
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** What the calls in flight are expected to take together, in ms. */
  get backlogMs(): number {
    return this.#backlogMs;
  }

  get hasUnknown(): boolean {
    return this.#unknownCalls > 0;
  }

  isLong(now: number): boolean {
    if (this.#longCalls > 0) return true;
    return this.#inFlight > 0 && now - this.#since > LONG_MS;
  }

  overruns(cost: CallCost): boolean {
    if (this.#inFlight === 0 || this.#overrunSince !== this.#since) return false;
    return this.#session.running.some((call) => call instanceof RunningCall && call.cost === cost);
  }

  /** Its answer may have come while this event loop was busy. It has been read by the end of the turn then. */
  #suspect(): void {
    const since = this.#since;
    if (this.#suspectSince === since) return;
    this.#suspectSince = since;
    setImmediate(() => {
      if (this.#inFlight > 0 && this.#since === since) this.#overrunSince = since;
    });
  }

  /** Whether a cancellation is under way, which might hit whatever is sent. */
  get isCancelling(): boolean {
    return this.#cancellation !== null;
  }

  get processId(): number {
    return this.#link.backend.processId;
  }

  /** Of the call that runs. */
  get statement(): string | null {
    return this.#session.running[0]?.statement.text ?? null;
  }

  send(call: SqlCall, cost: CallCost, kind: CallKind, now: number): void {
    const isCold = !this.#warm.has(cost);
    if (isCold) this.#warm.add(cost);
    const running = new RunningCall(call, cost, kind, isCold, this);
    if (this.#inFlight === 0 && this.#ended.length === 0) this.#since = now;
    this.#inFlight += 1;
    this.#backlogMs += running.expectedMs;
    cost.inFlight += 1;
    if (kind === 'long') this.#longCalls += 1;
    else if (kind === 'unknown') this.#unknownCalls += 1;
    this.#session.call(running);
  }

  /** For the calls. */
  ended(running: RunningCall, result: CallResult): void {
    running.isOver = true;
    this.#inFlight -= 1;
    this.#backlogMs = this.#inFlight === 0 ? 0 : this.#backlogMs - running.expectedMs;
    running.cost.inFlight -= 1;
    if (running.kind === 'long') this.#longCalls -= 1;
    else if (running.kind === 'unknown') this.#unknownCalls -= 1;
    this.#ended.push(running);
    const cancelled = result.kind === 'failed' && result.error.code === CANCELLED;
    const cancellation = this.#cancellation;
    if (cancellation?.targets.has(running) === true) {
      if (cancelled) cancellation.hit = true;
      this.#settle(cancellation);
      if (!cancelled) running.call.complete(result);
      else if (cancellation.reason === 'overran') this.#events.overran(running.call);
      else running.call.complete({ kind: cancellation.reason });
    } else if (cancelled && mayRunAgain(running) && (cancellation !== null || result.shared === true)) {
      this.#events.rolledBack(running.call);
    } else {
      this.#complete(running, result);
    }
  }

  #complete({ call }: RunningCall, result: CallResult): void {
    if (result.kind === 'timeout') {
      // The session was closed for the sake of another call, behind which this one was.
      call.complete({ kind: 'lost', reason: 'its session was closed because another call overran' });
    } else if (isToRepeat(call, result)) {
      repeats.set(call, (repeats.get(call) ?? 0) + 1);
      this.#events.rolledBack(call);
    } else {
      call.complete(result);
    }
  }

  /** Ends what runs too long, or for nobody, and finds out what is long. To be called as often as that is to be known. */
  look(
    now: number,
    limitMs: number,
    isAbandoned: (call: SqlCall) => boolean,
    terminate: (processId: number) => void,
  ): void {
    const targets = new Set(this.#session.running);
    if (targets.size === 0) return;
    const elapsed = now - this.#since;
    if (elapsed > LONG_MS) this.#suspect();
    const cancellation = this.#cancellation;
    if (cancellation !== null) {
      const ignored = this.#session.running.some((call) => cancellation.targets.has(call));
      if (cancellation.hit || !ignored || now - cancellation.since < CANCEL_GRACE_MS) return;
      // Of a pooler, the number is no process of the server's: it closes the backend of a client that is gone.
      if (!this.#link.sharesBackends) terminate(this.#link.backend.processId);
      this.#link.closeOverrun(`a call did not end when it was cancelled`);
    } else if (elapsed >= Math.min(limitMs, SHARED_LIMIT_MS) && this.#holdsUp(targets)) {
      overran(costsOf(targets), elapsed);
      this.#cancel(targets, 'overran', now);
    } else if (elapsed >= limitMs) {
      this.#cancel(targets, 'timeout', now);
    } else if (this.#session.running.every((call) => isLeft(call, isAbandoned))) {
      this.#cancel(targets, 'abandoned', now);
    }
  }

  /** Whether calls that may be ended and run again keep others waiting, in their transaction or behind it. */
  #holdsUp(running: ReadonlySet<SqlCall>): boolean {
    if (running.size > 1) return true;
    return this.#inFlight > running.size && [...running].every(changesNothing);
  }

  /** Ends the session when what is in flight is over. */
  end(): void {
    this.#closed = true;
    this.#link.end();
  }

  close(reason: string): void {
    this.#closed = true;
    this.#link.close(reason);
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  #cancel(targets: ReadonlySet<SqlCall>, reason: CancelReason, now: number): void {
    const cancellation: Cancellation = { targets, reason, since: now, pending: true, hit: false };
    this.#cancellation = cancellation;
    const settled = (): void => {
      cancellation.pending = false;
      this.#settle(cancellation);
      if (this.#cancellation === null) this.#events.progressed();
    };
    // Where it cannot be sent, the session is closed after the grace.
    requestCancel(this.#link.backend).then(settled, settled);
  }

  /** It is over when the server can no longer act on it, and has, or has come too late. */
  #settle(cancellation: Cancellation): void {
    if (cancellation.pending || this.#cancellation !== cancellation) return;
    if (cancellation.hit || [...cancellation.targets].every(isOver)) {
      this.#cancellation = null;
    }
  }

  #progressed(): void {
    if (this.#ended.length > 0) {
      const now = performance.now();
      addSamples(this.#ended, now - this.#since);
      this.#ended.length = 0;
      this.#since = now;
    }
    this.#events.progressed();
  }

  #lost(loss: LinkLoss, unsent: readonly SqlCall[]): void {
    this.#closed = true;
    this.#inFlight = 0;
    const calls = unsent.map((call) => {
      if (!(call instanceof RunningCall)) return call;
      call.cost.inFlight -= 1;
      return call.call;
    });
    this.#events.lost(loss, calls);
  }
}

/** What was lost with its session may have committed, so only what changes nothing is run again, and once: it may be the cause. */
function isToRepeat(call: SqlCall, result: CallResult): boolean {
  if (result.kind !== 'lost' && result.kind !== 'failed') return false;
  const before = repeats.get(call) ?? 0;
  if (result.kind === 'lost') return changesNothing(call) && before === 0;
  if (!DUE_TO_OTHERS.has(result.error.code)) return false;
  return (changesNothing(call) || call.repeatable === true) && before < MAX_REPEATS;
}

/** Whether it certainly has not run, or changes nothing. */
function mayRunAgain(call: SqlCall): boolean {
  return changesNothing(call) || call.statement.guarded?.refusal === 'no-row';
}

function changesNothing({ interruptible, resetAfter }: SqlCall): boolean {
  return interruptible === true && !resetAfter;
}

function costsOf(calls: ReadonlySet<SqlCall>): Set<CallCost> {
  const costs = new Set<CallCost>();
  for (const call of calls) if (call instanceof RunningCall) costs.add(call.cost);
  return costs;
}

function isOver(call: SqlCall): boolean {
  return !(call instanceof RunningCall) || call.isOver;
}

function isLeft(call: SqlCall, isAbandoned: (call: SqlCall) => boolean): boolean {
  return call instanceof RunningCall && call.interruptible && isAbandoned(call.call);
}
