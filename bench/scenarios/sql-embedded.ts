// One row looked up by key and returned as JSON, from the embedded engine, 64 connections.
import { httpContestant } from '../harness/http-contestant.ts';
import { loopContestant } from '../harness/loop-contestant.ts';
import type { Expectation } from '../harness/probe.ts';
import type { Contestant, Scenario } from '../harness/scenario.ts';
import type { ServerCommand } from '../harness/server-process.ts';
import { FIRST_ITEM, itemBody } from '../servers/items.ts';
import {
  NODE,
  benchFile,
  howdahServe,
  howdahVersion,
  nodeScript,
  packageVersion,
  peerScript,
} from './commands.ts';

const expected: Expectation = {
  status: 200,
  body: itemBody(FIRST_ITEM),
  fields: { 'content-type': /^application\/json\b/, date: /GMT$/ },
};

function contestant(name: string, version: string, server: ServerCommand): Contestant {
  const load = { connections: 64, target: `/item/${FIRST_ITEM}`, script: 'items.lua' };
  return httpContestant({ name, version, server, load, expected });
}

const pglite = `${packageVersion('@electric-sql/pglite')}, ${NODE}`;

export const sqlEmbedded: Scenario = {
  name: 'sql-embedded',
  title: 'A row looked up by key, as JSON, on the embedded engine, 64 connections',
  unit: 'requests/s',
  faster: 'higher',
  subject: 'howdah',
  // V8 compiles PostgreSQL's WebAssembly a second time, optimising, while it runs: on one core for some ten seconds.
  warmUpSeconds: 12,
  contestants: [
    loopContestant('raw PGlite, the look-up alone', pglite, nodeScript('raw-pglite-loop.ts')),
    loopContestant("raw PGlite, the route's call", pglite, [...nodeScript('raw-pglite-loop.ts'), 'route']),
    contestant(
      'Fastify + PGlite query()',
      `${packageVersion('fastify')}, ${pglite}`,
      peerScript('fastify-pglite.mjs'),
    ),
    contestant('howdah', howdahVersion(), howdahServe('--memory', '--sql', benchFile('sql/items'))),
  ],
  targets: [
    { against: "raw PGlite, the route's call", atLeast: 0.7 },
    { against: 'Fastify + PGlite query()', atLeast: 4 },
  ],
};
