// Budgets against floods of frames that are cheap to send and dear to answer. Each kind of frame spends one; work done
// for the peer earns it back, and so does time, where the driver tells it.
import type { Http2Options } from './options.ts';

/** A tenth of each budget comes back in this time, so that a connection kept for days by PINGs alone is no flood. */
const REFILL_STEP_MS = 6000;
const REFILL_SHARE = 10;

export class FloodBudget {
  readonly #limit: number;
  readonly #perAnswer: number;
  #left: number;
  /** Requests answered when they were last counted in: only once the budget is used up, so that answering is cheap. */
  #settledAnswers = 0;

  /** `perAnswer`: what a request answered in full earns back. */
  constructor(limit: number, perAnswer: number) {
    this.#limit = limit;
    this.#left = limit;
    this.#perAnswer = perAnswer;
  }

  /** `answers`: requests answered in full so far. False: the budget was used up before. */
  spend(answers: number): boolean {
    if (this.#left <= 0) {
      this.earn((answers - this.#settledAnswers) * this.#perAnswer);
      this.#settledAnswers = answers;
      if (this.#left <= 0) return false;
    }
    this.#left--;
    return true;
  }

  earn(amount: number): void {
    this.#left = Math.min(this.#limit, this.#left + amount);
  }

  refill(steps: number): void {
    this.earn(Math.ceil(this.#limit / REFILL_SHARE) * steps);
  }
}

export class FloodBudgets {
  /** Requests answered in full. */
  answers = 0;
  readonly cancels: FloodBudget;
  readonly provokedResets: FloodBudget;
  readonly emptyData: FloodBudget;
  readonly pings: FloodBudget;
  readonly settings: FloodBudget;
  readonly windowUpdates: FloodBudget;
  readonly priorities: FloodBudget;
  readonly unknownFrames: FloodBudget;
  #elapsedMs = 0;

  constructor(options: Http2Options) {
    this.cancels = new FloodBudget(options.cancelBudget, 1);
    this.provokedResets = new FloodBudget(options.provokedResetBudget, 1);
    this.emptyData = new FloodBudget(options.emptyDataBudget, 0);
    this.pings = new FloodBudget(options.pingBudget, 1);
    this.settings = new FloodBudget(options.settingsBudget, 1);
    this.windowUpdates = new FloodBudget(options.windowUpdateBudget, 2);
    this.priorities = new FloodBudget(options.priorityBudget, 4);
    this.unknownFrames = new FloodBudget(options.unknownFrameBudget, 1);
  }

  /** Counts time in, where the driver tells it. */
  refill(elapsedMs: number): void {
    this.#elapsedMs += elapsedMs;
    const steps = Math.floor(this.#elapsedMs / REFILL_STEP_MS);
    if (steps === 0) return;
    this.#elapsedMs -= steps * REFILL_STEP_MS;
    for (const budget of [
      this.cancels,
      this.provokedResets,
      this.emptyData,
      this.pings,
      this.settings,
      this.windowUpdates,
      this.priorities,
      this.unknownFrames,
    ]) {
      budget.refill(steps);
    }
  }
}
