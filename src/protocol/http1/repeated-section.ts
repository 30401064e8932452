// The header section that the requests of a connection repeat. Clients that keep a connection mostly send the same fields
// each time: comparing bytes is several times cheaper than reading them, and the field lines are then cut only once.
import type { HeaderSection } from './header-section.ts';

/** Larger sections are read each time: the copy is kept for as long as the connection. */
const MAX_REPEATED_BYTES = 2048;

export class RepeatedSection {
  /** The bytes of `section` with its empty line; null where no section was repeated yet. */
  #bytes: Buffer | null = null;
  #section: HeaderSection | null = null;
  #lastLength = 0;

  get length(): number {
    return this.#bytes === null ? 0 : this.#bytes.length;
  }

  /** The section where the input from `start` on is the same, byte by byte; otherwise null. */
  find(input: Buffer, start: number, end: number): HeaderSection | null {
    const bytes = this.#bytes;
    if (bytes === null || end - start < bytes.length) return null;
    return bytes.compare(input, start, start + bytes.length) === 0 ? this.#section : null;
  }

  /** Remembers a section that was read; only one as long as the one before it, so that a client that varies them costs no copies. */
  note(section: HeaderSection, input: Buffer, start: number, end: number): void {
    const length = end - start;
    if (length === this.#lastLength && length <= MAX_REPEATED_BYTES) {
      if (this.#bytes === null || this.#bytes.length !== length) this.#bytes = Buffer.allocUnsafe(length);
      input.copy(this.#bytes, 0, start, end);
      this.#section = section;
    }
    this.#lastLength = length;
  }
}
