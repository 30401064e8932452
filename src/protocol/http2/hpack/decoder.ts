// Decodes header blocks (RFC 7541 §3, §5, §6) straight from the bytes received, and hands each field to a sink. Keeps
// the peer's dynamic table. Judges names and values only as far as their kind is kept with them: heads are checked by
// head-builder.ts.
import { classifyName, FIELD_OVERHEAD, FieldKind, isTrimmedValue, makeField } from '../field-kind.ts';
import type { HeaderField } from '../field-kind.ts';
import { DynamicTable } from './dynamic-table.ts';
import { decodeHuffman } from './huffman.ts';
import { STATIC_FIELDS } from './static.table.ts';

/** Takes the fields of a block, in order. `size` counts as in RFC 9113 §6.5.2. */
export interface FieldSink {
  addField(name: string, value: string, kind: FieldKind, size: number): void;
}

const STATIC_LENGTH = STATIC_FIELDS.length / 2;
/** Index 0 is never a field (RFC 7541 §6.1). */
const STATIC: readonly (HeaderField | undefined)[] = [undefined, ...makeStaticFields()];
/** Names that need not be made anew for each literal: one string for all connections. */
const SHARED_NAMES = new Map<string, string>();
const COMMON_NAMES = [
  'dnt',
  'origin',
  'priority',
  'sec-ch-ua',
  'sec-ch-ua-mobile',
  'sec-ch-ua-platform',
  'sec-fetch-dest',
  'sec-fetch-mode',
  'sec-fetch-site',
  'sec-fetch-user',
  'te',
  'traceparent',
  'upgrade-insecure-requests',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-request-id',
];
for (const name of COMMON_NAMES) SHARED_NAMES.set(name, name);
for (const field of STATIC) if (field !== undefined) SHARED_NAMES.set(field.name, field.name);

/** Integers above this are an error: no index, length or table size comes near (RFC 7541 §5.1 asks for a limit). */
const MAX_INTEGER = 0x0fffffff;
/** Continuation octets that reach MAX_INTEGER; more, even zeros, are an error. */
const MAX_INTEGER_SHIFT = 21;
const NO_BYTES = Buffer.alloc(0);
/** Where Huffman-coded strings are decoded; one for all connections, used within one call only. */
let scratch = Buffer.allocUnsafe(4096);

function makeStaticFields(): HeaderField[] {
  const fields: HeaderField[] = [];
  for (let i = 0; i < STATIC_FIELDS.length; i += 2) {
    const name = STATIC_FIELDS[i] as string;
    fields.push(makeField(name, STATIC_FIELDS[i + 1] as string, classifyName(name)));
  }
  return fields;
}

export class HpackDecoder {
  readonly table: DynamicTable<HeaderField>;
  /** Whether the last block was made of indices alone, and so changed nothing. */
  indexedOnly = true;
  /** The largest table size that the peer may choose: our SETTINGS_HEADER_TABLE_SIZE, once acknowledged. */
  #maxTableSize: number;
  /** The peer must begin its next block with a size update, because its table is larger than we now allow. */
  owesSizeUpdate = false;
  #buffer: Buffer = NO_BYTES;
  #position = 0;
  #end = 0;
  /** Why decoding stopped; the connection is lost with it, so it is never reset. */
  #error: string | null = null;

  constructor(maxTableSize: number) {
    this.#maxTableSize = maxTableSize;
    this.table = new DynamicTable(maxTableSize);
  }

  /** Takes over a changed SETTINGS_HEADER_TABLE_SIZE that the peer has acknowledged (RFC 7541 §4.2). */
  setMaxTableSize(size: number): void {
    this.#maxTableSize = size;
    if (this.table.maxSize > size) this.owesSizeUpdate = true;
  }

  /**
   * Decodes one whole block, `buffer[start, end)`. Returns null, or the reason for a connection error of type
   * COMPRESSION_ERROR; then the decoder is of no more use.
   */
  decode(buffer: Buffer, start: number, end: number, sink: FieldSink): string | null {
    this.#buffer = buffer;
    this.#position = start;
    this.#end = end;
    this.indexedOnly = true;
    this.#readBlock(sink);
    // An idle connection must not keep the chunk that it read last.
    this.#buffer = NO_BYTES;
    return this.#error;
  }

  #readBlock(sink: FieldSink): void {
    const buffer = this.#buffer;
    const end = this.#end;
    // Size updates stand before the first field only (RFC 7541 §4.2).
    while (this.#position < end && ((buffer[this.#position] as number) & 0xe0) === 0x20)
      this.#readSizeUpdate();
    if (this.owesSizeUpdate) this.#error ??= 'the table size was lowered, and no size update follows';
    while (this.#position < end && this.#error === null) {
      const byte = buffer[this.#position] as number;
      if (byte >= 0x80) this.#readIndexed(sink);
      else if ((byte & 0xe0) !== 0x20) this.#readLiteral(byte, sink);
      else this.#error = 'a table size update after the first field';
    }
  }

  #readIndexed(sink: FieldSink): void {
    const field = this.#fieldAt(this.#readInteger(0x7f));
    if (field !== null) sink.addField(field.name, field.value, field.kind, field.size);
  }

  /** Literals: with incremental indexing (01), without (0000), and never indexed (0001) (RFC 7541 §6.2). */
  #readLiteral(byte: number, sink: FieldSink): void {
    this.indexedOnly = false;
    const indexing = byte >= 0x40;
    const index = this.#readInteger(indexing ? 0x3f : 0x0f);
    let name: string;
    let nameKind: FieldKind;
    if (index === 0) {
      const literal = this.#readString();
      const shared = SHARED_NAMES.get(literal);
      name = shared ?? literal;
      nameKind = classifyName(name);
    } else {
      const field = this.#fieldAt(index);
      if (field === null) return;
      name = field.name;
      nameKind = field.nameKind;
    }
    const value = this.#readString();
    if (this.#error !== null) return;
    if (indexing) {
      const field = makeField(name, value, nameKind);
      this.table.insert(field);
      sink.addField(name, value, field.kind, field.size);
    } else {
      const kind = isTrimmedValue(value) ? nameKind : FieldKind.BAD_VALUE;
      sink.addField(name, value, kind, name.length + value.length + FIELD_OVERHEAD);
    }
  }

  #readSizeUpdate(): void {
    this.indexedOnly = false;
    const size = this.#readInteger(0x1f);
    if (this.#error !== null) return;
    if (size > this.#maxTableSize) {
      this.#error = 'a table size update above the limit';
      return;
    }
    this.owesSizeUpdate = false;
    this.table.resize(size);
  }

  #fieldAt(index: number): HeaderField | null {
    const field = index <= STATIC_LENGTH ? STATIC[index] : this.table.get(index - STATIC_LENGTH - 1);
    if (field !== undefined) return field;
    this.#error ??= 'an index outside the tables';
    return null;
  }

  /** An integer whose prefix is `mask` of the next octet (RFC 7541 §5.1); 0 with #error set where it is bad. */
  #readInteger(mask: number): number {
    const buffer = this.#buffer;
    let value = (buffer[this.#position++] as number) & mask;
    if (value < mask) return value;
    for (let shift = 0; shift <= MAX_INTEGER_SHIFT && this.#position < this.#end; shift += 7) {
      const byte = buffer[this.#position++] as number;
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (value <= MAX_INTEGER) return value;
        break;
      }
    }
    this.#error = this.#position < this.#end ? 'an integer that is too large' : 'an integer is cut off';
    return 0;
  }

  /** A string literal (RFC 7541 §5.2) as latin1 text; empty with #error set where it is bad. */
  #readString(): string {
    if (this.#error !== null) return '';
    if (this.#position >= this.#end) {
      this.#error = 'a string is cut off';
      return '';
    }
    const huffman = (this.#buffer[this.#position] as number) >= 0x80;
    const length = this.#readInteger(0x7f);
    const start = this.#position;
    const end = start + length;
    if (end > this.#end) this.#error ??= 'a string is cut off';
    if (this.#error !== null) return '';
    this.#position = end;
    return huffman ? this.#decodeHuffman(start, end) : this.#buffer.toString('latin1', start, end);
  }

  #decodeHuffman(start: number, end: number): string {
    // The shortest code has 5 bits: 8/5 of the input at most. The block's own limit bounds the scratch buffer.
    const room = Math.ceil(((end - start) * 8) / 5);
    if (room > scratch.length) scratch = Buffer.allocUnsafe(room);
    const length = decodeHuffman(this.#buffer, start, end, scratch);
    if (length >= 0) return scratch.toString('latin1', 0, length);
    this.#error = 'a string is badly Huffman-coded';
    return '';
  }
}
