// Calls that wait for a session, in a queue for each statement: calls of one statement find a place alike, and must not keep calls
// of others waiting that would find one. Knows no sessions.
import type { SqlCall } from '../call.ts';
import { CallQueue } from '../call-queue.ts';
import type { CallCost } from './call-costs.ts';
import type { CallKind } from './placement.ts';

export interface WaitingCallsOptions {
  /** Calls that may wait, of each kind; one more is unavailable. */
  readonly maxCalls: number;
  /** How long a call waits before it is unavailable, in ms. */
  readonly timeoutMs: number;
  readonly kindOf: (cost: CallCost) => CallKind;
}

const NONE: ReadonlySet<CallKind> = new Set();

export class WaitingCalls {
  readonly #options: WaitingCallsOptions;
  readonly #queues = new WeakMap<CallCost, CallQueue>();
  /** Those with calls in them. */
  readonly #waiting = new Map<CallCost, CallQueue>();

  constructor(options: WaitingCallsOptions) {
    this.#options = options;
  }

  get length(): number {
    let length = 0;
    for (const queue of this.#waiting.values()) length += queue.length;
    return length;
  }

  has(cost: CallCost): boolean {
    return this.#waiting.size > 0 && this.#waitingOf(cost) > 0;
  }

  /** Takes the call, or completes it as unavailable. */
  add(call: SqlCall, cost: CallCost): void {
    const { maxCalls, kindOf } = this.#options;
    if (this.length >= maxCalls) {
      const kind = kindOf(cost);
      let alike = 0;
      for (const [other, queue] of this.#waiting) if (kindOf(other) === kind) alike += queue.length;
      if (alike >= maxCalls) {
        call.complete({ kind: 'unavailable', reason: `${maxCalls} calls wait already` });
        return;
      }
    }
    this.#queueOf(cost).add(call);
  }

  /** Puts calls of one statement back that turned out not to have run; they go first and are not counted against the limit. */
  putBack(calls: readonly SqlCall[], cost: CallCost): void {
    this.#queueOf(cost).putBack(calls);
  }

  /**
   * Offers calls, the oldest first, until none finds a place.
   *
   * @param place whether the call is dealt with, which does not lead back to here; if not, no other of its statement is offered
   * @returns the kinds of which calls still wait
   */
  drain(place: (call: SqlCall, cost: CallCost, kind: CallKind) => boolean): ReadonlySet<CallKind> {
    if (this.#waiting.size === 0) return NONE;
    const left = new Set<CallCost>();
    const kinds = new Set<CallKind>();
    for (;;) {
      const cost = this.#oldestBut(left);
      const queue = cost === null ? undefined : this.#waiting.get(cost);
      const call = queue?.peek() ?? null;
      if (cost === null || queue === undefined || call === null) return kinds;
      const kind = this.#options.kindOf(cost);
      if (place(call, cost, kind)) {
        queue.take();
      } else {
        left.add(cost);
        kinds.add(kind);
      }
    }
  }

  /** Completes all of them as unavailable. */
  refuseAll(reason: string): void {
    for (const queue of this.#waiting.values()) queue.refuseAll(reason);
    this.#waiting.clear();
  }

  /** The statement whose first call has waited longest, of those that are not in `left`. */
  #oldestBut(left: ReadonlySet<CallCost>): CallCost | null {
    let oldest: CallCost | null = null;
    let deadline = Infinity;
    for (const [cost, queue] of this.#waiting) {
      if (queue.length === 0) {
        this.#waiting.delete(cost);
        queue.rest();
      } else if (queue.deadline < deadline && !left.has(cost)) {
        oldest = cost;
        ({ deadline } = queue);
      }
    }
    return oldest;
  }

  #waitingOf(cost: CallCost): number {
    return this.#waiting.get(cost)?.length ?? 0;
  }

  #queueOf(cost: CallCost): CallQueue {
    let queue = this.#queues.get(cost);
    if (queue === undefined) {
      queue = new CallQueue(Number.POSITIVE_INFINITY, this.#options.timeoutMs);
      this.#queues.set(cost, queue);
    }
    this.#waiting.set(cost, queue);
    return queue;
  }
}
