// The order of the runs: every contestant once, then every one once more, so that what disturbs the machine for a while
// disturbs all of them, and a ratio is taken between runs of the same round.
import { MOST_OTHERS } from './core-watch.ts';
import type { Contestant, RunPlan, RunResult, Scenario } from './scenario.ts';

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

const ATTEMPTS = 2;

function disturbance(result: RunResult): number {
  return result.kind === 'counted' ? (result.othersShare ?? 0) : 0;
}

/** A run that others have disturbed is made again: the least disturbed one is taken, and says so where it still was. */
async function runUndisturbed(contestant: Contestant, plan: RunPlan): Promise<RunResult> {
  let best = await contestant.run(plan);
  for (let attempt = 1; attempt < ATTEMPTS && disturbance(best) > MOST_OTHERS; attempt++) {
    const again = await contestant.run(plan);
    if (again.kind === 'counted' && disturbance(again) < disturbance(best)) best = again;
  }
  if (best.kind === 'discounted' || disturbance(best) <= MOST_OTHERS) return best;
  const remark = `others had ${Math.round(disturbance(best) * 100)} % of its core`;
  return { ...best, remark: best.remark === null ? remark : `${best.remark}; ${remark}` };
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
      const result = await runUndisturbed(contestant, plan);
      runs.push(result);
      report(round, contestant.name, result);
    }
  }
  return {
    scenario,
    contestants: results.map(({ contestant: { name, version }, runs }) => ({ name, version, runs })),
  };
}
