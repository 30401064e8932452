// `npm run bench:check -- REV`: howdah of this checkout against howdah of another revision, in interleaved runs. Ends with
// status 1 where a scenario has become slower.
import { parseArgs } from 'node:util';
import { chooseCores } from '../harness/cores.ts';
import type { Contestant, RunPlan, Scenario } from '../harness/scenario.ts';
import { SCENARIOS } from '../scenarios/all.ts';
import { checkOut } from './checkout.ts';
import { compareRounds, renderComparisons } from './verdict.ts';
import type { NamedComparison, Round } from './verdict.ts';

const USAGE = `npm run bench:check -- REVISION [SCENARIO…] [--runs N] [--seconds S]

  REVISION       what this checkout is compared with: a branch, a tag or a commit
  SCENARIO       one of \`npm run bench -- --list\` (default: plain-http1 pipelined-http1 plain-http2 sql-embedded)
  --runs N       how many times both run (default 7)
  --seconds S    how long a run is measured (default 3)
`;
const DEFAULT_SCENARIOS = ['plain-http1', 'pipelined-http1', 'plain-http2', 'sql-embedded'];
const WARM_UP_SECONDS = 2;
const USAGE_EXIT = 2;

class UsageError extends Error {}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) {
    throw new UsageError(`--${name} wants a whole number of at least 1`);
  }
  return value;
}

function choose(names: readonly string[]): { scenario: Scenario; contestant: Contestant }[] {
  return (names.length > 0 ? names : DEFAULT_SCENARIOS).map((name) => {
    const scenario = SCENARIOS.find((each) => each.name === name);
    const contestant = scenario?.contestants.find((each) => each.name === scenario.subject);
    if (scenario === undefined || contestant === undefined) {
      throw new UsageError(`there is no scenario ${name}`);
    }
    return { scenario, contestant };
  });
}

/** Which of the two runs first changes with every round: what comes second finds the machine otherwise. */
async function runRounds(contestant: Contestant, plan: RunPlan, checkout: string, rounds: number) {
  const done: Round[] = [];
  for (let round = 1; round <= rounds; round++) {
    const other = { ...plan, checkout };
    if (round % 2 === 1) {
      const before = await contestant.run(other);
      done.push({ before, now: await contestant.run(plan) });
    } else {
      const now = await contestant.run(plan);
      done.push({ before: await contestant.run(other), now });
    }
  }
  return done;
}

async function check(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { runs: { type: 'string', default: '7' }, seconds: { type: 'string', default: '3' } },
  });
  const [revision, ...names] = positionals;
  if (revision === undefined) throw new UsageError('which revision?');
  const rounds = wholeNumber('runs', values.runs);
  const seconds = wholeNumber('seconds', values.seconds);
  const chosen = choose(names);
  const cores = chooseCores();
  if (cores.warning !== null) console.error(cores.warning);
  const other = checkOut(revision);
  process.once('exit', () => other.remove());
  const comparisons: NamedComparison[] = [];
  for (const { scenario, contestant } of chosen) {
    const plan = { seconds, warmUpSeconds: scenario.warmUpSeconds ?? WARM_UP_SECONDS, cores };
    const result = compareRounds(await runRounds(contestant, plan, other.directory, rounds), scenario.faster);
    console.error(`${scenario.name}: ${result.verdict}`);
    comparisons.push({ name: scenario.name, ...result });
  }
  console.log(`\n${renderComparisons(other.commit, comparisons)}`);
  if (comparisons.some(({ verdict }) => verdict === 'slower')) process.exitCode = 1;
}

try {
  await check();
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  const isUsage =
    error instanceof UsageError || (error as { code?: unknown }).code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION';
  console.error(isUsage ? `${message}\n\n${USAGE}` : message);
  process.exitCode = isUsage ? USAGE_EXIT : 1;
}
