// Flow-control windows (RFC 9113 §5.2, §6.9), of a connection or of a stream: what we may send, and what the peer may
// send us. Pure arithmetic: no frames.

/** The window of both sides until SETTINGS say otherwise (RFC 9113 §6.9.2). */
export const DEFAULT_WINDOW_BYTES = 65_535;
/** No window may grow beyond (RFC 9113 §6.9.1). */
export const MAX_WINDOW_BYTES = 0x7fffffff;

/** What we may send. Negative where SETTINGS lowered it below what is on its way (RFC 9113 §6.9.2). */
export class SendWindow {
  available: number;

  constructor(available: number) {
    this.available = available;
  }

  /** Adds a WINDOW_UPDATE's increment, or the change of SETTINGS_INITIAL_WINDOW_SIZE. False: it overflows. */
  grow(bytes: number): boolean {
    if (this.available + bytes > MAX_WINDOW_BYTES) return false;
    this.available += bytes;
    return true;
  }
}

/**
 * What the peer may send us. Driven by the reader: octets are given back when they have been released, in portions of
 * half the window at least, so that there are few WINDOW_UPDATEs; where the reader keeps up and the peer uses the window
 * up, the window doubles.
 */
export class ReceiveWindow {
  /** What the peer may send now. */
  available: number;
  /** Received and not yet released by the reader. */
  unread = 0;
  /** The window that is given back to. */
  #target: number;
  readonly #max: number;
  /** Released and not yet given back. */
  #owed = 0;

  /** `max`: octets that the window may grow to; no growth where it is not above `target`. */
  constructor(target: number, max: number) {
    this.available = target;
    this.#target = target;
    this.#max = Math.min(max, MAX_WINDOW_BYTES);
  }

  /** Counts octets received. False: more than the window allowed (RFC 9113 §6.9.1). */
  receive(bytes: number): boolean {
    if (bytes > this.available) return false;
    this.available -= bytes;
    this.unread += bytes;
    return true;
  }

  /** Counts octets that the reader is done with. Returns the increment to send, or 0 while it would be a small one. */
  release(bytes: number): number {
    this.unread -= bytes;
    this.#owed += bytes;
    if (this.#owed * 2 < this.#target) return 0;
    let increment = this.#owed;
    // The peer has sent most of what it may, and nothing of it lies unread: the window is what holds it back.
    if (this.unread * 4 < this.#target && this.available * 2 <= this.#target && this.#target < this.#max) {
      const grown = Math.min(this.#target * 2, this.#max);
      increment += grown - this.#target;
      this.#target = grown;
    }
    this.#owed = 0;
    this.available += increment;
    return increment;
  }

  /** Raises or lowers it by the change of a setting that the peer has acknowledged (RFC 9113 §6.9.2). */
  shift(bytes: number): void {
    this.available += bytes;
    this.#target += bytes;
  }
}
