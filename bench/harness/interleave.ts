// The order of the runs: every contestant once, then every one once more, so that what disturbs the machine for a while
// disturbs all of them, and a ratio is taken between runs of the same round.
import type { RunPlan, RunResult, Scenario } from './scenario.ts';

export interface ContestantRuns {
  readonly name: string;
  readonly version: string;
  /** By round. */
  readonly runs: readonly RunResult[];
}

export interface ScenarioRuns {
  readonly scenario: Scenario;
  readonly contestants: readonly ContestantRuns[];
}

/** `report` is told of every run as it ends; rounds count from 1. */
export async function runInterleaved(
  scenario: Scenario,
  plan: RunPlan,
  rounds: number,
  report: (round: number, contestant: string, result: RunResult) => void,
): Promise<ScenarioRuns> {
  const results = scenario.contestants.map((contestant) => ({ contestant, runs: new Array<RunResult>() }));
  for (let round = 1; round <= rounds; round++) {
    for (const { contestant, runs } of results) {
      const result = await contestant.run(plan);
      runs.push(result);
      report(round, contestant.name, result);
    }
  }
  return {
    scenario,
    contestants: results.map(({ contestant: { name, version }, runs }) => ({ name, version, runs })),
  };
}
