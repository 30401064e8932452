// Answers that handlers have promised and not given: which of them take too long. One timer for all of them, since a timer
// for each would be paid for by every request that is answered in time.

const LOOKS_PER_LIMIT = 20;
const MIN_LOOK_MS = 5;
const MAX_LOOK_MS = 250;

interface Pending {
  /** performance.now() */
  readonly deadline: number;
  readonly expired: () => void;
}

export class PendingAnswers {
  readonly #pending = new Set<Pending>();
  #timer: NodeJS.Timeout | null = null;
  #interval = MAX_LOOK_MS;

  get size(): number {
    return this.#pending.size;
  }

  /** Has `expired` called unless the returned function was called within `timeoutMs`. Late by a twentieth at most. */
  add(timeoutMs: number, expired: () => void): () => void {
    if (timeoutMs === Infinity) return () => undefined;
    const pending = { deadline: performance.now() + timeoutMs, expired };
    this.#pending.add(pending);
    this.#watch(Math.min(MAX_LOOK_MS, Math.max(MIN_LOOK_MS, timeoutMs / LOOKS_PER_LIMIT)));
    return () => this.#pending.delete(pending);
  }

  #watch(interval: number): void {
    if (this.#timer !== null && interval >= this.#interval) return;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#interval = interval;
    this.#timer = setInterval(() => this.#look(), interval);
    this.#timer.unref();
  }

  #look(): void {
    if (this.#pending.size === 0) {
      if (this.#timer !== null) clearInterval(this.#timer);
      this.#timer = null;
      return;
    }
    const now = performance.now();
    for (const pending of this.#pending) {
      if (pending.deadline > now) continue;
      this.#pending.delete(pending);
      pending.expired();
    }
  }
}
