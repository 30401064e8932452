// SQL on the embedded engine, 64 connections: a row looked up by key, fifty rows, and an insert, all as JSON.
import { httpContestant } from '../harness/http-contestant.ts';
import { loopContestant } from '../harness/loop-contestant.ts';
import type { Expectation } from '../harness/probe.ts';
import type { Contestant, Scenario } from '../harness/scenario.ts';
import type { ServerCommand } from '../harness/server-process.ts';
import type { WrkLoad } from '../harness/wrk.ts';
import { FIRST_ITEM, itemBody, itemRows, NOTE, NOTE_ANSWER } from '../servers/items.ts';
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

const common = {
  unit: 'requests/s',
  faster: 'higher',
  subject: 'howdah',
  // V8 compiles PostgreSQL's WebAssembly a second time, optimising, while it runs: on one core for some ten seconds.
  warmUpSeconds: 12,
} as const;

export const sqlEmbedded: Scenario = {
  ...common,
  name: 'sql-embedded',
  title: 'A row looked up by key, as JSON, on the embedded engine, 64 connections',
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
    { against: "raw PGlite, the route's call", atLeast: 0.8 },
    { against: 'Fastify + PGlite query()', atLeast: 4 },
  ],
};

const FIRST_ROW = 1200;

/** howdah and Fastify with PGlite, given the same load. */
function pair(load: WrkLoad, expected: Expectation, folder: string): Contestant[] {
  const fastify = `${packageVersion('fastify')}, ${pglite}`;
  const server = howdahServe(
    '--memory',
    '--sql',
    benchFile('sql/items'),
    '--sql',
    benchFile(`sql/${folder}`),
  );
  return [
    httpContestant({
      name: 'Fastify + PGlite query()',
      version: fastify,
      server: peerScript('fastify-pglite.mjs'),
      load,
      expected,
    }),
    httpContestant({ name: 'howdah', version: howdahVersion(), server, load, expected }),
  ];
}

export const sqlEmbeddedRows: Scenario = {
  ...common,
  name: 'sql-embedded-rows',
  title: 'Fifty rows as JSON, on the embedded engine, 64 connections',
  contestants: pair(
    { connections: 64, target: `/rows/${FIRST_ROW}`, script: 'summary.lua' },
    { status: 200, body: { json: itemRows(FIRST_ROW) }, fields: { 'content-type': /^application\/json\b/ } },
    'rows',
  ),
  targets: [],
};

export const sqlEmbeddedInsert: Scenario = {
  ...common,
  name: 'sql-embedded-insert',
  title: 'A row inserted, its id returned, on the embedded engine, 64 connections',
  contestants: pair(
    {
      connections: 64,
      target: '/notes',
      script: 'summary.lua',
      post: NOTE,
      fields: ['Content-Type: application/json'],
    },
    { status: 201, body: NOTE_ANSWER, fields: { 'content-type': /^application\/json\b/ } },
    'notes',
  ),
  targets: [],
};
