// Arguments and environment → settings and exit codes. What the commands do with them is tested from outside; the settings of
// `serve` are in serve-settings.test.ts.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { EXIT_CODES, SIGNAL_EXIT_BASE } from '../../src/cli/exit-codes.ts';
import { run } from './run-program.ts';

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

  test('gives the version of the package', async () => {
    const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    assert.deepEqual(await run(['--version']), { exitCode: 0, out: `howdah ${manifest.version}\n`, err: '' });
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
