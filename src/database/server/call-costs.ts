// What calls of each statement have taken of a session's time, as a moving average. Decides nothing.

/** Weight of the newest sample. One slow call makes a statement slow, some twenty quick ones make it quick again. */
const WEIGHT = 1 / 8;

/** Of a statement that has not been measured: neither quick enough to be piled up, nor known to be long. */
const UNKNOWN_MS = 1;

/** As many as sessions keep prepared (session.ts). */
const MAX_STATEMENTS = 2000;

export interface CallCost {
  /** Time of the session, in ms. */
  meanMs: number;
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
    const cost = { meanMs: UNKNOWN_MS, measured: false };
    this.#costs.set(statementName, cost);
    return cost;
  }
}

export function addSample(cost: CallCost, ms: number): void {
  cost.meanMs = cost.measured ? cost.meanMs + (ms - cost.meanMs) * WEIGHT : ms;
  cost.measured = true;
}
