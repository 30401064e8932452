// Handlers from a web-standard Request to a Response: plain text beside Hono's, and what choosing among many routes costs.
import { httpContestant } from '../harness/http-contestant.ts';
import type { Contestant, Scenario } from '../harness/scenario.ts';
import type { ServerCommand } from '../harness/server-process.ts';
import { TEXT } from '../servers/answers.ts';
import { bunScript, howdahVersion, NODE, packageVersion, peerScript, serverScript } from './commands.ts';

const type = /^text\/plain;\s*charset=utf-8$/i;
const hono = packageVersion('hono');

function contestant(
  name: string,
  version: string,
  server: ServerCommand,
  target = '/',
  body = TEXT,
): Contestant {
  const load = { connections: 64, target, script: 'summary.lua' };
  const expected = { status: 200, body, fields: { 'content-type': type, date: /GMT$/ } };
  return httpContestant({ name, version, server, load, expected });
}

export const fetchStyle: Scenario = {
  name: 'fetch-style',
  title: 'Plain text from a fetch-style handler over HTTP/1.1, 64 connections',
  unit: 'requests/s',
  faster: 'higher',
  subject: 'howdah',
  contestants: [
    contestant(
      'Hono on Node.js',
      `${hono}, ${packageVersion('@hono/node-server')}, ${NODE}`,
      peerScript('hono-node.mjs'),
    ),
    contestant('Hono on Bun', `${hono}, ${packageVersion('bun')}`, bunScript('hono-bun.mjs')),
    contestant('howdah', howdahVersion(), serverScript('howdah-fetch.ts')),
  ],
  targets: [
    { against: 'Hono on Node.js', atLeast: 1.2 },
    { against: 'Hono on Bun', atLeast: 0.8 },
  ],
};

const FEW = 'howdah, 10 routes';
const MANY = 'howdah, 1000 routes';

function among(name: string, routes: string): Contestant {
  const server = serverScript('howdah-fetch.ts', { BENCH_ROUTES: routes });
  return contestant(name, howdahVersion(), server, '/users/7/notes/42', '7 42');
}

export const fetchRoutes: Scenario = {
  name: 'fetch-routes',
  title: 'A fetch-style handler with two bindings among 10 and among 1000 routes, 64 connections',
  unit: 'requests/s',
  faster: 'higher',
  subject: MANY,
  contestants: [among(FEW, '10'), among(MANY, '1000')],
  targets: [{ against: FEW, atLeast: 0.9 }],
};
