// `npm run bench`: runs scenarios, prints their tables and writes them with every run to bench/results.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chooseCores } from './harness/cores.ts';
import { runInterleaved } from './harness/interleave.ts';
import { describeMachine, renderMachine } from './harness/machine.ts';
import { USAGE, parseOptions } from './harness/options.ts';
import type { Options } from './harness/options.ts';
import { renderRatioTable } from './harness/ratio-table.ts';
import type { RunResult, Scenario } from './harness/scenario.ts';
import { summarize } from './harness/summary.ts';
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

async function bench(options: Options): Promise<void> {
  const cores = chooseCores();
  if (cores.warning !== null) console.error(cores.warning);
  const machine = describeMachine(cores);
  const usual = Math.min(WARM_UP_SECONDS, options.seconds);
  const startedAt = new Date().toISOString();

  const results = [];
  const tables: string[] = [];
  for (const scenario of SCENARIOS.filter(({ name }) => options.scenarios.includes(name))) {
    const { contestants } = await runInterleaved(
      scenario,
      { seconds: options.seconds, warmUpSeconds: scenario.warmUpSeconds ?? usual, cores },
      options.runs,
      progress(scenario, options.runs),
    );
    const summary = summarize({ scenario, contestants });
    const { name, title, unit, faster, subject } = scenario;
    results.push({ name, title, unit, faster, subject, summary, contestants });
    const table = renderRatioTable(scenario, summary);
    tables.push(table);
    console.log(`\n${table}`);
  }

  const measured = `${options.runs} interleaved runs of ${options.seconds} s, medians. ${renderMachine(machine, cores)}`;
  console.log(measured);
  const json = JSON.stringify(
    { startedAt, runs: options.runs, seconds: options.seconds, machine, scenarios: results },
    null,
    2,
  );
  const stem = join(RESULTS, startedAt.replaceAll(':', '-').replace(/\.\d+Z$/, 'Z'));
  await mkdir(RESULTS, { recursive: true });
  await writeFile(`${stem}.md`, `${tables.join('\n')}\n${measured}\n`);
  await writeFile(`${stem}.json`, json);
  if (options.json !== null) await writeFile(options.json, json);
  console.error(`written to ${stem}.md and ${stem}.json`);
  // A contestant without a single run that counts leaves a ratio unsaid.
  if (results.some(({ summary }) => summary.some(({ counted }) => counted === 0))) process.exitCode = 1;
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
else await bench(options);
