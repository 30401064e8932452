// `npm run bench`: runs scenarios, prints their tables and writes them with every run to bench/results.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { chooseCores } from './harness/cores.ts';
import { measureScenarios } from './measure-scenarios.ts';
import { USAGE, parseOptions } from './harness/options.ts';
import type { Options } from './harness/options.ts';
import { renderRatioTable } from './harness/ratio-table.ts';
import type { RunResult, Scenario } from './harness/scenario.ts';
import { summarize } from './harness/summary.ts';
import { publish } from './report/publish.ts';
import { keepResult, renderMeasuring } from './report/keep-result.ts';
import { parseResult, type BenchmarkResult } from './report/result-file.ts';
import { SCENARIOS } from './scenarios/all.ts';

const RESULTS = fileURLToPath(new URL('results', import.meta.url));
const USAGE_EXIT = 2;

function describeRun(scenario: Scenario, run: RunResult): string {
  return run.kind === 'counted'
    ? `${Math.round(run.value)} ${scenario.unit}`
    : `does not count: ${run.reason}`;
}

function list(): void {
  for (const { name, title, contestants } of SCENARIOS) {
    console.log(`${name}: ${title}\n  ${contestants.map((each) => each.name).join(', ')}`);
  }
}

/** One answer of each contestant; ends with status 1 where one is wrong. */
async function rehearse(chosen: readonly Scenario[]): Promise<void> {
  const plan = { seconds: 1, warmUpSeconds: 1, cores: chooseCores() };
  for (const { name, contestants } of chosen) {
    for (const contestant of contestants) {
      if (contestant.rehearse === undefined) continue;
      const fault = await contestant.rehearse(plan);
      console.log(`${name}, ${contestant.name}: ${fault ?? 'right'}`);
      if (fault !== null) process.exitCode = 1;
    }
  }
}

/** Measures the scenarios that were chosen, and keeps what there is after each. */
async function bench(options: Options): Promise<BenchmarkResult> {
  const cores = chooseCores();
  if (cores.warning !== null) console.error(cores.warning);
  const place = { directory: RESULTS, json: options.json };
  const chosen = SCENARIOS.filter(({ name }) => options.scenarios.includes(name));
  const result = await measureScenarios(
    chosen,
    SCENARIOS.map(({ name }) => name),
    options,
    cores,
    {
      ran: (scenario, round, contestant, run) => {
        console.error(
          `${scenario.name} ${round}/${options.runs} ${contestant}: ${describeRun(scenario, run)}`,
        );
      },
      async measured(soFar, scenario) {
        console.log(`\n${renderRatioTable(scenario, scenario.summary)}`);
        console.error(`written to ${await keepResult(place, soFar)}`);
      },
    },
  );
  console.log(renderMeasuring(result));
  return result;
}

/** With the targets of today. */
function judgedAnew(result: BenchmarkResult): BenchmarkResult {
  const scenarios = result.scenarios.map((each) => {
    const scenario = SCENARIOS.find(({ name }) => name === each.name);
    return scenario === undefined
      ? each
      : { ...each, summary: summarize({ scenario, contestants: each.contestants }) };
  });
  return { ...result, scenarios };
}

async function run(options: Options): Promise<void> {
  const results = await Promise.all(
    options.from.map(async (name) => parseResult(name, await readFile(name, 'utf8'))),
  );
  if (results.length === 0) {
    const result = await bench(options);
    results.push(result);
    // A contestant without a single run that counts leaves a ratio unsaid.
    const unsaid = result.scenarios.some(({ summary }) => summary.some(({ counted }) => counted === 0));
    if (unsaid) process.exitCode = 1;
  }
  if (!options.publish) return;
  await publish(
    results.map(judgedAnew),
    SCENARIOS.map(({ name }) => name),
  );
}

let options: Options;
try {
  options = parseOptions(
    process.argv.slice(2),
    SCENARIOS.map(({ name }) => name),
  );
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  process.exit(USAGE_EXIT);
}
const { scenarios } = options;
if (options.list) list();
else if (options.rehearse) await rehearse(SCENARIOS.filter(({ name }) => scenarios.includes(name)));
else await run(options);
