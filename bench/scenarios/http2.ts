// HTTP/2 in clear and over TLS, and HTTP/1.1 over TLS: plain text, many request fields, and large bodies both ways.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { H2Load } from '../harness/h2load.ts';
import { h2loadContestant } from '../harness/h2load-contestant.ts';
import type { Expectation } from '../harness/probe.ts';
import type { Contestant, Scenario } from '../harness/scenario.ts';
import type { ServerCommand } from '../harness/server-process.ts';
import { h2oVersion, howdahVersion, NODE, nodeScript } from './commands.ts';

const LARGE_BODY = 'b'.repeat(100_000);

const plain: Expectation = {
  status: 200,
  body: 'Hello, World!',
  fields: { 'content-type': /^text\/plain/i, date: /GMT$/ },
};
const large: Expectation = { ...plain, body: LARGE_BODY };

/** What the servers need on disk, made when the first of them is started and gone with this process. */
let files: string | null = null;
function filesDirectory(): string {
  if (files !== null) return files;
  const made = mkdtempSync(join(tmpdir(), 'howdah-bench-'));
  // h2o serves as another user where root has started it.
  chmodSync(made, 0o755);
  process.once('exit', () => rmSync(made, { recursive: true, force: true }));
  execFileSync(nodeScript('make-certificate.ts')[0] ?? 'node', [
    ...nodeScript('make-certificate.ts').slice(1),
    made,
  ]);
  writeFileSync(join(made, 'index.txt'), plain.body as string);
  files = made;
  return made;
}

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

function h2o(secure: boolean): ServerCommand {
  return {
    command: (port) => {
      const directory = filesDirectory();
      const ssl = `\n  ssl: { certificate-file: ${directory}/certificate.pem, key-file: ${directory}/key.pem }`;
      const configuration = `num-threads: 1
listen:
  host: 127.0.0.1
  port: ${port}${secure ? ssl : ''}
hosts:
  default:
    paths:
      /:
        file.dir: ${directory}
        file.index: [index.txt]
        file.etag: OFF
`;
      const path = join(directory, `h2o-${port}.conf`);
      writeFileSync(path, configuration);
      return ['h2o', '--mode', 'worker', '--conf', path];
    },
    ready: /ready to serve requests/,
  };
}

interface Peers {
  readonly load: H2Load;
  readonly expected: Expectation;
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether h2o, which serves a file, can give this answer. */
  readonly withH2o: boolean;
  readonly nodeName: string;
}

function peers({ load, expected, environment = {}, withH2o, nodeName }: Peers): Contestant[] {
  const secure = load.scheme === 'https';
  const make = (name: string, version: string, server: ServerCommand): Contestant =>
    h2loadContestant({ name, version, server, load, expected });
  return [
    make(nodeName, NODE, script('node-http2.ts', secure, environment)),
    ...(withH2o ? [make('h2o', h2oVersion(), h2o(secure))] : []),
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
  peers({ load: largeLoad(), expected: large, withH2o: false, nodeName: 'node:http2' });

export const plainHttp2: Scenario = {
  ...common,
  name: 'plain-http2',
  title: 'Plain text over HTTP/2, 16 connections, 32 streams on each',
  contestants: peers({ load: clear, expected: plain, withH2o: true, nodeName: 'node:http2' }),
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
    withH2o: true,
    nodeName: 'node:http2',
  }),
  targets: [{ against: 'node:http2', atLeast: 5 }],
};

export const headersHttp2: Scenario = {
  ...common,
  name: 'headers-http2',
  title: 'HTTP/2 with 20 more fields in each request, 16 connections, 32 streams on each',
  contestants: peers({ load: { ...clear, fields }, expected: plain, withH2o: true, nodeName: 'node:http2' }),
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
    withH2o: true,
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
    withH2o: true,
    nodeName: 'node:http2',
  }),
  targets: [{ against: 'node:http2', atLeast: 3 }],
};
