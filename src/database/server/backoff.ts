// How long to wait before the next attempt to connect. Waits for nothing itself.

const FIRST_MS = 25;

/** A server that is back is found within half a second, and asked twice a second while it is not. */
const LAST_MS = 500;

export class Backoff {
  #failures = 0;

  /** Failed attempts since the last success. */
  get failures(): number {
    return this.#failures;
  }

  /** Counts a failure; ms until the next attempt. */
  failed(): number {
    const wait = Math.min(LAST_MS, FIRST_MS * 2 ** this.#failures);
    this.#failures += 1;
    return wait;
  }

  succeeded(): void {
    this.#failures = 0;
  }
}
