// Output that grows: bytes are gathered in slabs and taken as views, for the connections of every protocol. Not a
// stream: it never waits and knows no sink.

/** Size of a slab: some hundred small responses, and no more than a socket's send buffer takes at once. */
export const SLAB_BYTES = 65_536;
/** Writes above this size are not copied into the slab: a copy costs more than one more piece in a writev. */
export const MAX_COPY_BYTES = 16_384;
/** Slabs kept for reuse of their unwritten tail; more are only needed where writers hold bytes back. */
const MAX_IDLE_SLABS = 8;
/** A tail smaller than this is not worth keeping. */
const MIN_TAIL_BYTES = 512;

interface Slab {
  readonly bytes: Buffer;
  /** Everything before it has been handed out and is never written again. */
  used: number;
}

/**
 * Lends slabs to writers that have something to write, so that an idle connection holds none. A slab has one
 * borrower at a time and comes back with the tail that is still unwritten.
 */
export class SlabPool {
  readonly #idle: Slab[] = [];

  borrow(): Slab {
    return this.#idle.pop() ?? { bytes: Buffer.allocUnsafeSlow(SLAB_BYTES), used: 0 };
  }

  giveBack(slab: Slab): void {
    if (SLAB_BYTES - slab.used >= MIN_TAIL_BYTES && this.#idle.length < MAX_IDLE_SLABS) this.#idle.push(slab);
  }
}

const sharedPool = new SlabPool();

export class ByteWriter {
  readonly #pool: SlabPool;
  #slab: Slab | null = null;
  /** The pieces before the current one, in order. */
  #pieces: Buffer[] = [];
  #piecesBytes = 0;
  /** The current piece: [#start, #end) of the slab. */
  #start = 0;
  #end = 0;

  constructor(pool: SlabPool = sharedPool) {
    this.#pool = pool;
  }

  /** Bytes written and not yet taken. */
  get length(): number {
    return this.#piecesBytes + (this.#end - this.#start);
  }

  /** One byte per character; the caller knows that there is none above U+00FF. */
  writeLatin1(text: string): void {
    const { length } = text;
    if (length > MAX_COPY_BYTES) {
      this.#addPiece(Buffer.from(text, 'latin1'));
      return;
    }
    const bytes = this.#reserve(length);
    this.#end += bytes.latin1Write(text, this.#end, length);
  }

  /** Lone surrogates become U+FFFD. */
  writeUtf8(text: string): void {
    // A UTF-16 code unit takes at most three bytes.
    if (text.length * 3 > MAX_COPY_BYTES) {
      this.writeBytes(Buffer.from(text, 'utf8'));
      return;
    }
    const bytes = this.#reserve(text.length * 3);
    this.#end += bytes.utf8Write(text, this.#end);
  }

  /** Above MAX_COPY_BYTES the buffer is kept by reference: it must not change until it has been sent. */
  writeBytes(source: Uint8Array): void {
    if (source.length > MAX_COPY_BYTES) {
      this.#addPiece(Buffer.from(source.buffer, source.byteOffset, source.length));
      return;
    }
    const bytes = this.#reserve(source.length);
    bytes.set(source, this.#end);
    this.#end += source.length;
  }

  /** Everything since the last take as one buffer, which stays as it is; null where there is nothing. Copies if there are several pieces. */
  take(): Buffer | null {
    const pieces = this.takeAll();
    return pieces.length > 1 ? Buffer.concat(pieces) : (pieces[0] ?? null);
  }

  /** Everything since the last take, in pieces that stay as they are; nothing is copied. */
  takeAll(): Buffer[] {
    this.#closePiece();
    const pieces = this.#pieces;
    if (this.#slab !== null) {
      this.#slab.used = this.#end;
      this.#pool.giveBack(this.#slab);
      this.#slab = null;
      this.#start = 0;
      this.#end = 0;
    }
    if (pieces.length > 0) {
      this.#pieces = [];
      this.#piecesBytes = 0;
    }
    return pieces;
  }

  #reserve(length: number): Buffer {
    let slab = this.#slab;
    if (slab === null || SLAB_BYTES - this.#end < length) {
      if (slab !== null) {
        this.#closePiece();
        slab.used = this.#end;
        this.#pool.giveBack(slab);
      }
      slab = this.#pool.borrow();
      if (SLAB_BYTES - slab.used < length) slab = { bytes: Buffer.allocUnsafeSlow(SLAB_BYTES), used: 0 };
      this.#slab = slab;
      this.#start = slab.used;
      this.#end = slab.used;
    }
    return slab.bytes;
  }

  #closePiece(): void {
    if (this.#slab === null || this.#end === this.#start) return;
    this.#pieces.push(this.#slab.bytes.subarray(this.#start, this.#end));
    this.#piecesBytes += this.#end - this.#start;
    this.#start = this.#end;
  }

  #addPiece(piece: Buffer): void {
    this.#closePiece();
    this.#pieces.push(piece);
    this.#piecesBytes += piece.length;
  }
}
