// Gathers a message whose parts come in several frames or reads. Holds at most twice what was received and a little
// more: announced lengths are not believed.

/** So much is believed of what is announced: most messages then take one step. */
const BELIEVED_BYTES = 16_384;
const NOTHING = Buffer.alloc(0);

export class MessageBuffer {
  #buffer = NOTHING;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** `announced`: bytes of the current frame that are still to come; `isLast`: it is the last one. */
  append(bytes: Buffer, start: number, end: number, announced: number, isLast: boolean): void {
    const needed = this.#length + end - start;
    if (needed > this.#buffer.length) {
      const room = Math.max(needed * 2, needed + Math.min(announced, BELIEVED_BYTES));
      this.#grow(isLast ? Math.min(room, needed + announced) : room);
    }
    bytes.copy(this.#buffer, this.#length, start, end);
    this.#length = needed;
  }

  /** The message; it belongs to the caller. */
  take(): Buffer {
    const message = this.#buffer.subarray(0, this.#length);
    this.#buffer = NOTHING;
    this.#length = 0;
    return message;
  }

  #grow(room: number): void {
    const grown = Buffer.allocUnsafe(room);
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }
}
