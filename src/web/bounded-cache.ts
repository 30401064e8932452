// A map from text to a value that forgets what was not asked for lately. Not an exact LRU: two generations, so that
// neither a hit nor an insertion has to keep a list in order.

/** Keeps between `generationSize` and twice as many entries. Keys longer than `maxKeyLength` are not kept. */
export class BoundedCache<V> {
  readonly #generationSize: number;
  readonly #maxKeyLength: number;
  #young = new Map<string, V>();
  #old = new Map<string, V>();

  constructor(generationSize: number, maxKeyLength: number) {
    this.#generationSize = generationSize;
    this.#maxKeyLength = maxKeyLength;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(key: string): V | undefined {
    const value = this.#young.get(key);
    if (value !== undefined) return value;
    const aged = this.#old.get(key);
    if (aged !== undefined) this.set(key, aged);
    return aged;
  }

  set(key: string, value: V): void {
    if (key.length > this.#maxKeyLength) return;
    if (this.#young.size >= this.#generationSize) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }
}
