// `npm run bench:profile -- SCENARIO`: loads howdah as the scenario does, with V8's profiler on, and prints the time of a
// request by room. The profiler itself takes some of it.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chooseCores } from '../harness/cores.ts';
import { SCENARIOS } from '../scenarios/all.ts';
import { lastBusyWindow, sumProfiles } from './cpu-profile.ts';
import type { CpuProfile } from './cpu-profile.ts';
import { renderProfile } from './profile-table.ts';

const USAGE = `npm run bench:profile -- SCENARIO [--contestant NAME] [--seconds S] [--functions N] [--keep DIRECTORY]

  SCENARIO           one of \`npm run bench -- --list\`
  --contestant NAME  another one than howdah, where it runs in Node.js
  --seconds S        how long is measured (default 5)
  --functions N      how many single functions are listed (default 0)
  --keep DIRECTORY   where the .cpuprofile files are left, for Chromium's developer tools
`;
const INTERVAL_US = 250;
const USAGE_EXIT = 2;
/** The ends of the load are left out. */
const LOOKED_AT = 0.9;

async function readProfiles(directory: string): Promise<CpuProfile[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.cpuprofile'));
  return Promise.all(
    names.map(async (name) => JSON.parse(await readFile(join(directory, name), 'utf8')) as CpuProfile),
  );
}

async function profile(directory: string): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      contestant: { type: 'string' },
      seconds: { type: 'string', default: '5' },
      functions: { type: 'string', default: '0' },
      keep: { type: 'string' },
    },
  });
  const scenario = SCENARIOS.find(({ name }) => name === positionals[0]);
  const wanted = values.contestant ?? scenario?.subject;
  const contestant = scenario?.contestants.find(({ name }) => name === wanted);
  const seconds = Number(values.seconds);
  if (scenario === undefined || contestant === undefined || !(seconds >= 1)) {
    console.error(USAGE);
    process.exitCode = USAGE_EXIT;
    return;
  }
  const target = values.keep ?? directory;
  const options = `--cpu-prof --cpu-prof-dir=${target} --cpu-prof-interval=${INTERVAL_US}`;
  const result = await contestant.run({
    seconds,
    warmUpSeconds: scenario.warmUpSeconds ?? 2,
    cores: chooseCores(),
    environment: { NODE_OPTIONS: options },
  });
  if (result.kind === 'discounted') throw new Error(`the run does not count: ${result.reason}`);
  const profiles = await readProfiles(target);
  const lengthUs = seconds * LOOKED_AT * 1_000_000;
  const window = lastBusyWindow(profiles, lengthUs);
  if (window === null) throw new Error('no profile was written, or the server was never busy');
  const requests = (result.value * lengthUs) / 1_000_000;
  console.log(
    renderProfile(`${scenario.name}, ${contestant.name}`, sumProfiles(profiles, window), {
      requests,
      cpuUs: result.cpuUs,
      functions: Number(values.functions),
    }),
  );
}

const directory = await mkdtemp(join(tmpdir(), 'howdah-profile-'));
try {
  await profile(directory);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
} finally {
  await rm(directory, { recursive: true, force: true });
}
