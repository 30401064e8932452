// The exchanges of a session that are not over, in the order in which they were sent. Sends nothing.
import { Fifo } from './fifo.ts';
import type { Exchange } from './session-exchange.ts';

export class ExchangeQueue {
  readonly #exchanges = new Fifo<Exchange>();
  #load = 0;

  get length(): number {
    return this.#exchanges.length;
  }

  /** Weights of all of them together. */
  get load(): number {
    return this.#load;
  }

  /** The one that runs. */
  get first(): Exchange | undefined {
    return this.#exchanges.first;
  }

  push(exchange: Exchange): void {
    this.#exchanges.push(exchange);
    this.#load += exchange.weight;
  }

  /** Takes the first out. */
  shift(): void {
    this.#load -= this.#exchanges.shift()?.weight ?? 0;
  }

  /** Takes all out. */
  takeAll(): Exchange[] {
    this.#load = 0;
    return this.#exchanges.takeAll();
  }
}
