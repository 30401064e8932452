// HTTP/1.1 from an in-process handler: plain text, pipelined, with many request fields, JSON, and large bodies both ways.
import { httpContestant } from '../harness/http-contestant.ts';
import type { Expectation } from '../harness/probe.ts';
import type { Contestant, Scenario } from '../harness/scenario.ts';
import type { ServerCommand } from '../harness/server-process.ts';
import type { WrkLoad } from '../harness/wrk.ts';
import { JSON_TYPE, jsonValue, TEXT } from '../servers/answers.ts';
import { NODE, bunScript, howdahVersion, packageVersion, peerScript, serverScript } from './commands.ts';
import { nginx, nginxVersion } from './native-servers.ts';

const plain: Expectation = {
  status: 200,
  body: TEXT,
  fields: { 'content-type': /^text\/plain;\s*charset=utf-8$/i, date: /GMT$/ },
};
const json: Expectation = {
  status: 200,
  body: { json: jsonValue() },
  fields: { 'content-type': new RegExp(`^${JSON_TYPE}\\b`, 'i'), date: /GMT$/ },
};

type Server = readonly [version: string, command: ServerCommand];

const hono = packageVersion('hono');
const SERVERS = {
  'fixed bytes': [NODE, serverScript('fixed-bytes.ts')],
  'node:http': [NODE, serverScript('node-http.ts')],
  Fastify: [`${packageVersion('fastify')}, ${NODE}`, peerScript('fastify-plain.mjs')],
  nginx: [nginxVersion(), nginx('http/1.1')],
  'Hono on Node.js': [
    `${hono}, ${packageVersion('@hono/node-server')}, ${NODE}`,
    peerScript('hono-node.mjs'),
  ],
  'Hono on Bun': [`${hono}, ${packageVersion('bun')}`, bunScript('hono-bun.mjs')],
  Bun: [packageVersion('bun'), bunScript('bun-plain.mjs')],
  howdah: [howdahVersion(), serverScript('howdah-plain.ts')],
} as const satisfies Readonly<Record<string, Server>>;

type Name = keyof typeof SERVERS;

const PEERS: readonly Name[] = ['node:http', 'Fastify', 'Hono on Node.js', 'Hono on Bun', 'Bun', 'howdah'];

function contestants(names: readonly Name[], load: Partial<WrkLoad>, expected: Expectation): Contestant[] {
  return names.map((name) => {
    const [version, server] = SERVERS[name];
    const all = { connections: 64, target: '/', script: 'summary.lua', ...load };
    return httpContestant({ name, version, server, load: all, expected });
  });
}

const common = { unit: 'requests/s', faster: 'higher', subject: 'howdah' } as const;

export const plainHttp1: Scenario = {
  ...common,
  name: 'plain-http1',
  title: 'Plain text over HTTP/1.1, 64 connections',
  contestants: contestants(['fixed bytes', 'nginx', ...PEERS], {}, plain),
  targets: [
    { against: 'node:http', atLeast: 1.5 },
    { against: 'Fastify', atLeast: 1.25 },
    { against: 'fixed bytes', atLeast: 0.9 },
    { against: 'Bun', atLeast: 0.9 },
  ],
};

export const pipelinedHttp1: Scenario = {
  ...common,
  name: 'pipelined-http1',
  title: 'Plain text over HTTP/1.1, 64 connections, 16 requests at once on each',
  contestants: contestants(['nginx', ...PEERS], { pipelined: 16 }, plain),
  targets: [{ against: 'node:http', atLeast: 4 }],
};

/** The same as in headers-http2. */
const manyFields = Array.from(
  { length: 20 },
  (_, i) => `x-field-number-${i}: a value of ordinary length, ${i}`,
);

export const headersHttp1: Scenario = {
  ...common,
  name: 'headers-http1',
  title: 'HTTP/1.1 with 20 more fields in each request, 64 connections',
  contestants: contestants(['nginx', ...PEERS], { fields: manyFields }, plain),
  targets: [{ against: 'node:http', atLeast: 1.5 }],
};

export const jsonHttp1: Scenario = {
  ...common,
  name: 'json-http1',
  title: 'A small JSON document over HTTP/1.1, 64 connections',
  contestants: contestants(PEERS, { target: '/json' }, json),
  targets: [{ against: 'node:http', atLeast: 1.4 }],
};

const LARGE_BODY = 'b'.repeat(100_000);

export const bodyHttp1: Scenario = {
  ...common,
  name: 'body-http1',
  title: 'HTTP/1.1 with 100 KB both ways, 16 connections',
  contestants: contestants(
    PEERS,
    { connections: 16, post: LARGE_BODY, fields: ['Content-Type: application/octet-stream'] },
    { ...plain, body: LARGE_BODY },
  ),
  targets: [{ against: 'node:http', atLeast: 1 }],
};
