// One session of the pool: which calls are on their way in it, how long they may take, which of them is being cancelled. Which
// calls it gets is decided by the pool.
import type { ErrorFields } from '../../protocol/postgres/backend-messages.ts';
import type { CallResult, PreparedStatement, SqlCall, SqlParameter } from '../call.ts';
import type { LinkLoss } from '../session-link.ts';
import { Session } from '../session.ts';
import { addSample, type CallCost } from './call-costs.ts';
import { requestCancel } from './cancel-request.ts';
import { LONG_MS } from './placement.ts';
import type { ServerLink } from './server-link.ts';

/** After this a session that was asked to cancel is closed: it ignores the request (it catches query_canceled, say). */
const CANCEL_GRACE_MS = 5000;

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
}

type CancelReason = 'timeout' | 'abandoned';

interface Cancellation {
  readonly target: RunningCall;
  readonly reason: CancelReason;
  /** performance.now() when it was asked for. */
  readonly since: number;
  /** Whether the server may still act on it. */
  pending: boolean;
}

/** A call on its way, and what it is expected to take. */
class RunningCall implements SqlCall {
  readonly call: SqlCall;
  readonly cost: CallCost;
  readonly expectedMs: number;
  readonly #session: PooledSession;

  constructor(call: SqlCall, cost: CallCost, session: PooledSession) {
    this.call = call;
    this.cost = cost;
    this.expectedMs = cost.meanMs;
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

  complete(result: CallResult): void {
    this.#session.ended(this, result);
  }
}

export class PooledSession {
  readonly #link: ServerLink;
  readonly #session: Session;
  readonly #events: PooledSessionEvents;
  /** Oldest first: that is the one that runs. */
  readonly #running: RunningCall[] = [];
  #backlogMs = 0;
  #longCalls = 0;
  /** performance.now() since when the oldest runs: it was sent, or the one before was over. */
  #since = 0;
  /** What the calls that ended in this read cost. */
  readonly #ended: CallCost[] = [];
  #cancellation: Cancellation | null = null;
  #closed = false;

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
    return this.#running.length;
  }

  /** What the calls in flight are expected to take together, in ms. */
  get backlogMs(): number {
    return this.#backlogMs;
  }

  /** Whether a call that is known to be long is in it, or one runs that turned out to be. */
  isLong(now: number): boolean {
    return this.#longCalls > 0 || (this.#running.length > 0 && now - this.#since > LONG_MS);
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
    return this.#running[0]?.statement.text ?? null;
  }

  send(call: SqlCall, cost: CallCost, now: number): void {
    const running = new RunningCall(call, cost, this);
    if (this.#running.length === 0 && this.#ended.length === 0) this.#since = now;
    this.#running.push(running);
    this.#backlogMs += running.expectedMs;
    if (running.expectedMs > LONG_MS) this.#longCalls += 1;
    this.#session.call(running);
  }

  /** For the calls. */
  ended(running: RunningCall, result: CallResult): void {
    const index = this.#running.indexOf(running);
    if (index >= 0) this.#running.splice(index, 1);
    this.#backlogMs = this.#running.length === 0 ? 0 : this.#backlogMs - running.expectedMs;
    if (running.expectedMs > LONG_MS) this.#longCalls -= 1;
    this.#ended.push(running.cost);
    const cancelled = result.kind === 'failed' && result.error.code === CANCELLED;
    const cancellation = this.#cancellation;
    if (cancellation?.target === running) {
      if (!cancellation.pending) this.#cancellation = null;
      running.call.complete(cancelled ? { kind: cancellation.reason } : result);
    } else if (cancelled && cancellation !== null && running.statement.guarded?.refusal === 'no-row') {
      this.#events.rolledBack(running.call);
    } else if (result.kind === 'timeout') {
      // The session was closed for the sake of another call, behind which this one was.
      running.call.complete({ kind: 'lost', reason: 'its session was closed because another call overran' });
    } else {
      running.call.complete(result);
    }
  }

  /** Ends what runs too long, or for nobody. To be called now and then. */
  look(
    now: number,
    limitMs: number,
    isAbandoned: (call: SqlCall) => boolean,
    terminate: (processId: number) => void,
  ): void {
    const [oldest] = this.#running;
    if (oldest === undefined) return;
    const cancellation = this.#cancellation;
    if (cancellation !== null) {
      if (cancellation.target !== oldest || now - cancellation.since < CANCEL_GRACE_MS) return;
      terminate(this.#link.backend.processId);
      this.#link.closeOverrun(`a call did not end when it was cancelled`);
    } else if (now - this.#since >= limitMs) {
      this.#cancel(oldest, 'timeout', now);
    } else if (oldest.call.interruptible === true && isAbandoned(oldest.call)) {
      this.#cancel(oldest, 'abandoned', now);
    }
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

  #cancel(target: RunningCall, reason: CancelReason, now: number): void {
    const cancellation: Cancellation = { target, reason, since: now, pending: true };
    this.#cancellation = cancellation;
    const settled = (): void => {
      cancellation.pending = false;
      if (this.#running.includes(target)) return;
      if (this.#cancellation === cancellation) this.#cancellation = null;
      this.#events.progressed();
    };
    // Where it cannot be sent, the session is closed after the grace.
    requestCancel(this.#link.backend).then(settled, settled);
  }

  #progressed(): void {
    const count = this.#ended.length;
    if (count > 0) {
      const now = performance.now();
      // Answers that came together share the time: when each was made is not known.
      const each = (now - this.#since) / count;
      for (const cost of this.#ended) addSample(cost, each);
      this.#ended.length = 0;
      this.#since = now;
    }
    this.#events.progressed();
  }

  #lost(loss: LinkLoss, unsent: readonly SqlCall[]): void {
    this.#closed = true;
    this.#running.length = 0;
    const calls = unsent.map((call) => (call instanceof RunningCall ? call.call : call));
    this.#events.lost(loss, calls);
  }
}
