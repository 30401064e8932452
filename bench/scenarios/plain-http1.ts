// Plain text over HTTP/1.1 from an in-process handler, 64 connections, one request at a time on each.
import { httpContestant } from '../harness/http-contestant.ts';
import type { Expectation } from '../harness/probe.ts';
import type { Contestant, Scenario } from '../harness/scenario.ts';
import type { ServerCommand } from '../harness/server-process.ts';
import { NODE, bunScript, howdahVersion, packageVersion, peerScript, serverScript } from './commands.ts';

const expected: Expectation = {
  status: 200,
  body: 'Hello, World!',
  fields: { 'content-type': /^text\/plain;\s*charset=utf-8$/i, date: /GMT$/ },
};

function contestant(name: string, version: string, server: ServerCommand): Contestant {
  const load = { connections: 64, target: '/', script: 'summary.lua' };
  return httpContestant({ name, version, server, load, expected });
}

export const plainHttp1: Scenario = {
  name: 'plain-http1',
  title: 'Plain text over HTTP/1.1, 64 connections',
  unit: 'requests/s',
  faster: 'higher',
  subject: 'howdah',
  contestants: [
    contestant('fixed bytes', NODE, serverScript('fixed-bytes.ts')),
    contestant('node:http', NODE, serverScript('node-http.ts')),
    contestant('Fastify', `${packageVersion('fastify')}, ${NODE}`, peerScript('fastify-plain.mjs')),
    contestant('Bun', packageVersion('bun'), bunScript('bun-plain.mjs')),
    contestant('howdah', howdahVersion(), serverScript('howdah-plain.ts')),
  ],
  targets: [
    { against: 'node:http', atLeast: 1.4 },
    { against: 'Fastify', atLeast: 1.25 },
    { against: 'fixed bytes', atLeast: 0.85 },
  ],
};
