// Measures scenarios one after another, and tells what there is after each: whoever keeps it loses nothing of a run that is cut short.
import type { BenchmarkResult, ScenarioResult } from './report/result-file.ts';
import { describeScenario, measuringCommand } from './report/result-file.ts';
import type { Cores } from './harness/cores.ts';
import { runInterleaved } from './harness/interleave.ts';
import { describeMachine } from './harness/machine.ts';
import type { RunResult, Scenario } from './harness/scenario.ts';
import { summarize } from './harness/summary.ts';

/** V8 has compiled the hot path of every contestant after about one; more would lengthen short runs for nothing. */
const WARM_UP_SECONDS = 2;

export interface MeasuringListener {
  /** A run has ended. */
  ran(scenario: Scenario, round: number, contestant: string, result: RunResult): void;
  /** A scenario has: the result of all so far, and what is new in it. */
  measured(soFar: BenchmarkResult, scenario: ScenarioResult): Promise<void>;
}

/** `known` are the names of all scenarios that there are. */
export async function measureScenarios(
  chosen: readonly Scenario[],
  known: readonly string[],
  { runs, seconds }: { readonly runs: number; readonly seconds: number },
  cores: Cores,
  listener: MeasuringListener,
): Promise<BenchmarkResult> {
  const machine = describeMachine(cores);
  const usual = Math.min(WARM_UP_SECONDS, seconds);
  const scenarios: ScenarioResult[] = [];
  const soFar = (): BenchmarkResult => {
    const names = scenarios.map(({ name }) => name);
    const command = measuringCommand(names, known, runs, seconds);
    return { command, machine, warning: cores.warning, scenarios: [...scenarios] };
  };
  for (const scenario of chosen) {
    const startedAt = new Date().toISOString();
    const { contestants } = await runInterleaved(
      scenario,
      { seconds, warmUpSeconds: scenario.warmUpSeconds ?? usual, cores },
      runs,
      (round, contestant, result) => listener.ran(scenario, round, contestant, result),
    );
    const summary = summarize({ scenario, contestants });
    const measured = { ...describeScenario(scenario), startedAt, runs, seconds, summary, contestants };
    scenarios.push(measured);
    await listener.measured(soFar(), measured);
  }
  return soFar();
}
