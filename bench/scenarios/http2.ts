// HTTP/2 in clear and over TLS, and HTTP/1.1 over TLS: plain text, many request fields, and large bodies both ways.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { H2Load } from '../harness/h2load.ts';
import { h2loadContestant } from '../harness/h2load-contestant.ts';
import type { Expectation } from '../harness/probe.ts';
import type { Contestant, Scenario } from '../harness/scenario.ts';
import type { ServerCommand } from '../harness/server-process.ts';
import { TEXT } from '../servers/answers.ts';
import { howdahVersion, NODE, nodeScript } from './commands.ts';
import { filesDirectory, h2o, h2oVersion, nginx, nginxVersion } from './native-servers.ts';

const LARGE_BODY = 'b'.repeat(100_000);

const plain: Expectation = {
  status: 200,
  body: TEXT,
  fields: { 'content-type': /^text\/plain/i, date: /GMT$/ },
};
const large: Expectation = { ...plain, body: LARGE_BODY };

/** A script that takes its certificate from BENCH_TLS. */
function script(
  name: string,
  secure: boolean,
  environment: Readonly<Record<string, string>> = {},
): ServerCommand {
  return {
    command: () => nodeScript(name),
    get environment() {
      return secure ? { ...environment, BENCH_TLS: filesDirectory() } : environment;
    },
    ready: /^ready$/m,
  };
}

interface Peers {
  readonly load: H2Load;
  readonly expected: Expectation;
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether nginx and h2o, which send nothing back, can give this answer. */
  readonly withNative: boolean;
  readonly nodeName: string;
}

function peers({ load, expected, environment = {}, withNative, nodeName }: Peers): Contestant[] {
  const secure = load.scheme === 'https';
  const spoken = secure ? 'tls' : 'h2c';
  const make = (name: string, version: string, server: ServerCommand): Contestant =>
    h2loadContestant({ name, version, server, load, expected });
  return [
    make(nodeName, NODE, script('node-http2.ts', secure, environment)),
    ...(withNative
      ? [make('nginx', nginxVersion(), nginx(spoken)), make('h2o', h2oVersion(), h2o(spoken))]
      : []),
    make('howdah', howdahVersion(), script('howdah-plain.ts', secure)),
  ];
}

const clear: H2Load = { scheme: 'http', protocol: 'h2', connections: 16, streams: 32, target: '/' };

const common = { unit: 'requests/s', faster: 'higher', subject: 'howdah' } as const;

const fields = Array.from({ length: 20 }, (_, i) => `x-field-number-${i}: a value of ordinary length, ${i}`);

const largeLoad = (): H2Load => {
  const bodyFile = join(filesDirectory(), 'body');
  writeFileSync(bodyFile, LARGE_BODY);
  return { ...clear, connections: 4, streams: 4, bodyFile };
};

/** A contestant whose load needs a file, which is not written until it runs. */
function lazily(name: string, version: string, make: () => Contestant): Contestant {
  return {
    name,
    version,
    run: (plan) => make().run(plan),
    rehearse: async (plan) => (await make().rehearse?.(plan)) ?? null,
  };
}

const largePeers = (): Contestant[] =>
  peers({ load: largeLoad(), expected: large, withNative: false, nodeName: 'node:http2' });

export const plainHttp2: Scenario = {
  ...common,
  name: 'plain-http2',
  title: 'Plain text over HTTP/2, 16 connections, 32 streams on each',
  contestants: peers({ load: clear, expected: plain, withNative: true, nodeName: 'node:http2' }),
  targets: [
    { against: 'node:http2', atLeast: 6 },
    { against: 'h2o', atLeast: 0.8 },
  ],
};

export const plainHttp2Single: Scenario = {
  ...common,
  name: 'plain-http2-single',
  title: 'Plain text over HTTP/2, one connection with 100 streams',
  contestants: peers({
    load: { ...clear, connections: 1, streams: 100 },
    expected: plain,
    withNative: true,
    nodeName: 'node:http2',
  }),
  targets: [{ against: 'node:http2', atLeast: 5 }],
};

export const headersHttp2: Scenario = {
  ...common,
  name: 'headers-http2',
  title: 'HTTP/2 with 20 more fields in each request, 16 connections, 32 streams on each',
  contestants: peers({
    load: { ...clear, fields },
    expected: plain,
    withNative: true,
    nodeName: 'node:http2',
  }),
  targets: [{ against: 'node:http2', atLeast: 3 }],
};

export const bodyHttp2: Scenario = {
  ...common,
  name: 'body-http2',
  title: 'HTTP/2 with 100 KB both ways, 4 connections, 4 streams on each',
  contestants: [
    lazily('node:http2', NODE, () => find(largePeers(), 'node:http2')),
    lazily('howdah', howdahVersion(), () => find(largePeers(), 'howdah')),
  ],
  targets: [{ against: 'node:http2', atLeast: 1 }],
};

function find(contestants: readonly Contestant[], name: string): Contestant {
  const found = contestants.find((contestant) => contestant.name === name);
  if (found === undefined) throw new Error(`no contestant ${name}`);
  return found;
}

export const plainHttps: Scenario = {
  ...common,
  name: 'plain-https',
  title: 'Plain text over HTTP/1.1 and TLS, 64 connections',
  contestants: peers({
    load: { scheme: 'https', protocol: 'http/1.1', connections: 64, streams: 1, target: '/' },
    expected: plain,
    environment: { BENCH_HTTP1: '1' },
    withNative: true,
    nodeName: 'node:https',
  }),
  targets: [{ against: 'node:https', atLeast: 1.2 }],
};

export const plainHttpsH2: Scenario = {
  ...common,
  name: 'plain-https-h2',
  title: 'Plain text over HTTP/2 and TLS, 16 connections, 32 streams on each',
  contestants: peers({
    load: { ...clear, scheme: 'https' },
    expected: plain,
    withNative: true,
    nodeName: 'node:http2',
  }),
  targets: [{ against: 'node:http2', atLeast: 3 }],
};
