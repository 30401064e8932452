// Calls that wait for a session, oldest first, bounded in number and in time. Runs none of them.
import type { SqlCall } from './call.ts';
import { Fifo } from './fifo.ts';

interface QueuedCall {
  readonly call: SqlCall;
  /** performance.now() at which it has waited long enough. */
  readonly deadline: number;
}

export class CallQueue {
  readonly #maxCalls: number;
  readonly #timeoutMs: number;
  readonly #calls = new Fifo<QueuedCall>();
  #timer: NodeJS.Timeout | null = null;

  constructor(maxCalls: number, timeoutMs: number) {
    this.#maxCalls = maxCalls;
    this.#timeoutMs = timeoutMs;
  }

  get length(): number {
    return this.#calls.length;
  }

  /** Of the call that has waited longest: performance.now() at which it has waited long enough. Infinity without any. */
  get deadline(): number {
    return this.#calls.first?.deadline ?? Number.POSITIVE_INFINITY;
  }

  /** Takes the call, or completes it as unavailable. */
  add(call: SqlCall): void {
    if (this.length >= this.#maxCalls) {
      call.complete({ kind: 'unavailable', reason: `${this.#maxCalls} calls wait already` });
      return;
    }
    this.#calls.push({ call, deadline: performance.now() + this.#timeoutMs });
    this.#watch();
  }

  /** Puts calls back that turned out not to have run; they go first and are not counted against the limit. */
  putBack(calls: readonly SqlCall[]): void {
    const deadline = performance.now() + this.#timeoutMs;
    const waiting = this.#calls.takeAll();
    for (const call of calls) this.#calls.push({ call, deadline });
    for (const queued of waiting) this.#calls.push(queued);
    this.#watch();
  }

  /** The call that has waited longest, which stays. */
  peek(): SqlCall | null {
    return this.#calls.first?.call ?? null;
  }

  /** The call that has waited longest. */
  take(): SqlCall | null {
    return this.#calls.shift()?.call ?? null;
  }

  /** Completes all of them as unavailable. */
  refuseAll(reason: string): void {
    for (let call = this.take(); call !== null; call = this.take())
      call.complete({ kind: 'unavailable', reason });
    this.rest();
  }

  /** Keeps no timer while it is empty. */
  rest(): void {
    if (this.length > 0 || this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#timer = null;
  }

  #watch(): void {
    const next = this.#calls.first;
    if (this.#timer !== null || next === undefined) return;
    this.#timer = setTimeout(() => this.#expire(), Math.max(0, next.deadline - performance.now()));
  }

  #expire(): void {
    this.#timer = null;
    const now = performance.now();
    for (let next = this.#calls.first; next !== undefined && next.deadline <= now;) {
      this.take()?.complete({
        kind: 'unavailable',
        reason: `no session took it within ${this.#timeoutMs} ms`,
      });
      next = this.#calls.first;
    }
    this.#watch();
  }
}
