// Arguments and environment → settings and exit codes. What the commands do with them is tested from outside.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { EXIT_CODES, SIGNAL_EXIT_BASE } from '../../src/cli/exit-codes.ts';
import type { RestartSettings, StatusSettings } from '../../src/cli/fleet-program.ts';
import type { InitSettings } from '../../src/cli/init-program.ts';
import type { InstallSettings } from '../../src/cli/install-program.ts';
import { runProgram } from '../../src/cli/program.ts';
import type { RoutesSettings, SqlSettings } from '../../src/cli/program.ts';
import type { ServeSettings } from '../../src/cli/serve-settings.ts';

interface Run {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
  readonly serve?: ServeSettings;
  readonly sql?: SqlSettings;
  readonly routes?: RoutesSettings;
  readonly install?: InstallSettings;
  readonly status?: StatusSettings;
  readonly restart?: RestartSettings;
  readonly init?: InitSettings;
}

async function run(args: readonly string[], env: Record<string, string> = {}, ends = 0): Promise<Run> {
  const seen: Omit<{ -readonly [K in keyof Run]: Run[K] }, 'exitCode' | 'out' | 'err'> = {};
  let out = '';
  let err = '';
  const output = {
    writeOut: (text: string) => void (out += text),
    writeErr: (text: string) => void (err += text),
  };
  const exitCode = await runProgram(args, env, output, {
    async serve(settings) {
      seen.serve = settings;
      return ends;
    },
    async sql(settings) {
      seen.sql = settings;
      return ends;
    },
    async routes(settings) {
      seen.routes = settings;
      return ends;
    },
    async doctor() {
      return 0;
    },
    async install(settings) {
      seen.install = settings;
      return ends;
    },
    async status(settings) {
      seen.status = settings;
      return ends;
    },
    async restart(settings) {
      seen.restart = settings;
      return ends;
    },
    async init(settings) {
      seen.init = settings;
      return ends;
    },
  });
  return { exitCode, out, err, ...seen };
}

const DEFAULTS: ServeSettings = {
  application: null,
  follows: false,
  server: null,
  dataDirectory: '.howdah',
  listen: null,
  tls: { listen: null, files: [], clientAuthority: null, dev: false },
  unixListen: null,
  proxyFrom: [],
  gateway: { host: '127.0.0.1', port: 5433 },
  admin: null,
  workers: null,
  workerTimeoutMs: 10_000,
  sqlPaths: [],
  examples: false,
  allowedDirectories: [],
  noInit: false,
  dev: false,
  compress: false,
  decompress: false,
  maxBodyBytes: 10_000_000,
  maxResultBytes: 67_108_864,
  handlerTimeoutMs: 30_000,
  eventRetentionMs: 600_000,
  drainTimeoutMs: 10_000,
  logFormat: 'pretty',
  logLevel: 'info',
  accessLog: true,
};

const CHANGED: ServeSettings = {
  application: null,
  follows: false,
  server: null,
  dataDirectory: 'elsewhere',
  listen: { host: '::1', port: 0 },
  tls: {
    listen: { host: '127.0.0.1', port: 0 },
    files: [{ certificate: 'c.pem', privateKey: 'k.pem' }],
    clientAuthority: 'a.pem',
    dev: true,
  },
  unixListen: '/run/h.sock',
  proxyFrom: ['10.0.0.0/8', '::1', 'unix'],
  gateway: null,
  admin: { host: '127.0.0.1', port: 9090 },
  workers: 3,
  workerTimeoutMs: 2000,
  sqlPaths: ['a.sql', 'b'],
  examples: true,
  allowedDirectories: ['/srv/www'],
  noInit: true,
  dev: true,
  compress: true,
  decompress: true,
  maxBodyBytes: 1_048_576,
  maxResultBytes: 2_000_000,
  handlerTimeoutMs: 500,
  eventRetentionMs: 3_600_000,
  drainTimeoutMs: 0,
  logFormat: 'json',
  logLevel: 'warn',
  accessLog: false,
};

const SPELT: Record<string, string | null> = {
  data: 'elsewhere',
  listen: '[::1]:0',
  'pg-listen': 'off',
  'unix-listen': '/run/h.sock',
  'proxy-from': '10.0.0.0/8, ::1,unix',
  'tls-listen': '127.0.0.1:0',
  'tls-cert': 'c.pem',
  'tls-key': 'k.pem',
  'tls-client-ca': 'a.pem',
  'tls-dev': null,
  'allow-fs': '/srv/www',
  'admin-listen': '9090',
  workers: '3',
  'worker-timeout': '2s',
  'no-init': null,
  examples: null,
  dev: null,
  compress: null,
  decompress: null,
  'max-body-bytes': '1MiB',
  'max-result-bytes': '2MB',
  'event-retention': '1h',
  'handler-timeout': '500ms',
  'drain-timeout': '0s',
  'log-format': 'json',
  'log-level': 'warn',
  'no-access-log': null,
};

describe('serve', () => {
  test('has defaults', async () => {
    assert.deepEqual((await run(['serve'])).serve, DEFAULTS);
  });

  test('takes each setting from the command line', async () => {
    const args = Object.entries(SPELT).flatMap(([name, value]) =>
      value === null ? [`--${name}`] : [`--${name}`, value],
    );
    assert.deepEqual((await run(['serve', ...args, '--sql', 'a.sql', '--sql', 'b'])).serve, CHANGED);
  });

  test('takes each setting from the environment, by the same name', async () => {
    const variables = Object.entries(SPELT).map(([name, value]) => [
      `HOWDAH_${name.toUpperCase().replaceAll('-', '_')}`,
      value ?? 'true',
    ]);
    const env = { ...(Object.fromEntries(variables) as Record<string, string>), HOWDAH_SQL: 'a.sql:b' };
    assert.deepEqual((await run(['serve'], env)).serve, CHANGED);
  });

  test('prefers the command line to the environment', async () => {
    const env = { HOWDAH_LOG_LEVEL: 'error', HOWDAH_SQL: 'c', HOWDAH_HANDLER_TIMEOUT: 'wrong' };
    const { serve } = await run(
      ['serve', '--log-level', 'debug', '--sql', 'd', '--handler-timeout', '1s'],
      env,
    );
    assert.equal(serve?.logLevel, 'debug');
    assert.deepEqual(serve.sqlPaths, ['d']);
    assert.equal(serve.handlerTimeoutMs, 1000);
  });

  test('takes an empty variable, or a switch that says no, for none', async () => {
    const env = { HOWDAH_LISTEN: '', HOWDAH_MEMORY: 'false', HOWDAH_NO_INIT: '0', HOWDAH_DEV: '' };
    assert.deepEqual((await run(['serve'], env)).serve, DEFAULTS);
  });

  test('keeps the database in memory, unless a data directory is given closer by', async () => {
    assert.equal((await run(['serve', '--memory'])).serve?.dataDirectory, null);
    assert.equal((await run(['serve', '--memory'], { HOWDAH_DATA: 'x' })).serve?.dataDirectory, null);
    assert.equal((await run(['serve', '--data', 'x'], { HOWDAH_MEMORY: '1' })).serve?.dataDirectory, 'x');
    assert.equal((await run(['serve', '--memory', '--data', 'x'])).exitCode, 2);
    assert.equal((await run(['serve'], { HOWDAH_MEMORY: '1', HOWDAH_DATA: 'x' })).exitCode, 2);
  });

  test('ends with the exit code of what it did', async () => {
    assert.equal((await run(['serve'], {}, 3)).exitCode, 3);
  });
});

describe('status and restart', () => {
  const here = { dataDirectory: '.howdah', url: null };

  test('status finds the server as sql does, and prints JSON where that is asked for', async () => {
    assert.deepEqual((await run(['status'])).status, { ...here, json: false });
    const { status } = await run(['status', '--json', '--url', 'u']);
    assert.deepEqual(status, { ...here, url: 'u', json: true });
  });

  test('restart means all servers and waits, unless it is told otherwise', async () => {
    assert.deepEqual((await run(['restart'])).restart, { ...here, node: null, wait: true });
    const id = '6f7a1c1e-8b4e-4c39-9f6a-0c5d9f0f3a11';
    const { restart } = await run(['restart', '--node', id, '--no-wait']);
    assert.deepEqual(restart, { ...here, node: id, wait: false });
  });

  test('a node that is no identifier is refused', async () => {
    const { exitCode, err } = await run(['restart', '--node', "1'; drop table x"]);
    assert.equal(exitCode, EXIT_CODES.usage.code);
    assert.match(err, /id of howdah\.nodes/);
  });
});

describe('sql and routes', () => {
  test('find the server by its data directory or an URL', async () => {
    assert.deepEqual((await run(['routes'])).routes, { dataDirectory: '.howdah', url: null, json: false });
    assert.deepEqual((await run(['routes', '--json', '--url', 'u'])).routes, {
      dataDirectory: '.howdah',
      url: 'u',
      json: true,
    });
    assert.equal((await run(['sql'], { HOWDAH_URL: 'u' })).sql?.url, 'u');
    assert.deepEqual((await run(['sql', '--data', 'd'], { HOWDAH_URL: 'u' })).sql, {
      dataDirectory: 'd',
      url: null,
      command: null,
      file: null,
    });
  });

  test('serve and dev take the module of an application, init a directory', async () => {
    assert.equal((await run(['serve', 'app.ts'])).serve?.application, 'app.ts');
    const { serve } = await run(['dev', '--sql', 'sql', 'app.ts']);
    assert.deepEqual([serve?.application, serve?.dev, serve?.follows], ['app.ts', true, true]);
    assert.deepEqual((await run(['init', 'notes'])).init, { directory: 'notes' });
    assert.equal((await run(['init'])).exitCode, 2);
  });

  test('sql takes a text, a file or standard input', async () => {
    assert.equal((await run(['sql', '-c', 'select 1'])).sql?.command, 'select 1');
    assert.equal((await run(['sql', 'a.sql'])).sql?.file, 'a.sql');
    assert.equal((await run(['sql', '-'])).sql?.file, null);
    assert.equal((await run(['sql', '-c', 'select 1', 'a.sql'])).exitCode, 2);
  });
});

describe('bad usage ends with 2 and one line', () => {
  const bad: readonly [args: readonly string[], line: RegExp, env?: Record<string, string>][] = [
    [['serve', '--listen', 'x'], /'--listen <HOST:PORT>' argument 'x' is invalid\. Expected HOST:PORT/],
    [['serve', '--listen'], /'--listen <HOST:PORT>' argument missing/],
    [['serve', '--pg-listen', 'x'], /slash/],
    [['serve', '--proxy-from', '::1,localhost'], /"localhost" is neither an address/],
    [['serve', '--max-body-bytes', 'many'], /bytes/],
    [['serve', '--max-body-bytes', '2GB'], /At most 1000000000/],
    [['serve', '--handler-timeout', '30'], /unit/],
    [['serve', '--handler-timeout', '0s'], /At least 1 ms/],
    [['serve', '--log-format', 'xml'], /Allowed choices are pretty, json/],
    [['serve', '--log-level', 'loud'], /Allowed choices are/],
    [['serve', '--tls-cert', 'c.pem'], /1 of option '--tls-cert <FILE>' and 0 of '--tls-key <FILE>'/],
    [['serve', '--nothing'], /unknown option '--nothing'/],
    [['serve', 'app.ts', 'extra'], /too many arguments/],
    [['frobnicate'], /unknown command 'frobnicate'/],
    [['serve'], /environment variable HOWDAH_LISTEN value 'x' is invalid\. Expected/, { HOWDAH_LISTEN: 'x' }],
    [['serve'], /HOWDAH_DEV value 'maybe' is invalid\. Expected true or false/, { HOWDAH_DEV: 'maybe' }],
    [['serve'], /HOWDAH_LOG_FORMAT value 'xml' is invalid\. Allowed/, { HOWDAH_LOG_FORMAT: 'xml' }],
  ];
  for (const [args, line, env = {}] of bad) {
    test([...Object.entries(env).map((pair) => pair.join('=')), ...args].join(' '), async () => {
      const { exitCode, out, err, serve } = await run(args, env);
      assert.equal(exitCode, 2);
      assert.match(err, line);
      assert.equal(err.trimEnd().split('\n').length, 1);
      assert.equal(out, '');
      assert.equal(serve, undefined);
    });
  }

  test('no command prints help to standard error', async () => {
    const { exitCode, err } = await run([]);
    assert.equal(exitCode, 2);
    assert.match(err, /Usage: howdah/);
  });
});

describe('help', () => {
  test('of each command ends well, has examples and exit codes', async () => {
    for (const command of ['serve', 'sql']) {
      const { exitCode, out } = await run([command, '--help']);
      assert.equal(exitCode, 0);
      assert.match(out, /Examples:/);
      assert.match(out, /Exit codes:/);
    }
    assert.match((await run(['--help'])).out, /Exit codes:/);
  });

  test('names the environment variable of each setting', async () => {
    const { out } = await run(['serve', '--help']);
    const words = out.replaceAll(/\s+/g, ' ');
    for (const name of [...Object.keys(SPELT), 'sql', 'memory']) {
      assert.match(
        words,
        new RegExp(`--${name} .*env: HOWDAH_${name.toUpperCase().replaceAll('-', '_')}\\)`),
      );
    }
  });

  test('gives the version of the package', async () => {
    const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    assert.deepEqual(await run(['--version']), { exitCode: 0, out: `howdah ${manifest.version}\n`, err: '' });
  });
});

describe('howdah serve --database', () => {
  const url = 'postgres://app@db/app';

  test('serves from a server, and from no data directory', async () => {
    const { serve } = await run(['serve', '--database', url, '--sessions', '3']);
    assert.deepEqual(serve, {
      ...DEFAULTS,
      dataDirectory: null,
      server: { url, directUrl: null, maxSessions: 3 },
    });
    assert.deepEqual((await run(['serve'], { HOWDAH_DATABASE: url })).serve?.server, {
      url,
      directUrl: null,
      maxSessions: 8,
    });
  });

  test('excludes --data and --memory; a data directory of the command line goes before the environment', async () => {
    for (const other of [['--data', 'there'], ['--memory']]) {
      const { exitCode, err } = await run(['serve', '--database', url, ...other]);
      assert.equal(exitCode, EXIT_CODES.usage.code);
      assert.match(err, /cannot be used with option/);
      assert.equal((await run(['serve', ...other], { HOWDAH_DATABASE: url })).serve?.server, null);
    }
    const { serve } = await run(['serve', '--database', url], {
      HOWDAH_DATA: 'there',
      HOWDAH_MEMORY: 'true',
    });
    assert.deepEqual(serve?.server, { url, directUrl: null, maxSessions: 8 });
  });

  test('takes a number of sessions from 1', async () => {
    for (const sessions of ['0', '-1', '1.5', 'many', '1001']) {
      assert.equal(
        (await run(['serve', '--database', url, `--sessions=${sessions}`])).exitCode,
        EXIT_CODES.usage.code,
      );
    }
  });
});

describe('howdah install', () => {
  test('takes a database, which it needs', async () => {
    const { install } = await run([
      'install',
      '--database',
      'env',
      '--dry-run',
      '--no-init',
      '--listen',
      '[::1]:80',
    ]);
    assert.deepEqual(install, { url: 'env', dryRun: true, noInit: true, listen: { host: '::1', port: 80 } });
    const { exitCode, err } = await run(['install']);
    assert.equal(exitCode, EXIT_CODES.usage.code);
    assert.match(err, /--database <URL>/);
  });
});

describe('docs/cli.md', () => {
  const document = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8').replaceAll(/ +/g, ' ');

  test('lists the exit codes', () => {
    for (const { code, meaning } of Object.values(EXIT_CODES)) {
      assert.ok(document.includes(`| ${code} | ${meaning} |`), `${code} ${meaning}`);
    }
    assert.ok(document.includes(`| ${SIGNAL_EXIT_BASE} + N |`));
  });

  test('lists every option and variable of the help, and no other', async () => {
    const documented = new Set(document.match(/(?<=[`\s(])(?:--[a-z][a-z-]+|HOWDAH_[A-Z_]+)/g));
    const helped = new Set<string>();
    for (const command of ['serve', 'sql', 'routes', 'install', 'status', 'restart']) {
      const { out } = await run([command, '--help']);
      for (const word of out.match(/(?<=[\s(])(?:--[a-z][a-z-]+|HOWDAH_[A-Z_]+)/g) ?? []) helped.add(word);
    }
    for (const common of ['--help', '--version']) {
      documented.delete(common);
      helped.delete(common);
    }
    assert.deepEqual([...documented].sort(), [...helped].sort());
  });
});
