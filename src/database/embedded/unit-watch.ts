// Notices a unit that runs longer than it may. Looks at counters that the engine's thread keeps, because that thread cannot be
// asked while PostgreSQL runs in it. Ends nothing itself.
import type { EngineLink } from './engine-link.ts';

/** A limit is noticed at most this part of itself late. */
const LOOKS_PER_LIMIT = 20;

/** Bounds of the time between two looks. */
const MIN_LOOK_MS = 5;
const MAX_LOOK_MS = 250;

export class UnitWatch {
  readonly #link: EngineLink;
  readonly #isIdle: () => boolean;
  readonly #limitMs: () => number;
  readonly #overrun: (limitMs: number) => void;
  #timer: NodeJS.Timeout | null = null;
  #seen = -1;
  #seenAt = 0;

  /**
   * @param isIdle whether nothing runs, nor is going to without `start` being called
   * @param limitMs what the unit that runs now may take, in ms
   */
  constructor(
    link: EngineLink,
    isIdle: () => boolean,
    limitMs: () => number,
    overrun: (limitMs: number) => void,
  ) {
    this.#link = link;
    this.#isIdle = isIdle;
    this.#limitMs = limitMs;
    this.#overrun = overrun;
  }

  /** To be called when something is sent; looks go on until nothing runs. */
  start(): void {
    if (this.#timer === null) this.#schedule();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #schedule(): void {
    const wait = Math.min(MAX_LOOK_MS, Math.max(MIN_LOOK_MS, this.#limitMs() / LOOKS_PER_LIMIT));
    this.#timer = setTimeout(() => this.#look(), wait);
  }

  #look(): void {
    this.#timer = null;
    const { started, finished } = this.#link.progress;
    if (started === finished || this.#link.waitsInside) {
      this.#seen = -1;
      if (!this.#isIdle()) this.#schedule();
      return;
    }
    const now = performance.now();
    if (started !== this.#seen) {
      this.#seen = started;
      this.#seenAt = now;
    } else {
      const limitMs = this.#limitMs();
      if (now - this.#seenAt >= limitMs) {
        this.#overrun(limitMs);
        return;
      }
    }
    this.#schedule();
  }
}
