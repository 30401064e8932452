// What calls of each statement have taken of a session's time. Decides nothing.
//
// What can be measured is when answers were read, which on a busy machine says as much about who had the processors, and about this
// event loop, as about the call. So the mean tells what is long, and the least of late what is quick.

/** Calls that take longer are not waited for. Also what a busy event loop may make of a quick one. */
export const LONG_MS = 10;

/** Calls that need less are quick. */
const QUICK_MS = 0.3;

/** Unless they take more than this on the average: then some of them are not like the others. */
const QUICK_MEAN_MS = 3;

/** Of every so many calls that are not quick, the first are a trial. */
const TRIAL_EVERY = 2048;
const TRIAL_CALLS = 64;

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
  /** Since the statement was last quick. */
  samples: number;
  /** Calls of the statement that sessions have now. */
  inFlight: number;
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
    const cost = { meanMs: UNKNOWN_MS, leastMs: UNKNOWN_MS, measured: false, samples: 0, inFlight: 0 };
    this.#costs.set(statementName, cost);
    return cost;
  }
}

/** A call that is over. */
export interface EndedCall {
  readonly cost: CallCost;
  /** Whether it was the first of its statement in its backend, which had to plan it, and to read what it needs of the catalogs. */
  readonly isCold: boolean;
}

/** @param isCold then it says nothing where it is long */
export function addSample(cost: CallCost, ms: number, isCold = false): void {
  if (isCold && ms > LONG_MS) return;
  cost.meanMs = cost.measured ? cost.meanMs + (ms - cost.meanMs) * WEIGHT : ms;
  const weight = ms < cost.leastMs ? WEIGHT_OF_LESS : WEIGHT_OF_MORE;
  cost.leastMs = cost.measured ? cost.leastMs + (ms - cost.leastMs) * weight : ms;
  cost.measured = true;
  cost.samples = isQuick(cost) ? 0 : cost.samples + 1;
}

/** Whether calls of it are so quick that to wait for another one costs less than to wake another backend. */
export function isQuick({ meanMs, leastMs, measured }: CallCost): boolean {
  return measured && leastMs <= QUICK_MS && meanMs <= QUICK_MEAN_MS;
}

/**
 * Of a statement that is not quick: whether few sessions are to do for it now, to see what a call takes then. Where many backends share
 * few processors, each waits for the others, and what is quick looks as if it were not.
 */
export function isTrial({ samples }: CallCost): boolean {
  return samples % TRIAL_EVERY < TRIAL_CALLS;
}

/**
 * Of calls whose answers were read together, `ms` after those before: when each was made is not known. Those of one statement share it
 * evenly. Of several statements, each is taken to have needed what it did before, and one that was never measured the rest; none
 * becomes a long one by what others may have taken.
 */
export function addSamples(calls: readonly EndedCall[], ms: number): void {
  const [first] = calls;
  if (calls.every(({ cost }) => cost === first?.cost)) {
    for (const { cost, isCold } of calls) addSample(cost, ms / calls.length, isCold);
    return;
  }
  let expected = 0;
  let unknown = 0;
  for (const { cost } of calls) {
    if (cost.measured) expected += cost.meanMs;
    else unknown += 1;
  }
  const rest = ms - expected;
  const scale = unknown > 0 && rest > 0 ? 1 : ms / Math.max(expected, Number.MIN_VALUE);
  const samples = calls.map(({ cost: { measured, meanMs } }) => {
    if (!measured) return rest > 0 ? rest / unknown : ms / calls.length;
    return Math.min(meanMs * scale, Math.max(meanMs, LONG_MS));
  });
  for (const [index, { cost, isCold }] of calls.entries()) addSample(cost, samples[index] ?? 0, isCold);
}

/** Of calls that had to be ended because others waited behind them: they are to be told apart, or are long. */
export function overran(costs: ReadonlySet<CallCost>, ms: number): void {
  for (const cost of costs) {
    cost.meanMs = Math.max(cost.meanMs, costs.size === 1 ? ms : LONG_MS);
    cost.measured = true;
  }
}
