// Rows between the one who fetches them and the one who takes them: bounded in number, in size, and in how long it may be full.
import type { SqlRow } from '../web/sql-client.ts';

export interface RowQueueLimits {
  /** It is full with so many rows, or with rows of so many bytes. */
  readonly maxRows: number;
  readonly maxBytes: number;
  /** One who takes nothing for so long from a full queue is told that it is over, since a session is held for him. */
  readonly takeTimeoutMs: number;
}

interface Waiting {
  readonly row: SqlRow;
  readonly bytes: number;
}

/** Rows that were taken are forgotten in groups. */
const FORGOTTEN_AT_ONCE = 1024;

export class RowQueue {
  readonly #limits: RowQueueLimits;
  readonly #waiting: (Waiting | null)[] = [];
  #first = 0;
  #bytes = 0;
  #ended = false;
  #stopped = false;
  #error: unknown = null;
  #wakeTaker: (() => void) | null = null;
  #wakePutter: (() => void) | null = null;

  constructor(limits: RowQueueLimits) {
    this.#limits = limits;
  }

  get #rows(): number {
    return this.#waiting.length - this.#first;
  }

  /** Resolves when there is room for another one, with false where no more are wanted. */
  async put(row: SqlRow, bytes: number): Promise<boolean> {
    const { maxRows, maxBytes, takeTimeoutMs } = this.#limits;
    this.#waiting.push({ row, bytes });
    this.#bytes += bytes;
    this.#wakeTaker?.();
    if ((this.#rows < maxRows && this.#bytes < maxBytes) || this.#stopped) return !this.#stopped;
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(
      () => late.reject(new Error(`no row was taken for ${takeTimeoutMs} ms`)),
      takeTimeoutMs,
    );
    const room = new Promise<void>((resolve) => {
      this.#wakePutter = resolve;
    });
    await Promise.race([room, late.promise]).finally(() => clearTimeout(timer));
    return !this.#stopped;
  }

  /** No more come. */
  end(error: unknown): void {
    this.#ended = true;
    this.#error = error;
    this.#wakeTaker?.();
  }

  /** The next row; null after the last. */
  async take(): Promise<SqlRow | null> {
    for (;;) {
      const next = this.#waiting[this.#first];
      if (next !== undefined && next !== null) return this.#taken(next);
      if (this.#error !== null) throw this.#error;
      if (this.#ended) return null;
      await new Promise<void>((resolve) => {
        this.#wakeTaker = resolve;
      });
      this.#wakeTaker = null;
    }
  }

  #taken({ row, bytes }: Waiting): SqlRow {
    this.#waiting[this.#first] = null;
    this.#first += 1;
    this.#bytes = this.#rows === 0 ? 0 : this.#bytes - bytes;
    if (this.#rows === 0 || this.#first >= FORGOTTEN_AT_ONCE) {
      this.#waiting.splice(0, this.#first);
      this.#first = 0;
    }
    // Woken when half of it is empty, so that rows go in batches.
    if (this.#rows <= this.#limits.maxRows / 2 && this.#bytes <= this.#limits.maxBytes / 2)
      this.#wakePutter?.();
    return row;
  }

  /** No more are wanted. */
  stop(): void {
    this.#stopped = true;
    this.#wakePutter?.();
  }
}
