// The file that a run of the benchmarks leaves: every scenario with its runs and what they come to, when and on what they were
// measured.
import type { ContestantRuns } from '../harness/interleave.ts';
import type { Machine } from '../harness/machine.ts';
import type { Scenario } from '../harness/scenario.ts';
import type { ContestantSummary } from '../harness/summary.ts';

/** The parts of a scenario that a report needs. */
export type Described = Pick<Scenario, 'name' | 'title' | 'unit' | 'faster' | 'subject' | 'better'>;

export interface ScenarioResult extends Described {
  readonly startedAt: string;
  readonly runs: number;
  readonly seconds: number;
  readonly summary: readonly ContestantSummary[];
  readonly contestants: readonly ContestantRuns[];
}

export interface BenchmarkResult {
  /** The command line that measures the same again. */
  readonly command: string;
  readonly machine: Machine;
  /** Why nothing was pinned to a core, or null. */
  readonly warning: string | null;
  readonly scenarios: readonly ScenarioResult[];
}

/**
 * The command that measures the scenarios again; `known` are all there are. Where a result was written to is no part of it: that is a
 * path of the machine.
 */
export function measuringCommand(
  scenarios: readonly string[],
  known: readonly string[],
  runs: number,
  seconds: number,
): string {
  const named = known.every((name) => scenarios.includes(name)) ? [] : scenarios;
  return ['npm run bench --', ...named, `--runs ${runs} --seconds ${seconds}`].join(' ');
}

export function describeScenario({ name, title, unit, faster, subject, better }: Scenario): Described {
  return { name, title, unit, faster, subject, ...(better === undefined ? {} : { better }) };
}

/** Reads what a run has written; throws with a message for the user where it is something else. */
export function parseResult(name: string, text: string): BenchmarkResult {
  const value = JSON.parse(text) as Partial<BenchmarkResult> | null;
  if (value === null || typeof value !== 'object' || !Array.isArray(value.scenarios)) {
    throw new Error(`${name} is no result of the benchmarks`);
  }
  const result = value as BenchmarkResult;
  // Older ones have the path of their file in it.
  return { ...result, command: result.command.replace(/ --json[ =]\S+/, '') };
}

/** The scenarios of all results in the order given; of one that is in several, the last. */
export function latestScenarios(
  results: readonly BenchmarkResult[],
  order: readonly string[],
): ScenarioResult[] {
  const byName = new Map(results.flatMap(({ scenarios }) => scenarios.map((each) => [each.name, each])));
  return order.flatMap((name) => byName.get(name) ?? []);
}
