// From the start of the process to the first answer that the database had a part in, on a fresh and on an existing data
// directory.
import { startContestant } from '../harness/start-contestant.ts';
import type { StartContestant } from '../harness/start-contestant.ts';
import type { Scenario } from '../harness/scenario.ts';
import { NODE, howdahServe, howdahVersion, packageVersion, peerScript } from './commands.ts';

const peer: Omit<StartContestant, 'name' | 'existing'> = {
  version: `${packageVersion('fastify')}, ${packageVersion('@electric-sql/pglite')}, ${NODE}`,
  server: (directory) => peerScript('fastify-pglite.mjs', { BENCH_DATA: directory }),
  target: '/',
  expected: { status: 200, body: /^PostgreSQL/, fields: {} },
};

const howdah: Omit<StartContestant, 'name' | 'existing'> = {
  version: howdahVersion(),
  server: (directory) => howdahServe('--data', directory),
  target: '/',
  expected: { status: 200, body: /PostgreSQL/, fields: {} },
};

function scenario(name: string, title: string, existing: boolean): Scenario {
  return {
    name,
    title,
    unit: 'ms',
    faster: 'lower',
    subject: 'howdah',
    contestants: [
      startContestant({ ...peer, name: 'Fastify + PGlite', existing }),
      startContestant({ ...howdah, name: 'howdah', existing }),
    ],
    targets: [],
  };
}

export const startFresh = scenario('start-fresh', 'Start to first answer, fresh data directory', false);
export const startExisting = scenario(
  'start-existing',
  'Start to first answer, existing data directory',
  true,
);
