// `howdah serve`: its options and their variables → settings. What it does with them is tested from outside.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EXIT_CODES } from '../../src/cli/exit-codes.ts';
import type { ServeSettings } from '../../src/cli/serve-settings.ts';
import { run } from './run-program.ts';

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
