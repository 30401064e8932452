// A byte pipe in shared memory between two threads, one that writes and one that reads. Moves bytes and wakes who waits;
// what the bytes are is not known here.
//
// Messages of a MessagePort cost some 10 µs each on both sides; a store and, where the other side sleeps, one futex call
// cost next to nothing, and the thread that runs PostgreSQL never has to return to its event loop.

/** Positions count bytes since the beginning, modulo 2^32; their difference is what the ring holds. */
const WRITTEN = 0;
const READ = 1;
const READER_SLEEPS = 2;
const WRITER_SLEEPS = 3;
const CONTROL_SLOTS = 4;

export interface SharedRingMemory {
  readonly control: SharedArrayBuffer;
  readonly data: SharedArrayBuffer;
}

/** @param bytes capacity, a power of two (positions wrap at 2^32) */
export function allocateRing(bytes: number): SharedRingMemory {
  if (bytes <= 0 || (bytes & (bytes - 1)) !== 0) throw new RangeError('a ring needs a power of two of bytes');
  return {
    control: new SharedArrayBuffer(CONTROL_SLOTS * 4),
    data: new SharedArrayBuffer(bytes),
  };
}

export class RingWriter {
  readonly #control: Int32Array;
  readonly #data: Uint8Array;
  readonly #mask: number;

  constructor(memory: SharedRingMemory) {
    this.#control = new Int32Array(memory.control);
    this.#data = new Uint8Array(memory.data);
    this.#mask = this.#data.length - 1;
  }

  /** Writes as much from `start` on as there is room for, and wakes a reader that sleeps; returns how much it was. */
  write(bytes: Uint8Array, start = 0): number {
    const control = this.#control;
    const written = Atomics.load(control, WRITTEN);
    const held = (written - Atomics.load(control, READ)) >>> 0;
    const count = Math.min(bytes.length - start, this.#data.length - held);
    if (count === 0) return 0;
    const at = written & this.#mask;
    const first = Math.min(count, this.#data.length - at);
    this.#data.set(bytes.subarray(start, start + first), at);
    if (first < count) this.#data.set(bytes.subarray(start + first, start + count), 0);
    Atomics.store(control, WRITTEN, (written + count) | 0);
    if (Atomics.load(control, READER_SLEEPS) === 1) Atomics.notify(control, WRITTEN);
    return count;
  }

  /** Blocks this thread until the reader has taken something out of a full ring. Never on the main thread. */
  waitForRoom(): void {
    const control = this.#control;
    Atomics.store(control, WRITER_SLEEPS, 1);
    for (;;) {
      const read = Atomics.load(control, READ);
      const held = (Atomics.load(control, WRITTEN) - read) >>> 0;
      if (held < this.#data.length) break;
      Atomics.wait(control, READ, read);
    }
    Atomics.store(control, WRITER_SLEEPS, 0);
  }
}

export class RingReader {
  readonly #control: Int32Array;
  readonly #data: Uint8Array;
  readonly #mask: number;

  constructor(memory: SharedRingMemory) {
    this.#control = new Int32Array(memory.control);
    this.#data = new Uint8Array(memory.data);
    this.#mask = this.#data.length - 1;
  }

  get available(): number {
    return (Atomics.load(this.#control, WRITTEN) - Atomics.load(this.#control, READ)) >>> 0;
  }

  /** Whether the writer waits for room, or would have to: the ring was full when it was last looked at. */
  get writerWaits(): boolean {
    return Atomics.load(this.#control, WRITER_SLEEPS) === 1;
  }

  /** Copies up to `count` bytes into `target` at `at` and frees their room; returns how many it were. */
  read(target: Uint8Array, at: number, count: number): number {
    const control = this.#control;
    const read = Atomics.load(control, READ);
    const taken = Math.min(count, (Atomics.load(control, WRITTEN) - read) >>> 0);
    if (taken === 0) return 0;
    const from = read & this.#mask;
    const first = Math.min(taken, this.#data.length - from);
    target.set(this.#data.subarray(from, from + first), at);
    if (first < taken) target.set(this.#data.subarray(0, taken - first), at + first);
    Atomics.store(control, READ, (read + taken) | 0);
    if (Atomics.load(control, WRITER_SLEEPS) === 1) Atomics.notify(control, READ);
    return taken;
  }

  /** Blocks this thread until there is something to read. Never on the main thread. */
  waitForBytes(): void {
    const control = this.#control;
    if (this.available > 0) return;
    Atomics.store(control, READER_SLEEPS, 1);
    for (;;) {
      const written = Atomics.load(control, WRITTEN);
      if (written !== Atomics.load(control, READ)) break;
      Atomics.wait(control, WRITTEN, written);
    }
    Atomics.store(control, READER_SLEEPS, 0);
  }
}
