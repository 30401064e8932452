// More SQL on a PostgreSQL server that shares the core of the contestant: fifty rows, and an insert, both as JSON, 64 connections.
import { httpContestant } from '../harness/http-contestant.ts';
import type { Expectation } from '../harness/probe.ts';
import type { Contestant, Scenario } from '../harness/scenario.ts';
import type { ServerCommand } from '../harness/server-process.ts';
import type { WrkLoad } from '../harness/wrk.ts';
import { FIRST_ITEM, itemRows, NOTE, NOTE_ANSWER } from '../servers/items.ts';
import { NODE, benchFile, howdahServe, howdahVersion, packageVersion, peerScript } from './commands.ts';
import { withPostgres } from './sql-server.ts';

export interface SqlPeer {
  readonly name: string;
  readonly version: string;
  readonly server: ServerCommand;
}

const fastify = packageVersion('fastify');

export const fastifyPg: SqlPeer = {
  name: 'Fastify + pg',
  version: `${fastify}, ${packageVersion('pg')}, ${NODE}`,
  server: withPostgres(peerScript('fastify-pg.mjs')),
};
export const fastifyPostgres: SqlPeer = {
  name: 'Fastify + postgres',
  version: `${fastify}, ${packageVersion('postgres')}, ${NODE}`,
  server: withPostgres(peerScript('fastify-postgres.mjs')),
};

/** howdah with one worker, since it has one core; the tables are there. */
export function howdahOnServer(...files: readonly string[]): SqlPeer {
  const sql = files.flatMap((file) => ['--sql', benchFile(`sql/${file}`)]);
  return {
    name: 'howdah',
    version: howdahVersion(),
    server: withPostgres(howdahServe('--database', 'env', '--workers', '1', ...sql)),
  };
}

function peers(load: WrkLoad, expected: Expectation, file: string): Contestant[] {
  return [fastifyPg, fastifyPostgres, howdahOnServer(file)].map((peer) =>
    httpContestant({ ...peer, load, expected }),
  );
}

const common = {
  unit: 'requests/s',
  faster: 'higher',
  subject: 'howdah',
  warmUpSeconds: 5,
  targets: [],
} as const;
const fields = { 'content-type': /^application\/json\b/ };

const FIRST_ROW = FIRST_ITEM + 200;

export const sqlServerRows: Scenario = {
  ...common,
  name: 'sql-server-rows',
  title: 'Fifty rows as JSON, on a PostgreSQL server, 64 connections',
  contestants: peers(
    { connections: 64, target: `/rows/${FIRST_ROW}`, script: 'summary.lua' },
    { status: 200, body: { json: itemRows(FIRST_ROW) }, fields },
    'rows/10-rows.sql',
  ),
};

export const sqlServerInsert: Scenario = {
  ...common,
  name: 'sql-server-insert',
  title: 'A row inserted, its id returned, on a PostgreSQL server, 64 connections',
  contestants: peers(
    {
      connections: 64,
      target: '/notes',
      script: 'summary.lua',
      post: NOTE,
      fields: ['Content-Type: application/json'],
    },
    { status: 201, body: NOTE_ANSWER, fields },
    'notes/20-route.sql',
  ),
};
