// What 10 000 connections that do nothing cost a server, and as many requests that wait for their answer.
import { h2loadProbe } from '../harness/h2load-contestant.ts';
import { memoryContestant } from '../harness/memory-contestant.ts';
import type { IdleKind } from '../harness/memory-contestant.ts';
import { probe } from '../harness/probe.ts';
import type { Scenario } from '../harness/scenario.ts';
import type { ServerCommand, ServerProcess } from '../harness/server-process.ts';
import { NODE, bunScript, howdahVersion, packageVersion, peerScript, serverScript } from './commands.ts';

const COUNT = 10_000;

const nodeHttp2 = { name: 'node:http2', version: NODE, server: serverScript('node-http2.ts') };
const nodeHttp = { name: 'node:http', version: NODE, server: serverScript('node-http.ts') };
const bun = packageVersion('bun');
const howdah = { name: 'howdah', version: howdahVersion(), server: serverScript('howdah-plain.ts') };

interface Peer {
  readonly name: string;
  readonly version: string;
  readonly server: ServerCommand;
}

type Check = (server: ServerProcess, open: number) => Promise<string | null>;

function scenario(
  name: string,
  title: string,
  unit: string,
  kind: IdleKind,
  peers: readonly Peer[],
  check?: Check,
): Scenario {
  return {
    name,
    title,
    unit,
    faster: 'lower',
    better: 'as small',
    subject: 'howdah',
    contestants: peers.map((peer) =>
      memoryContestant({ ...peer, kind, count: COUNT, ...(check === undefined ? {} : { check }) }),
    ),
    targets: [],
  };
}

/** The servers count the requests that they hold. */
function held(ask: (server: ServerProcess) => Promise<string>): Check {
  return async (server, open) => {
    const counted = await ask(server);
    return counted === String(open) ? null : `${counted} requests in flight instead of ${open}`;
  };
}

const heldHttp1 = held(async ({ port }) => (await probe(port, { target: '/held' })).body);
const heldHttp2 = held(async ({ port }) => {
  const load = { scheme: 'http', protocol: 'h2', connections: 1, streams: 1, target: '/held' } as const;
  return (await h2loadProbe(load, port)).body;
});

export const idleHttp1 = scenario(
  'idle-http1',
  'Memory of 10 000 idle connections, HTTP/1.1',
  'bytes/connection',
  'http1',
  [nodeHttp, { name: 'Bun', version: bun, server: bunScript('bun-plain.mjs') }, howdah],
);
export const idleHttp2 = scenario(
  'idle-http2',
  'Memory of 10 000 idle connections, HTTP/2',
  'bytes/connection',
  'http2',
  [nodeHttp2, howdah],
);
export const idleWebSocket = scenario(
  'idle-websocket',
  'Memory of 10 000 idle connections, WebSocket',
  'bytes/connection',
  'websocket',
  [
    { name: 'ws', version: `${packageVersion('ws')}, ${NODE}`, server: peerScript('ws.mjs') },
    { name: 'Bun', version: bun, server: bunScript('bun-websocket.mjs') },
    { ...howdah, server: serverScript('howdah-websocket.ts') },
  ],
);
export const heldRequestsHttp1 = scenario(
  'held-http1',
  'Memory of 10 000 requests in flight, HTTP/1.1, each on a connection of its own',
  'bytes/request',
  'held-http1',
  [nodeHttp, howdah],
  heldHttp1,
);
export const heldRequestsHttp2 = scenario(
  'held-http2',
  'Memory of 10 000 requests in flight, HTTP/2, 100 on each connection',
  'bytes/request',
  'held-http2',
  [nodeHttp2, howdah],
  heldHttp2,
);
