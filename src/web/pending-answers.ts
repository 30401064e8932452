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

/** How long one answer may take. */
export interface TimeLimit {
  readonly timeoutMs: number;
  /** Has `expired` called unless the returned function is called in time. */
  start(expired: () => void): () => void;
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

/** Of one answer: it begins anew after each pause. */
export class PausableLimit implements TimeLimit {
  readonly timeoutMs: number;
  readonly #pending: PendingAnswers;
  #expired: (() => void) | null = null;
  #stop: (() => void) | null = null;
  #paused = false;

  constructor(pending: PendingAnswers, timeoutMs: number) {
    this.#pending = pending;
    this.timeoutMs = timeoutMs;
  }

  start(expired: () => void): () => void {
    this.#expired = expired;
    this.#run();
    return () => {
      this.#expired = null;
      this.#stop?.();
    };
  }

  pause(): void {
    this.#paused = true;
    this.#stop?.();
  }

  resume(): void {
    this.#paused = false;
    this.#run();
  }

  #run(): void {
    if (this.#paused || this.#expired === null) return;
    this.#stop = this.#pending.add(this.timeoutMs, this.#expired);
  }
}
