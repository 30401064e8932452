// How much of a request body its stream has asked for, how much came, and whether it comes too slowly.

export class BodyAllowance {
  /** Bytes of the current request's body that came. */
  received = 0;
  #allowed = 0;
  #wantedSinceMs = 0;
  #receivedWhenWanted = 0;

  begin(nowMs: number): void {
    this.received = 0;
    this.#allowed = 0;
    this.#wantedSinceMs = nowMs;
    this.#receivedWhenWanted = 0;
  }

  /** Whether the stream waits for data. */
  get wanted(): boolean {
    return this.#allowed > this.received;
  }

  get everAllowed(): boolean {
    return this.#allowed > 0;
  }

  /** Bytes that came beyond what was asked for: those of a body that nobody reads. */
  get skipped(): number {
    return this.received - this.#allowed;
  }

  /** Returns whether this is the first time that the body is asked for. */
  allow(bytes: number, nowMs: number): boolean {
    const first = this.#allowed === 0;
    if (!this.wanted) this.awaitFrom(nowMs);
    this.#allowed += bytes;
    return first;
  }

  /** It is waited for from now on: because it was asked for, or to be skipped. Not while a handler ran that did neither. */
  awaitFrom(nowMs: number): void {
    this.#wantedSinceMs = nowMs;
    this.#receivedWhenWanted = this.received;
  }

  receive(bytes: number): void {
    this.received += bytes;
  }

  /** Whether a body that is waited for since `graceMs` comes at less than `bytesPerSecond`. */
  tooSlow(nowMs: number, graceMs: number, bytesPerSecond: number): boolean {
    const waitedMs = nowMs - this.#wantedSinceMs;
    if (waitedMs <= graceMs) return false;
    return (this.received - this.#receivedWhenWanted) * 1000 < waitedMs * bytesPerSecond;
  }
}
