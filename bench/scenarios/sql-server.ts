// One row looked up by key and returned as JSON, from a PostgreSQL server over its UNIX socket, 64 connections. The database shares
// the core of the server that is measured.
import { chooseCores } from '../harness/cores.ts';
import { h2loadContestant } from '../harness/h2load-contestant.ts';
import { httpContestant } from '../harness/http-contestant.ts';
import { loopContestant } from '../harness/loop-contestant.ts';
import type { Expectation } from '../harness/probe.ts';
import type { Contestant, Scenario } from '../harness/scenario.ts';
import type { ServerCommand } from '../harness/server-process.ts';
import { FIRST_ITEM, itemBody, itemRows } from '../servers/items.ts';
import {
  NODE,
  benchFile,
  howdahServe,
  howdahVersion,
  nodeScript,
  packageVersion,
  peerScript,
  pgbenchVersion,
} from './commands.ts';

const expected: Expectation = {
  status: 200,
  body: itemBody(FIRST_ITEM),
  fields: { 'content-type': /^application\/json\b/, date: /GMT$/ },
};

/** Beside a PostgreSQL server of its own. */
export function withPostgres(server: ServerCommand): ServerCommand {
  return { ...server, command: (port) => [...nodeScript('with-postgres.ts'), ...server.command(port)] };
}

function contestant(name: string, version: string, server: ServerCommand): Contestant {
  const load = { connections: 64, target: `/item/${FIRST_ITEM}`, script: 'items.lua' };
  return httpContestant({ name, version, server: withPostgres(server), load, expected });
}

const howdah: ServerCommand = howdahServe(
  '--database',
  'env',
  '--workers',
  '1',
  '--sql',
  benchFile('sql/items/20-route.sql'),
);

const peers: readonly Contestant[] = [
  contestant(
    'Fastify + pg',
    `${packageVersion('fastify')}, ${packageVersion('pg')}, ${NODE}`,
    peerScript('fastify-pg.mjs'),
  ),
  contestant(
    'Fastify + postgres',
    `${packageVersion('fastify')}, ${packageVersion('postgres')}, ${NODE}`,
    peerScript('fastify-postgres.mjs'),
  ),
];

/** The same look-up as a GraphQL query: its answer has another shape. */
const graphql: Contestant = httpContestant({
  name: 'PostGraphile',
  version: `${packageVersion('postgraphile')}, ${NODE}`,
  server: withPostgres(peerScript('postgraphile.mjs')),
  load: {
    connections: 64,
    target: '/graphql',
    script: 'summary.lua',
    fields: ['Content-Type: application/json', 'Accept: application/json'],
    post: JSON.stringify({
      query: `{ item: benchItemByRowId(rowId: ${FIRST_ITEM}) { id: rowId name price } }`,
    }),
  },
  expected: {
    status: 200,
    body: { json: { data: { item: itemRows(FIRST_ITEM)[0] } } },
    fields: { 'content-type': /^application\/json\b/ },
  },
});

const load = String(chooseCores().load ?? '');
/** Long enough for the plans and the sessions of all to be there, and their code to be compiled beside a busy database. */
const common = { unit: 'requests/s', faster: 'higher', subject: 'howdah', warmUpSeconds: 5 } as const;

export const sqlServer: Scenario = {
  ...common,
  name: 'sql-server',
  title: 'A row looked up by key, as JSON, on a PostgreSQL server, 64 connections',
  contestants: [
    loopContestant('pgbench, the look-up alone', pgbenchVersion(), [
      ...nodeScript('pgbench-loop.ts'),
      load,
      'look-up',
    ]),
    loopContestant("pgbench, the route's call", pgbenchVersion(), [
      ...nodeScript('pgbench-loop.ts'),
      load,
      'route',
    ]),
    graphql,
    ...peers,
    h2loadContestant({
      name: 'howdah over HTTP/2',
      version: howdahVersion(),
      server: withPostgres(howdah),
      load: { scheme: 'http', protocol: 'h2', connections: 4, streams: 16, target: `/item/${FIRST_ITEM}` },
      expected,
    }),
    contestant('howdah', howdahVersion(), howdah),
  ],
  targets: [
    { against: "pgbench, the route's call", atLeast: 0.8 },
    { against: 'Fastify + pg', atLeast: 3.5 },
    { against: 'Fastify + postgres', atLeast: 2.5 },
  ],
};
