// The binary format of WebAssembly (core specification, chapter 5), as far as it takes to exchange functions of a module:
// sections, vectors, numbers. Knows no instructions.

/** Numbers of sections (§5.5.2). */
export const SECTION = { type: 1, import: 2, function: 3, export: 7, code: 10 } as const;

/** Magic number and version. */
const HEADER_BYTES = 8;

export interface WasmSection {
  readonly id: number;
  /** With number and length. */
  readonly whole: Buffer;
}

export interface WasmModule {
  readonly header: Buffer;
  readonly sections: readonly WasmSection[];
  /** What is in the section. Throws where there is none. */
  content(id: number): Buffer;
}

export function splitModule(bytes: Buffer): WasmModule {
  const reader = new WasmReader(bytes);
  const header = reader.bytes(HEADER_BYTES);
  const sections: WasmSection[] = [];
  const contents = new Map<number, Buffer>();
  while (!reader.isAtEnd) {
    const start = reader.position;
    const id = reader.byte();
    const content = reader.bytes(reader.unsigned());
    contents.set(id, content);
    sections.push({ id, whole: bytes.subarray(start, reader.position) });
  }
  return {
    header,
    sections,
    content(id) {
      const content = contents.get(id);
      if (content === undefined) throw new Error(`the WebAssembly has no section ${id}`);
      return content;
    },
  };
}

/** A vector (§5.1.3): how many, and each of them. */
export function readVector<T>(reader: WasmReader, read: (reader: WasmReader) => T): T[] {
  return Array.from({ length: reader.unsigned() }, () => read(reader));
}

export class WasmReader {
  readonly #bytes: Buffer;
  position = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.position >= this.#bytes.length;
  }

  byte(): number {
    const byte = this.#bytes[this.position];
    if (byte === undefined) throw new Error('the WebAssembly ends in the middle');
    this.position += 1;
    return byte;
  }

  bytes(length: number): Buffer {
    const end = this.position + length;
    if (end > this.#bytes.length) throw new Error('the WebAssembly ends in the middle');
    const bytes = this.#bytes.subarray(this.position, end);
    this.position = end;
    return bytes;
  }

  /** All that is left. */
  rest(): Buffer {
    return this.bytes(this.#bytes.length - this.position);
  }

  name(): string {
    return this.bytes(this.unsigned()).toString('utf8');
  }

  /** A number in LEB128 (§5.2.2). */
  unsigned(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }
}

/** A number in LEB128, in the fewest bytes. */
export function unsigned(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 0x80)) {
    if (rest < 0x80) return Uint8Array.from([...bytes, rest]);
    bytes.push((rest % 0x80) | 0x80);
  }
}
