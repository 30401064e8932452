// The dynamic table of RFC 7541 §2.3.2 and §4: a ring of entries, newest first, bounded by the sum of their sizes.
// Knows nothing of wire formats. The decoder keeps fields in it, the encoder its own entries.

export interface TableEntry {
  readonly size: number;
}

export class DynamicTable<Entry extends TableEntry> {
  /** Bound of `size`, in the octets of RFC 7541 §4.1. */
  maxSize: number;
  /** Entries inserted since the beginning; an entry's absolute number is the count before it. */
  insertCount = 0;
  length = 0;
  size = 0;
  #ring: (Entry | undefined)[] = Array.from({ length: 16 });
  #mask = 15;
  readonly #evicted: ((entry: Entry) => void) | null;

  /** `evicted` is told of every entry that leaves. */
  constructor(maxSize: number, evicted: ((entry: Entry) => void) | null = null) {
    this.maxSize = maxSize;
    this.#evicted = evicted;
  }

  /** The entry inserted `index` insertions before the newest (0), or undefined. */
  get(index: number): Entry | undefined {
    return index < this.length ? this.#ring[(this.insertCount - 1 - index) & this.#mask] : undefined;
  }

  /**
   * Inserts an entry, evicting from the oldest on. One larger than the whole table empties it and is not kept, which
   * is no error (RFC 7541 §4.4). Returns whether it was kept.
   */
  insert(entry: Entry): boolean {
    this.#evictTo(this.maxSize - entry.size);
    if (entry.size > this.maxSize) return false;
    if (this.length > this.#mask) this.#growRing();
    this.#ring[this.insertCount & this.#mask] = entry;
    this.insertCount++;
    this.length++;
    this.size += entry.size;
    return true;
  }

  /** Changes the bound and evicts what no longer fits (RFC 7541 §4.3). */
  resize(maxSize: number): void {
    this.maxSize = maxSize;
    this.#evictTo(maxSize);
  }

  #evictTo(size: number): void {
    while (this.size > size && this.length > 0) {
      const slot = (this.insertCount - this.length) & this.#mask;
      const entry = this.#ring[slot] as Entry;
      this.#ring[slot] = undefined;
      this.length--;
      this.size -= entry.size;
      if (this.#evicted !== null) this.#evicted(entry);
    }
  }

  #growRing(): void {
    const old = this.#ring;
    const oldMask = this.#mask;
    this.#mask = old.length * 2 - 1;
    this.#ring = Array.from({ length: old.length * 2 });
    for (let n = this.insertCount - this.length; n < this.insertCount; n++) {
      this.#ring[n & this.#mask] = old[n & oldMask];
    }
  }
}
