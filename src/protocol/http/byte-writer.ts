// Output that grows: bytes are gathered in a slab and taken as views of it, for the connections of every protocol. Not a
// stream: it never waits and knows no sink.
import { writeLatin1 } from './latin1.ts';

/** Size of a slab: some hundred small responses, and no more than a socket's send buffer takes at once. */
export const SLAB_BYTES = 65_536;
/** Writes above this size are not copied into the slab: a copy costs more than one more piece in a writev. */
export const MAX_COPY_BYTES = 16_384;
/** A UTF-16 code unit takes at most this many bytes of UTF-8. */
const MAX_UTF8_BYTES_PER_UNIT = 3;

/**
 * The slab that all writers write into, and where nobody has yet. So those that have nothing to send hold no memory, and those that have
 * write where the processor's cache is. Two that write in turn get a piece for each turn.
 */
let shared: Buffer = Buffer.alloc(0);
let sharedEnd = SLAB_BYTES;

export class ByteWriter {
  /** Where the current piece is; null: nothing was written since the last take. */
  #slab: Buffer | null = null;
  /** The current piece: [#start, #end) of the slab. */
  #start = 0;
  #end = 0;
  /** The pieces before the current one, in order. */
  #pieces: Buffer[] = [];
  #piecesBytes = 0;

  /** Bytes written and not yet taken. */
  get length(): number {
    return this.#piecesBytes + (this.#end - this.#start);
  }

  /** One byte per character; the caller knows that there is none above U+00FF. */
  writeLatin1(text: string): void {
    if (text.length > MAX_COPY_BYTES) {
      this.#addPiece(Buffer.from(text, 'latin1'));
      return;
    }
    const slab = this.reserve(text.length);
    this.advance(writeLatin1(slab, text, this.#end));
  }

  /** Lone surrogates become U+FFFD. */
  writeUtf8(text: string): void {
    const most = text.length * MAX_UTF8_BYTES_PER_UNIT;
    if (most > MAX_COPY_BYTES) {
      this.writeBytes(Buffer.from(text, 'utf8'));
      return;
    }
    const slab = this.reserve(most);
    this.advance(slab.write(text, this.#end, 'utf8'));
  }

  /** Above `maxCopyBytes` (at most SLAB_BYTES) the bytes are kept by reference: they must not change until they have been sent. */
  writeBytes(source: Uint8Array, maxCopyBytes = MAX_COPY_BYTES): void {
    if (source.length > maxCopyBytes) {
      this.#addPiece(Buffer.from(source.buffer, source.byteOffset, source.length));
      return;
    }
    const slab = this.reserve(source.length);
    slab.set(source, this.#end);
    this.advance(source.length);
  }

  /** All bytes since the last take, as a buffer that stays as it is; null where there are none. Copies several pieces into one. */
  take(): Buffer | null {
    const pieces = this.takeAll();
    return pieces.length > 1 ? Buffer.concat(pieces) : (pieces[0] ?? null);
  }

  /** All bytes since the last take, in pieces that stay as they are; copies nothing. */
  takeAll(): Buffer[] {
    this.#closePiece();
    this.#slab = null;
    const pieces = this.#pieces;
    if (pieces.length > 0) {
      this.#pieces = [];
      this.#piecesBytes = 0;
    }
    return pieces;
  }

  /** The same where they are one piece; null, and nothing is taken, where there are none or several. */
  takePiece(): Buffer | null {
    const slab = this.#slab;
    if (slab === null || this.#end === this.#start || this.#pieces.length > 0) return null;
    const piece = slab.subarray(this.#start, this.#end);
    this.#slab = null;
    this.#start = this.#end;
    return piece;
  }

  /** Where in the slab the next byte goes; to be read after `reserve`. */
  get position(): number {
    return this.#end;
  }

  /** Counts `bytes` that the caller has put at `position` in what `reserve` gave. */
  advance(bytes: number): void {
    this.#end += bytes;
    sharedEnd = this.#end;
  }

  /**
   * The slab, with room for `length` bytes (at most SLAB_BYTES) at `position`, until another writer is written to. Moves #end, so
   * that it must be called before #end is read.
   */
  reserve(length: number): Buffer {
    const slab = this.#slab;
    if (slab === shared && this.#end === sharedEnd && sharedEnd + length <= SLAB_BYTES) return slab;
    this.#closePiece();
    if (sharedEnd + length > SLAB_BYTES) {
      shared = Buffer.allocUnsafeSlow(SLAB_BYTES);
      sharedEnd = 0;
    }
    this.#slab = shared;
    this.#start = sharedEnd;
    this.#end = sharedEnd;
    return shared;
  }

  #closePiece(): void {
    if (this.#slab === null || this.#end === this.#start) return;
    this.#pieces.push(this.#slab.subarray(this.#start, this.#end));
    this.#piecesBytes += this.#end - this.#start;
    this.#start = this.#end;
  }

  #addPiece(piece: Buffer): void {
    this.#closePiece();
    this.#pieces.push(piece);
    this.#piecesBytes += piece.length;
  }
}
