// The exchanges of a session that are not over, in the order in which they were sent. Sends nothing.
import type { Exchange } from './session-exchange.ts';

/** How many places are given back at once. */
const COMPACT_AFTER = 1024;

export class ExchangeQueue {
  #exchanges: Exchange[] = [];
  #first = 0;
  #load = 0;

  get length(): number {
    return this.#exchanges.length - this.#first;
  }

  /** Weights of all of them together. */
  get load(): number {
    return this.#load;
  }

  /** The one that runs. */
  get first(): Exchange | undefined {
    return this.#exchanges[this.#first];
  }

  push(exchange: Exchange): void {
    this.#exchanges.push(exchange);
    this.#load += exchange.weight;
  }

  /** Takes the first out. */
  shift(): void {
    this.#load -= this.first?.weight ?? 0;
    this.#first += 1;
    if (this.#first === this.#exchanges.length) {
      this.#exchanges.length = 0;
      this.#first = 0;
    } else if (this.#first >= COMPACT_AFTER) {
      this.#exchanges = this.#exchanges.slice(this.#first);
      this.#first = 0;
    }
  }

  /** Takes all out. */
  takeAll(): Exchange[] {
    const exchanges = this.#exchanges.slice(this.#first);
    this.#exchanges = [];
    this.#first = 0;
    this.#load = 0;
    return exchanges;
  }
}
