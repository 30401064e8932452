// Rows between the one who fetches them and the one who takes them: bounded in number, and in how long it may be full.
import type { SqlRow } from '../web/sql-client.ts';

export class RowQueue {
  readonly #maxRows: number;
  readonly #limitMs: number;
  readonly #rows: SqlRow[] = [];
  #first = 0;
  #ended = false;
  #stopped = false;
  #error: unknown = null;
  #wakeTaker: (() => void) | null = null;
  #wakePutter: (() => void) | null = null;

  constructor(maxRows: number, limitMs: number) {
    this.#maxRows = maxRows;
    this.#limitMs = limitMs;
  }

  /** Resolves when there is room for another one, with false where no more are wanted. */
  async put(row: SqlRow): Promise<boolean> {
    this.#rows.push(row);
    this.#wakeTaker?.();
    if (this.#rows.length - this.#first < this.#maxRows || this.#stopped) return !this.#stopped;
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(
      () => late.reject(new Error(`no row was taken for ${this.#limitMs} ms`)),
      this.#limitMs,
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
      const row = this.#rows[this.#first];
      if (row !== undefined) {
        this.#first += 1;
        if (this.#first === this.#rows.length || this.#first >= 1024) {
          this.#rows.splice(0, this.#first);
          this.#first = 0;
        }
        // Woken when half of it is empty, so that rows go in batches.
        if (this.#rows.length - this.#first <= this.#maxRows / 2) this.#wakePutter?.();
        return row;
      }
      if (this.#error !== null) throw this.#error;
      if (this.#ended) return null;
      await new Promise<void>((resolve) => {
        this.#wakeTaker = resolve;
      });
      this.#wakeTaker = null;
    }
  }

  /** No more are wanted. */
  stop(): void {
    this.#stopped = true;
    this.#wakePutter?.();
  }
}
