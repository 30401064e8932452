// Bytes that wait, in the pieces that they came in: first in, first out. Small pieces that wait behind others are gathered, so that who
// sends or is sent byte by byte does not make it cost a hundred times the memory; and taking one out costs the same however many there are.

/** Pieces below this are gathered: a Buffer of its own costs about as much. */
const SMALL_BYTES = 128;
/** Where they are gathered. */
const GATHERED_BYTES = 4096;
/** Places of pieces that were taken are given back from so many on. */
const SPENT_PLACES = 64;

const NOTHING = Buffer.alloc(0);

export class PieceQueue {
  #pieces: Buffer[] = [];
  /** Pieces before this were taken. */
  #first = 0;
  #bytes = 0;
  /** Where the last piece is, if it is one that others may be added to, and how much of that is used. */
  #slab: Buffer | null = null;
  #slabBytes = 0;

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  /** The piece that is next; it stays. */
  get next(): Buffer | undefined {
    return this.#pieces[this.#first];
  }

  /** Adds a piece, by reference unless it is a small one: leave it unchanged until it was taken. An empty one is none. */
  push(piece: Buffer): void {
    if (piece.length === 0) return;
    if (piece.length < SMALL_BYTES && this.#bytes > 0) this.#gather(piece);
    else this.#add(piece);
  }

  /** Adds a copy. */
  pushCopy(piece: Buffer): void {
    if (piece.length === 0) return;
    if (piece.length < SMALL_BYTES && this.#bytes > 0) this.#gather(piece);
    else this.#add(Buffer.from(piece));
  }

  take(): Buffer | undefined {
    const piece = this.#pieces[this.#first];
    if (piece === undefined) return undefined;
    this.#pieces[this.#first] = NOTHING;
    this.#first += 1;
    this.#bytes -= piece.length;
    if (this.#bytes === 0) this.clear();
    else if (this.#first >= SPENT_PLACES && this.#first * 2 >= this.#pieces.length) {
      this.#pieces = this.#pieces.slice(this.#first);
      this.#first = 0;
    }
    return piece;
  }

  /** All that waits in one piece, which is the caller's. */
  takeAll(): Buffer {
    const pieces = this.#pieces.slice(this.#first);
    const all = pieces.length === 1 ? (pieces[0] ?? NOTHING) : Buffer.concat(pieces, this.#bytes);
    this.clear();
    return all;
  }

  clear(): void {
    this.#pieces = [];
    this.#first = 0;
    this.#bytes = 0;
    this.#slab = null;
  }

  #add(piece: Buffer): void {
    this.#slab = null;
    this.#pieces.push(piece);
    this.#bytes += piece.length;
  }

  #gather(piece: Buffer): void {
    const slab = this.#slab;
    if (slab === null || slab.length - this.#slabBytes < piece.length) {
      const next = Buffer.allocUnsafe(GATHERED_BYTES);
      next.set(piece);
      this.#add(next.subarray(0, piece.length));
      this.#slab = next;
      this.#slabBytes = piece.length;
      return;
    }
    slab.set(piece, this.#slabBytes);
    this.#slabBytes += piece.length;
    this.#bytes += piece.length;
    this.#pieces[this.#pieces.length - 1] = slab.subarray(0, this.#slabBytes);
  }
}
