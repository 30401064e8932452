// What waits in order: first in, first out. Keeps nothing that was taken out: where a place keeps what it had, that lives on, and the
// garbage collector carries all that it leads to from one generation to the next.

const INITIAL_PLACES = 16;

export class Fifo<T> {
  /** A ring; its size is a power of two, so that a place is found with a mask. */
  #places: (T | undefined)[] = emptyPlaces(INITIAL_PLACES);
  #first = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The oldest, which stays. */
  get first(): T | undefined {
    return this.#places[this.#first];
  }

  push(item: T): void {
    if (this.#length === this.#places.length) this.#grow();
    this.#places[(this.#first + this.#length) & (this.#places.length - 1)] = item;
    this.#length += 1;
  }

  /** Takes the oldest out. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#places[this.#first];
    this.#places[this.#first] = undefined;
    this.#first = (this.#first + 1) & (this.#places.length - 1);
    this.#length -= 1;
    return item;
  }

  /** Takes all out, the oldest first. */
  takeAll(): T[] {
    const items: T[] = [];
    for (let item = this.shift(); item !== undefined; item = this.shift()) items.push(item);
    if (this.#places.length > INITIAL_PLACES) {
      this.#places = emptyPlaces(INITIAL_PLACES);
      this.#first = 0;
    }
    return items;
  }

  #grow(): void {
    const old = this.#places;
    const places = emptyPlaces<T>(old.length * 2);
    for (let i = 0; i < old.length; i += 1) places[i] = old[(this.#first + i) & (old.length - 1)];
    this.#places = places;
    this.#first = 0;
  }
}

function emptyPlaces<T>(count: number): (T | undefined)[] {
  return Array.from({ length: count }, (): T | undefined => undefined);
}
