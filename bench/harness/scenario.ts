// What a scenario is made of: contestants that are measured in turn, and the ratios between them that are wanted.
import type { Cores } from './cores.ts';

/** CPU time per operation, in microseconds, by whose it is. */
export interface CpuSplit {
  /** The processes that answer requests; null where there are none. */
  readonly ownUs: number | null;
  /** The database's processes. */
  readonly databaseUs: number;
  /** Null where it cannot be read. */
  readonly loadUs: number | null;
}

/** A run whose figure can be believed. */
export interface CountedRun {
  readonly kind: 'counted';
  /** In the unit of the scenario. */
  readonly value: number;
  /** Latency as the load generator saw it, in microseconds; null where it was not measured. */
  readonly p50Us: number | null;
  readonly p99Us: number | null;
  /** CPU time of the server's processes per operation, in microseconds; null where it was not measured. */
  readonly cpuUs: number | null;
  /** Where the database has processes of its own: what cpuUs is made of, and the load generator's beside it. */
  readonly cpuSplit?: CpuSplit;
  /** Operations per second that were asked for, where the load generator does not wait for answers. */
  readonly offered?: number;
  /** Share of the time that other processes had the server's core, 0 to 1; null where it was not measured. */
  readonly othersShare: number | null;
  /** What a reader should know about this run though it counts, or null. */
  readonly remark: string | null;
}

/** A run that had errors or wrong answers: its figure, if there is one, is not looked at. */
export interface DiscountedRun {
  readonly kind: 'discounted';
  readonly reason: string;
}

export type RunResult = CountedRun | DiscountedRun;

export interface RunPlan {
  /** How long a run is measured. */
  readonly seconds: number;
  /** How long it is loaded before, unmeasured: the JIT compiler is done with the hot path after a second or so. */
  readonly warmUpSeconds: number;
  readonly cores: Cores;
  /** Directory of another checkout of this repository, whose files are run instead of those of this one. */
  readonly checkout?: string;
  /** Environment of the server besides its own. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface Contestant {
  readonly name: string;
  /** What ran, with its version, for the record. */
  readonly version: string;
  /** One run from a fresh process. Never rejects for what the contestant does wrong: that is a discounted run. */
  run(plan: RunPlan): Promise<RunResult>;
  /** Answers what is wrong with its answers, without a load; null: nothing. Not there where only a run can tell. */
  rehearse?(plan: RunPlan): Promise<string | null>;
}

/** How many times as fast as `against` the subject should be. */
export interface Target {
  readonly against: string;
  readonly atLeast: number;
}

export interface Scenario {
  /** As on the command line. */
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  /** Whether a higher or a lower value is faster. */
  readonly faster: 'higher' | 'lower';
  /** The contestant that the others are compared with, by name. */
  readonly subject: string;
  /** What a ratio above 1 says of the subject; `as fast` if it is not given. */
  readonly better?: string;
  readonly contestants: readonly Contestant[];
  readonly targets: readonly Target[];
  /** Where the usual warm-up is too short to reach a steady state; seconds. */
  readonly warmUpSeconds?: number;
}
