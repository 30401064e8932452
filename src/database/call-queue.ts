// Calls that wait for a session, oldest first, bounded in number and in time. Runs none of them.
import type { SqlCall } from './call.ts';

interface QueuedCall {
  readonly call: SqlCall;
  /** performance.now() at which it has waited long enough. */
  readonly deadline: number;
}

export class CallQueue {
  readonly #maxCalls: number;
  readonly #timeoutMs: number;
  #calls: QueuedCall[] = [];
  #first = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(maxCalls: number, timeoutMs: number) {
    this.#maxCalls = maxCalls;
    this.#timeoutMs = timeoutMs;
  }

  get length(): number {
    return this.#calls.length - this.#first;
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
    this.#calls = [...calls.map((call) => ({ call, deadline })), ...this.#calls.slice(this.#first)];
    this.#first = 0;
    this.#watch();
  }

  /** The call that has waited longest, which stays. */
  peek(): SqlCall | null {
    return this.#calls[this.#first]?.call ?? null;
  }

  /** The call that has waited longest. */
  take(): SqlCall | null {
    const next = this.#calls[this.#first];
    if (next === undefined) return null;
    this.#first += 1;
    if (this.#first === this.#calls.length) {
      this.#calls = [];
      this.#first = 0;
    } else if (this.#first >= 1024) {
      this.#calls = this.#calls.slice(this.#first);
      this.#first = 0;
    }
    return next.call;
  }

  /** Completes all of them as unavailable. */
  refuseAll(reason: string): void {
    for (let call = this.take(); call !== null; call = this.take())
      call.complete({ kind: 'unavailable', reason });
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #watch(): void {
    const next = this.#calls[this.#first];
    if (this.#timer !== null || next === undefined) return;
    this.#timer = setTimeout(() => this.#expire(), Math.max(0, next.deadline - performance.now()));
  }

  #expire(): void {
    this.#timer = null;
    const now = performance.now();
    for (let next = this.#calls[this.#first]; next !== undefined && next.deadline <= now;) {
      this.take()?.complete({
        kind: 'unavailable',
        reason: `no session took it within ${this.#timeoutMs} ms`,
      });
      next = this.#calls[this.#first];
    }
    this.#watch();
  }
}
