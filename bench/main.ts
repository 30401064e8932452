// `npm run bench`: runs scenarios, prints their tables and writes them with every run to bench/results.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chooseCores } from './harness/cores.ts';
import { runInterleaved } from './harness/interleave.ts';
import { describeMachine, renderMachines } from './harness/machine.ts';
import { USAGE, parseOptions } from './harness/options.ts';
import type { Options } from './harness/options.ts';
import { renderRatioTable } from './harness/ratio-table.ts';
import type { RunResult, Scenario } from './harness/scenario.ts';
import { summarize } from './harness/summary.ts';
import { publish } from './report/publish.ts';
import { describeScenario, parseResult } from './report/result-file.ts';
import type { BenchmarkResult, ScenarioResult } from './report/result-file.ts';
import { renderPlot } from './report/svg-plot.ts';
import { SCENARIOS } from './scenarios/all.ts';

const RESULTS = fileURLToPath(new URL('results', import.meta.url));
/** V8 has compiled the hot path of every contestant after about one; more would lengthen short runs for nothing. */
const WARM_UP_SECONDS = 2;
const USAGE_EXIT = 2;

function progress(scenario: Scenario, rounds: number) {
  return (round: number, contestant: string, result: RunResult): void => {
    const outcome =
      result.kind === 'counted'
        ? `${Math.round(result.value)} ${scenario.unit}`
        : `does not count: ${result.reason}`;
    console.error(`${scenario.name} ${round}/${rounds} ${contestant}: ${outcome}`);
  };
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

async function bench(options: Options): Promise<BenchmarkResult> {
  const cores = chooseCores();
  const { warning } = cores;
  if (warning !== null) console.error(warning);
  const machine = describeMachine(cores);
  const usual = Math.min(WARM_UP_SECONDS, options.seconds);
  const { runs, seconds } = options;

  const scenarios: ScenarioResult[] = [];
  for (const scenario of SCENARIOS.filter(({ name }) => options.scenarios.includes(name))) {
    const startedAt = new Date().toISOString();
    const { contestants } = await runInterleaved(
      scenario,
      { seconds, warmUpSeconds: scenario.warmUpSeconds ?? usual, cores },
      runs,
      progress(scenario, runs),
    );
    const summary = summarize({ scenario, contestants });
    scenarios.push({ ...describeScenario(scenario), startedAt, runs, seconds, summary, contestants });
    console.log(`\n${renderRatioTable(scenario, summary)}`);
  }
  // What was measured, not where its result was put: that is a path of this machine.
  const measured = scenarios.length === SCENARIOS.length ? [] : scenarios.map(({ name }) => name);
  const command = ['npm run bench --', ...measured, `--runs ${runs} --seconds ${seconds}`].join(' ');
  return { command, machine, warning, scenarios };
}

/** Writes the result as Markdown, JSON and SVG. */
async function keep(result: BenchmarkResult, options: Options): Promise<void> {
  const { runs, seconds } = options;
  const measured = `${runs} interleaved runs of ${seconds} s, medians. ${renderMachines([result]).join(' ')}`;
  console.log(measured);
  const tables = result.scenarios.map((each) => renderRatioTable(each, each.summary));
  const json = JSON.stringify(result, null, 2);
  const startedAt = result.scenarios[0]?.startedAt ?? '';
  const stem = join(RESULTS, startedAt.replaceAll(':', '-').replace(/\.\d+Z$/, 'Z'));
  await mkdir(RESULTS, { recursive: true });
  await writeFile(`${stem}.md`, `${tables.join('\n')}\n${measured}\n`);
  await writeFile(`${stem}.json`, json);
  await writeFile(`${stem}.svg`, renderPlot(result.scenarios));
  if (options.json !== null) await writeFile(options.json, json);
  console.error(`written to ${stem}.md, .json and .svg`);
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
    await keep(result, options);
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
