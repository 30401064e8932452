// What calls of each statement have taken of a session's time. Decides nothing.
//
// What can be measured is when answers were read, which on a busy machine says as much about who had the processors, and about this
// event loop, as about the call. So the mean tells what is long, and the least of late what is quick.

/** Weight of the newest sample in the mean. One slow call makes a statement slow, some twenty quick ones make it quick again. */
const WEIGHT = 1 / 8;

/** Of samples in `leastMs`: it goes down at once, and up in some hundred calls. */
const WEIGHT_OF_LESS = 1 / 2;
const WEIGHT_OF_MORE = 1 / 64;

/** Of a statement that has not been measured: neither quick enough to be piled up, nor known to be long. */
const UNKNOWN_MS = 1;

/** As many as sessions keep prepared (session.ts). */
const MAX_STATEMENTS = 2000;

export interface CallCost {
  /** Time of the session, in ms. */
  meanMs: number;
  /** What it needs when nothing else is in the way, in ms. */
  leastMs: number;
  measured: boolean;
}

export class CallCosts {
  readonly #costs = new Map<string, CallCost>();

  of(statementName: string): CallCost {
    const known = this.#costs.get(statementName);
    if (known !== undefined) return known;
    if (this.#costs.size >= MAX_STATEMENTS) {
      const [oldest] = this.#costs.keys();
      if (oldest !== undefined) this.#costs.delete(oldest);
    }
    const cost = { meanMs: UNKNOWN_MS, leastMs: UNKNOWN_MS, measured: false };
    this.#costs.set(statementName, cost);
    return cost;
  }
}

export function addSample(cost: CallCost, ms: number): void {
  cost.meanMs = cost.measured ? cost.meanMs + (ms - cost.meanMs) * WEIGHT : ms;
  const weight = ms < cost.leastMs ? WEIGHT_OF_LESS : WEIGHT_OF_MORE;
  cost.leastMs = cost.measured ? cost.leastMs + (ms - cost.leastMs) * weight : ms;
  cost.measured = true;
}
