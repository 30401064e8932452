// Encodes header blocks (RFC 7541) into a buffer that the caller provides, with a dynamic table of its own and a memory
// of the last blocks, so that a repeated head costs a copy of a few octets. Not framing: see sender.ts.
import { FIELD_OVERHEAD, isTrimmedValue } from '../field-kind.ts';
import type { FieldLines } from '../../http/field-lines.ts';
import { DynamicTable } from './dynamic-table.ts';
import { describeName, Representation, Role } from './encoder-names.ts';
import type { EncodedEntry, EncodedName } from './encoder-names.ts';
import { encodeHuffman, huffmanLength } from './huffman.ts';
import { encodeInteger } from './integer.ts';
import { STATIC_FIELDS } from './static.table.ts';

const FIRST_DYNAMIC_INDEX = STATIC_FIELDS.length / 2 + 1;
/** Room for the prefixes of a name and of a value: two integers of at most 6 octets, and the name's index. */
const PREFIX_BYTES = 18;
/** Room for two table size updates, `:status`, content-length, and the prefixes of date and server. */
const FIXED_BYTES = 128;
/** Only so many of a name's entries are compared with a value. */
const MAX_COMPARED = 16;
/** Shorter strings that are not indexed are not worth Huffman coding. */
const MIN_HUFFMAN_LENGTH = 12;
/** As a content-length: there is none, and one among the fields is left out. */
export const NO_CONTENT_LENGTH = -2;
const BAD_NAME = 'not a field name';
const BAD_VALUE = 'not a field value';
const REMEMBERED_BLOCKS = 4;
const MISSES_PER_TRY = 64;
/** Longer blocks are not remembered. */
const MAX_REMEMBERED_BYTES = 128;
/** Names kept for their place in the static table, each spelling for itself. */
const MAX_NAMES = 256;
/** A table entry takes 1/4 of the table at most, so that one long value cannot push all others out. */
const MAX_ENTRY_SHARE = 4;

/** What an encoded head is made of. Names may be in any case. */
export interface EncodedHead {
  /** Pseudo-fields first, where there are any. */
  readonly fields: FieldLines;
  /** `:status`; empty for requests and trailers. */
  readonly status: string;
  /** content-length in octets, instead of one among the fields; -1: none but theirs; NO_CONTENT_LENGTH: not even that. */
  readonly contentLength: number;
  /** date and server, where they are not among the fields; empty: none. */
  readonly date: string;
  readonly server: string;
}

/** A block that was encoded without an insertion: valid for as long as none is made. */
interface RememberedBlock extends EncodedHead {
  readonly insertCount: number;
  readonly bytes: Uint8Array;
}

/** A name or value that cannot go on the wire. */
export interface BadField {
  readonly name: string;
  readonly reason: string;
}

export class HpackEncoder {
  readonly #names = new Map<string, EncodedName>();
  readonly #table: DynamicTable<EncodedEntry>;
  /** The largest table that we keep, whatever the peer allows. */
  readonly #ownLimit: number;
  /** The smallest size passed through since the last block, to be signalled first (RFC 7541 §4.2); -1 for none. */
  #smallestUpdate = -1;
  readonly #blocks: (RememberedBlock | null)[] = Array.from({ length: REMEMBERED_BLOCKS }, () => null);
  #nextBlock = 0;
  /** Blocks that were not found, since one was. */
  #misses = 0;
  #refused: BadField | null = null;

  /** `ownLimit`: the largest table size in octets that is kept for this connection; the peer starts with 4096. */
  constructor(ownLimit: number, peerLimit = 4096) {
    this.#ownLimit = ownLimit;
    this.#table = new DynamicTable<EncodedEntry>(peerLimit, (entry) => this.#forget(entry));
    if (ownLimit < peerLimit) this.setMaxTableSize(peerLimit);
  }

  /** Takes over the peer's SETTINGS_HEADER_TABLE_SIZE. */
  setMaxTableSize(peerLimit: number): void {
    const size = Math.min(peerLimit, this.#ownLimit);
    if (size === this.#table.maxSize) return;
    if (this.#smallestUpdate < 0 || size < this.#smallestUpdate) this.#smallestUpdate = size;
    this.#table.resize(size);
    // Remembered blocks lack the update, and may refer to what was evicted.
    this.#forgetBlocks();
  }

  /** Octets that the block of these fields can take at most, whatever else comes with them. */
  maxBlockBytes(fields: FieldLines): number {
    let bytes = FIXED_BYTES;
    for (let i = 0; i < fields.length; i++) bytes += (fields[i] as string).length + PREFIX_BYTES;
    return bytes;
  }

  /**
   * Writes a block to `target` at `position`, where there must be room for `maxBlockBytes` (and date and server), and
   * returns the position after it; see EncodedHead for the rest. Fields about the connection are left out. Returns -1 for
   * a name or value that is none (CR, LF, NUL …: response splitting), which `refused` then tells: the encoder stays
   * usable, and nothing must be sent of the block.
   */
  encode(
    target: Buffer,
    position: number,
    status: string,
    fields: FieldLines,
    contentLength: number,
    date: string,
    server: string,
  ): number {
    for (let i = 0; i < REMEMBERED_BLOCKS; i++) {
      const block = this.#blocks[i] as RememberedBlock | null;
      if (block === null) break;
      if (
        block.insertCount === this.#table.insertCount &&
        block.contentLength === contentLength &&
        block.status === status &&
        block.date === date &&
        block.server === server &&
        sameFields(block.fields, fields)
      ) {
        const bytes = block.bytes;
        this.#misses = 0;
        for (let j = 0; j < bytes.length; j++) target[position + j] = bytes[j] as number;
        return position + bytes.length;
      }
    }
    const insertCount = this.#table.insertCount;
    const updates = this.#smallestUpdate >= 0;
    const at = this.#writeBlock(target, position, status, fields, contentLength, date, server);
    if (at < 0) {
      this.#startOver();
    } else if (
      !updates &&
      insertCount === this.#table.insertCount &&
      at - position <= MAX_REMEMBERED_BYTES &&
      // Where no block comes twice, remembering them is wasted: then only now and then.
      this.#misses++ % MISSES_PER_TRY < REMEMBERED_BLOCKS
    ) {
      this.#blocks[this.#nextBlock] = {
        status,
        // A copy: the caller may use its array again.
        fields: fields.slice(),
        contentLength,
        date,
        server,
        insertCount,
        bytes: new Uint8Array(target.subarray(position, at)),
      };
      this.#nextBlock = (this.#nextBlock + 1) % REMEMBERED_BLOCKS;
    }
    return at;
  }

  /** What `encode` refused last. */
  get refused(): BadField | null {
    return this.#refused;
  }

  /** What is wrong with fields that will be encoded later; null where nothing is. */
  check(fields: FieldLines): BadField | null {
    for (let i = 0; i < fields.length; i += 2) {
      const known = this.#nameOf(fields[i] as string);
      if (known.representation === Representation.BAD || known.isPseudo)
        return { name: known.name, reason: BAD_NAME };
      if (!isTrimmedValue(fields[i + 1] as string)) return { name: known.name, reason: BAD_VALUE };
    }
    return null;
  }

  #writeBlock(
    target: Buffer,
    position: number,
    status: string,
    fields: FieldLines,
    contentLength: number,
    date: string,
    server: string,
  ): number {
    let at = this.#smallestUpdate >= 0 ? this.#writeUpdates(target, position) : position;
    if (status !== '') at = this.#writeField(target, at, this.#nameOf(':status'), status);
    let dateGiven = date === '';
    let serverGiven = server === '';
    for (let i = 0; i < fields.length; i += 2) {
      const known = this.#nameOf(fields[i] as string);
      if (known.role !== Role.NONE) {
        if (known.role === Role.DATE) dateGiven = true;
        else if (known.role === Role.SERVER) serverGiven = true;
        else if (contentLength !== -1) continue;
      }
      // Of a response: none is the application's. Those of a request that is promised are.
      if (known.isPseudo && status !== '') return this.#refuse(known.name, BAD_NAME);
      at = this.#writeField(target, at, known, fields[i + 1] as string);
      if (at < 0) return -1;
    }
    if (contentLength >= 0) {
      at = this.#writeField(target, at, this.#nameOf('content-length'), `${contentLength}`);
    }
    if (!serverGiven) at = this.#writeField(target, at, this.#nameOf('server'), server);
    if (!dateGiven && at >= 0) at = this.#writeField(target, at, this.#nameOf('date'), date);
    return at;
  }

  #forgetBlocks(): void {
    this.#blocks.fill(null);
    this.#nextBlock = 0;
  }

  #writeUpdates(target: Buffer, position: number): number {
    let at = position;
    if (this.#smallestUpdate < this.#table.maxSize) {
      at = encodeInteger(target, at, 0x20, 0x1f, this.#smallestUpdate);
    }
    this.#smallestUpdate = -1;
    return encodeInteger(target, at, 0x20, 0x1f, this.#table.maxSize);
  }

  #nameOf(name: string): EncodedName {
    return this.#names.get(name) ?? this.#learnName(name);
  }

  /** -1: refused. */
  #writeField(target: Buffer, position: number, known: EncodedName, value: string): number {
    const statics = known.staticValues;
    for (let i = 0; i < statics.length; i += 2) {
      if (statics[i] === value) return encodeInteger(target, position, 0x80, 0x7f, statics[i + 1] as number);
    }
    const entries = known.entries;
    const oldest = Math.max(0, entries.length - MAX_COMPARED);
    for (let i = entries.length - 1; i >= oldest; i--) {
      const entry = entries[i] as EncodedEntry;
      if (entry.value === value) {
        return encodeInteger(target, position, 0x80, 0x7f, this.#indexOf(entry));
      }
    }
    return this.#writeLiteral(target, position, known, value);
  }

  #indexOf(entry: EncodedEntry): number {
    return FIRST_DYNAMIC_INDEX + this.#table.insertCount - 1 - entry.number;
  }

  #writeLiteral(target: Buffer, position: number, known: EncodedName, value: string): number {
    const representation = known.representation;
    if (representation === Representation.DROPPED) return position;
    if (representation === Representation.BAD) return this.#refuse(known.name, BAD_NAME);
    if (!isTrimmedValue(value)) return this.#refuse(known.name, BAD_VALUE);
    const size = known.name.length + value.length + FIELD_OVERHEAD;
    const indexing =
      representation === Representation.INDEXED && size <= this.#table.maxSize / MAX_ENTRY_SHARE;
    const last = known.entries.at(-1);
    let nameIndex = known.staticIndex;
    if (nameIndex === 0 && last !== undefined) nameIndex = this.#indexOf(last);
    let at: number;
    if (indexing) at = encodeInteger(target, position, 0x40, 0x3f, nameIndex);
    else
      at = encodeInteger(
        target,
        position,
        representation === Representation.NEVER ? 0x10 : 0,
        0x0f,
        nameIndex,
      );
    if (nameIndex === 0) at = writeString(target, at, known.name, true);
    at = writeString(target, at, value, indexing || value.length >= MIN_HUFFMAN_LENGTH);
    if (indexing) {
      const entry: EncodedEntry = { owner: known, value, number: this.#table.insertCount, size };
      // The entries that it evicts may be of the same name: list it after them.
      this.#table.insert(entry);
      known.entries.push(entry);
      this.#names.set(known.name, known);
    }
    return at;
  }

  /** The record of a name not met yet, or met in another case. */
  #learnName(name: string): EncodedName {
    const lower = name.toLowerCase();
    const known = this.#names.get(lower) ?? describeName(lower);
    // Others are kept while an entry bears them (see #forget): as bounded as the table.
    if (known.staticIndex > 0 && this.#names.size < MAX_NAMES) this.#names.set(name, known);
    return known;
  }

  #forget(entry: EncodedEntry): void {
    const owner = entry.owner;
    // Entries leave oldest first.
    owner.entries.shift();
    if (owner.entries.length === 0 && owner.staticIndex === 0) this.#names.delete(owner.name);
  }

  #refuse(name: string, reason: string): -1 {
    this.#refused = { name, reason };
    return -1;
  }

  /** Empties both tables, by size updates before the next block: the peer will not see the insertions of this one. */
  #startOver(): void {
    const size = this.#table.maxSize;
    this.#table.resize(0);
    this.#table.resize(size);
    this.#smallestUpdate = 0;
    this.#forgetBlocks();
  }
}

function sameFields(a: FieldLines, b: FieldLines): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** A string literal (RFC 7541 §5.2), Huffman-coded where that is wanted and shorter. */
function writeString(target: Buffer, position: number, text: string, huffman: boolean): number {
  const length = text.length;
  if (huffman) {
    const coded = huffmanLength(text);
    if (coded < length)
      return encodeHuffman(text, target, encodeInteger(target, position, 0x80, 0x7f, coded));
  }
  const at = encodeInteger(target, position, 0, 0x7f, length);
  if (length > 32) return at + target.write(text, at, 'latin1');
  for (let i = 0; i < length; i++) target[at + i] = text.charCodeAt(i);
  return at + length;
}
