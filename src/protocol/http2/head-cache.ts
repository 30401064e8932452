// Remembers the last heads whose blocks were indices only: clients repeat them octet by octet, and the same octets under the
// same table are the same head. Not HPACK's table: hpack/dynamic-table.ts.
import type { DynamicTable } from './hpack/dynamic-table.ts';
import type { Http2RequestHead } from './head-builder.ts';
import type { HeaderField } from './field-kind.ts';

const ENTRIES = 2;
/** Longer blocks are not remembered. */
const MAX_BLOCK_BYTES = 64;

export interface CachedHead {
  readonly head: Http2RequestHead;
  readonly priority: string | null;
  readonly endStream: boolean;
  readonly bytes: Uint8Array;
  /** The table that it holds for: no insertion since (insertCount), no eviction without one (length). */
  readonly insertCount: number;
  readonly length: number;
}

export class HeadCache {
  readonly #entries: (CachedHead | null)[] = Array.from({ length: ENTRIES }, () => null);
  #next = 0;

  find(
    buffer: Buffer,
    start: number,
    end: number,
    endStream: boolean,
    table: DynamicTable<HeaderField>,
  ): CachedHead | null {
    for (let i = 0; i < ENTRIES; i++) {
      const entry = this.#entries[i] as CachedHead | null;
      if (entry === null) return null;
      if (
        entry.insertCount === table.insertCount &&
        entry.length === table.length &&
        entry.endStream === endStream &&
        sameBytes(entry.bytes, buffer, start, end)
      ) {
        return entry;
      }
    }
    return null;
  }

  /** The head is frozen with its fields, since several requests will share it. */
  add(
    buffer: Buffer,
    start: number,
    end: number,
    endStream: boolean,
    table: DynamicTable<HeaderField>,
    head: Http2RequestHead,
    priority: string | null,
  ): void {
    if (end - start > MAX_BLOCK_BYTES) return;
    Object.freeze(head.fields);
    Object.freeze(head);
    const { insertCount, length } = table;
    const bytes = new Uint8Array(buffer.subarray(start, end));
    this.#entries[this.#next] = { head, priority, endStream, bytes, insertCount, length };
    this.#next = (this.#next + 1) % ENTRIES;
  }
}

function sameBytes(bytes: Uint8Array, buffer: Buffer, start: number, end: number): boolean {
  if (bytes.length !== end - start) return false;
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== buffer[start + i]) return false;
  return true;
}
