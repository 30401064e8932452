// The time as connections see it: coarse, so that no request pays for asking, and one Date value a second for all.
// Also drives the connections' deadlines: they are looked at, not armed one timer each.

/** Something whose deadlines are looked at now and then. */
export interface Timed {
  /** `nowMs` is the clock's coarse time. May remove itself. */
  checkDeadlines(nowMs: number): void;
}

/** How far `nowMs` and `date` may be behind. */
const TICK_MS = 100;

export class ServerClock {
  /** Milliseconds since the epoch, at most TICK_MS old while the event loop turns. */
  nowMs = Date.now();
  /** The value of the Date field (RFC 9110 §6.6.1), made once a second. */
  date = new Date(this.nowMs).toUTCString();
  readonly #timed = new Set<Timed>();
  readonly #timer: NodeJS.Timeout;
  readonly #ticksPerCheck: number;
  #tick = 0;
  #stopped = false;
  readonly #check = (): void => {
    if (this.#stopped) return;
    for (const timed of this.#timed) timed.checkDeadlines(this.nowMs);
  };

  /** Deadlines are looked at every `checkEveryMs`, rounded to whole ticks: that is how late one may be met. */
  constructor(checkEveryMs: number) {
    this.#ticksPerCheck = Math.max(1, Math.round(checkEveryMs / TICK_MS));
    this.#timer = setInterval(() => this.#advance(), TICK_MS);
    this.#timer.unref();
  }

  add(timed: Timed): void {
    this.#timed.add(timed);
  }

  remove(timed: Timed): void {
    this.#timed.delete(timed);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#stopped = true;
  }

  #advance(): void {
    const now = Date.now();
    if (Math.trunc(now / 1000) !== Math.trunc(this.nowMs / 1000)) this.date = new Date(now).toUTCString();
    this.nowMs = now;
    this.#tick += 1;
    // What has come while this process was kept from running counts as come: it is read before the deadlines are looked at.
    if (this.#tick % this.#ticksPerCheck === 0) setImmediate(this.#check);
  }
}
