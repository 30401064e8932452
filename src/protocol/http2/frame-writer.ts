// Gathers the frames of one turn in slabs, to be written to the socket at once. Not a queue of DATA: bodies that wait for
// windows stay with their streams (stream.ts).

/** Size of a slab: a few hundred small responses, or what a socket takes at once. */
const SLAB_BYTES = 65_536;
/** Larger payloads are passed on by reference instead of being copied. */
const MAX_COPIED_BYTES = 4096;

const NO_SLAB: Buffer = Buffer.alloc(0);

// The rest of the slab used last, of all connections: whoever writes next goes on there.
let spare: Buffer = NO_SLAB;
let sparePosition = 0;

export class FrameWriter {
  /** The current slab; only octets from `position` on may be written, after `ensure`. */
  buffer: Buffer = NO_SLAB;
  position = 0;
  /** Where the octets not yet taken begin in the slab. */
  #taken = 0;
  #pieces: Buffer[] = [];
  #piecesBytes = 0;

  /** Octets gathered and not taken. */
  get size(): number {
    return this.#piecesBytes + this.position - this.#taken;
  }

  /** Makes room for `bytes` octets in one piece at `position`. */
  ensure(bytes: number): void {
    if (this.position + bytes > this.buffer.length) this.#nextSlab(bytes);
  }

  writeUint16(value: number): void {
    this.ensure(2);
    this.buffer[this.position++] = value >>> 8;
    this.buffer[this.position++] = value;
  }

  writeUint32(value: number): void {
    this.ensure(4);
    this.buffer[this.position++] = value >>> 24;
    this.buffer[this.position++] = value >>> 16;
    this.buffer[this.position++] = value >>> 8;
    this.buffer[this.position++] = value;
  }

  /** Appends `bytes[start, end)`; large ones by reference, so the caller must leave them unchanged until written. */
  writeBytes(bytes: Buffer, start: number, end: number): void {
    if (end - start <= MAX_COPIED_BYTES) {
      this.copyBytes(bytes, start, end);
      return;
    }
    this.#cut();
    this.#pieces.push(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end));
    this.#piecesBytes += end - start;
  }

  /** Appends a copy of `bytes[start, end)`. */
  copyBytes(bytes: Buffer, start: number, end: number): void {
    this.ensure(end - start);
    bytes.copy(this.buffer, this.position, start, end);
    this.position += end - start;
  }

  /** Takes what was gathered, to be written in order and left unchanged; empty where there is nothing. */
  take(): Buffer[] {
    this.#cut();
    this.#leaveSlab();
    const pieces = this.#pieces;
    if (pieces.length > 0) {
      this.#pieces = [];
      this.#piecesBytes = 0;
    }
    return pieces;
  }

  /** Closes the piece of the slab that is not taken yet. */
  #cut(): void {
    if (this.position === this.#taken) return;
    this.#pieces.push(this.buffer.subarray(this.#taken, this.position));
    this.#piecesBytes += this.position - this.#taken;
    this.#taken = this.position;
  }

  #nextSlab(bytes: number): void {
    this.#cut();
    if (spare.length - sparePosition >= bytes) {
      this.buffer = spare;
      this.position = sparePosition;
      spare = NO_SLAB;
      sparePosition = 0;
    } else {
      this.buffer = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, bytes));
      this.position = 0;
    }
    this.#taken = this.position;
  }

  /** Leaves the rest of the slab to whoever writes next: an idle connection keeps none. */
  #leaveSlab(): void {
    if (this.buffer.length - this.position > spare.length - sparePosition) {
      spare = this.buffer;
      sparePosition = this.position;
    }
    this.buffer = NO_SLAB;
    this.position = 0;
    this.#taken = 0;
  }
}
