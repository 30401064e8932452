// `howdah serve` from outside: banner, answers, logs, signals, and what stands in the way of a start.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { HowdahProcess, runHowdah, startServe, temporaryDirectory } from './howdah-process.ts';

const HELLO = `
create function hello(request omni_httpd.http_request) returns omni_httpd.http_outcome
  return omni_httpd.http_response(body => 'Hello, ' || coalesce(nullif(request.query_string, ''), 'world'));
insert into omni_httpd.urlpattern_router (match, handler) values (omni_httpd.urlpattern('/hello'), 'hello'::regproc);
create function broken(request omni_httpd.http_request) returns omni_httpd.http_outcome language plpgsql as
  $$ begin raise exception 'broken on purpose' using detail = 'the detail', hint = 'the hint', errcode = '22012'; end $$;
insert into omni_httpd.urlpattern_router (match, handler) values (omni_httpd.urlpattern('/broken'), 'broken'::regproc);
create function slow(request omni_httpd.http_request) returns omni_httpd.http_outcome language plpgsql as
  $$ begin raise notice 'slow begins'; perform pg_sleep(0.5); return omni_httpd.http_response(body => 'slow'); end $$;
insert into omni_httpd.urlpattern_router (match, handler) values (omni_httpd.urlpattern('/slow'), 'slow'::regproc);
`;

/** The user that owns nothing, on Linux and elsewhere. */
const NOBODY = 65_534;

const text = async (url: string): Promise<string> => (await fetch(url)).text();

describe('a server', () => {
  test('says what runs and where, answers, and drains on SIGTERM', async () => {
    using directory = temporaryDirectory();
    await using server = await startServe([], { cwd: directory.path });
    const { out } = server.process;
    const number = String.raw`\d+`;
    assert.match(
      out,
      new RegExp(
        `^howdah ${number}\\.${number}\\.${number} · embedded PostgreSQL ${number} in \\.howdah · 1 worker\n` +
          `http://127\\.0\\.0\\.1:${number} +SQL: npx howdah sql   \\(psql postgres://127\\.0\\.0\\.1:${number}\\)\n$`,
      ),
    );
    assert.equal((await fetch(server.url)).status, 200);
    server.process.child.kill('SIGTERM');
    const ended = await server.process.ended();
    assert.equal(ended.code, 0, ended.err);
    assert.match(ended.out, / GET \/ 200 \d+B /);
    assert.match(ended.err, /SIGTERM: finishing what runs, for at most 10000 ms[^]*stopped/);
  });

  test('compresses responses and decompresses requests where it is told to', async () => {
    using directory = temporaryDirectory();
    writeFileSync(
      join(directory.path, 'echo.sql'),
      `create function echo(request omni_httpd.http_request) returns omni_httpd.http_outcome
         return omni_httpd.http_response(body => repeat(convert_from(request.body, 'utf8'), 100),
           headers => array [omni_http.http_header('content-type', 'text/plain')]);
       insert into omni_httpd.urlpattern_router (match, handler) values (omni_httpd.urlpattern('/echo'), 'echo'::regproc);`,
    );
    await using server = await startServe(['--memory', '--sql', 'echo.sql', '--compress', '--decompress'], {
      cwd: directory.path,
    });
    const response = await fetch(`${server.url}/echo`, {
      method: 'POST',
      headers: { 'content-encoding': 'gzip', 'accept-encoding': 'br' },
      body: gzipSync('hello'),
    });
    assert.deepEqual([response.status, response.headers.get('content-encoding')], [200, 'br']);
    assert.equal(await response.text(), 'hello'.repeat(100));
  });

  test('has its first listener on the loopback address only, unless told otherwise', async () => {
    using directory = temporaryDirectory();
    await using running = new HowdahProcess(['serve', '--pg-listen', '127.0.0.1:0'], { cwd: directory.path });
    // Port 8080 may be somebody else's on this machine: what counts is what was asked for.
    await running.prints(/^(?:http|no listener)[^\n]*SQL: /m);
    const query = ['sql', '-c', 'select host(address), port from omni_httpd.listeners'];
    assert.match((await runHowdah(query, { cwd: directory.path })).out, /^ 127\.0\.0\.1 \| 8080$/m);
  });

  test('has no listener in a new database that is to have none', async () => {
    using directory = temporaryDirectory();
    const args = ['serve', '--memory', '--no-init', '--pg-listen', '127.0.0.1:0'];
    await using running = new HowdahProcess(args, { cwd: directory.path });
    await running.prints(/^no listener yet +SQL: /m);
  });

  test('keeps its data from one start to the next, and is restarted on another address', async () => {
    using directory = temporaryDirectory();
    writeFileSync(join(directory.path, 'hello.sql'), HELLO);
    {
      await using server = await startServe(['--data', 'data', '--sql', 'hello.sql'], {
        cwd: directory.path,
      });
      assert.equal(await text(`${server.url}/hello?you`), 'Hello, you');
      server.process.child.kill('SIGINT');
      assert.equal((await server.process.ended()).code, 0);
    }
    await using again = await startServe(['--data', 'data'], { cwd: directory.path });
    assert.equal(await text(`${again.url}/hello`), 'Hello, world');
  });

  test('takes its settings from the environment', async () => {
    using directory = temporaryDirectory();
    const env = { HOWDAH_MEMORY: 'true', HOWDAH_LISTEN: '[::1]:0', HOWDAH_PG_LISTEN: 'off' };
    await using running = new HowdahProcess(['serve'], { cwd: directory.path, env });
    const [, url = ''] = await running.prints(/^(http:\/\/\[::1\]:\d+)\n/m);
    assert.match(running.out, /PostgreSQL \d+ in memory · /);
    assert.equal((await fetch(url)).status, 200);
  });

  test('logs requests and failed handlers under one id, which the client has as well', async () => {
    using directory = temporaryDirectory();
    writeFileSync(join(directory.path, 'hello.sql'), HELLO);
    const args = ['--memory', '--sql', 'hello.sql', '--log-format', 'json'];
    await using running = new HowdahProcess(
      ['serve', ...args, '--listen', '127.0.0.1:0', '--pg-listen', 'off'],
      { cwd: directory.path },
    );
    const [, url = ''] = await running.prints(/"listening on (http:[^"]+)"/, 'err');
    await running.prints(/"howdah \d+\.\d+\.\d+ started"/, 'err');
    const response = await fetch(`${url}/broken`);
    const body = await response.text();
    assert.equal(response.status, 500);
    assert.doesNotMatch(body, /broken on purpose/);
    running.child.kill('SIGTERM');
    const { code, out, err } = await running.ended();
    assert.equal(code, 0);
    const records = (lines: string): Record<string, unknown>[] =>
      lines
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    const [access, ...others] = records(out);
    assert.deepEqual(others, []);
    const failure = records(err).find(({ sqlState, level }) => level === 'error' && sqlState !== undefined);
    assert.equal(access?.['status'], 500);
    assert.equal(access['target'], '/broken');
    assert.ok(failure);
    assert.equal(failure['id'], access['id']);
    assert.ok(body.includes(String(access['id'])));
    assert.equal(failure['sqlState'], '22012');
    assert.match(String(failure['msg']), /broken on purpose/);
    assert.equal(failure['detail'], 'the detail');
    assert.equal(failure['hint'], 'the hint');
  });

  test('writes no access log where none is wanted', async () => {
    using directory = temporaryDirectory();
    await using server = await startServe(['--memory', '--no-access-log'], { cwd: directory.path });
    assert.equal((await fetch(server.url)).status, 200);
    server.process.child.kill('SIGTERM');
    const { out } = await server.process.ended();
    assert.equal(out.trimEnd().split('\n').length, 2, out);
  });

  test('finishes a request that runs when the signal comes', async () => {
    using directory = temporaryDirectory();
    writeFileSync(join(directory.path, 'hello.sql'), HELLO);
    await using server = await startServe(['--memory', '--sql', 'hello.sql', '--log-level', 'debug'], {
      cwd: directory.path,
    });
    const answer = text(`${server.url}/slow`);
    await server.process.prints(/slow begins/, 'err');
    server.process.child.kill('SIGTERM');
    assert.equal(await answer, 'slow');
    assert.equal((await server.process.ended()).code, 0);
  });

  test('ends at once on a second signal', async () => {
    using directory = temporaryDirectory();
    writeFileSync(join(directory.path, 'loop.sql'), HELLO.replace('pg_sleep(0.5)', 'pg_sleep(600)'));
    await using server = await startServe(['--memory', '--sql', 'loop.sql', '--drain-timeout', '10m'], {
      cwd: directory.path,
    });
    const answer = assert.rejects(text(`${server.url}/slow`));
    await server.process.prints(/slow begins/, 'err');
    server.process.child.kill('SIGTERM');
    await server.process.prints(/SIGTERM: finishing/, 'err');
    server.process.child.kill('SIGINT');
    assert.equal((await server.process.ended()).code, 130);
    await answer;
  });
});

describe('a start that fails', () => {
  test('with an error in a file of SQL names file, line and message, ends with 1, and applies nothing of it', async () => {
    using directory = temporaryDirectory();
    mkdirSync(join(directory.path, 'sql'));
    writeFileSync(join(directory.path, 'sql/1-good.sql'), 'create table good (a int);');
    writeFileSync(
      join(directory.path, 'sql/2-bad.sql'),
      'create table bad (a int);\n\nselect nothing\n  from bad;',
    );
    const args = ['serve', '--listen', '0', '--pg-listen', 'off', '--sql', 'sql'];
    const { code, out, err } = await runHowdah(args, { cwd: directory.path });
    assert.equal(code, 1);
    assert.equal(out, '');
    assert.match(
      err,
      /^howdah: .*sql\/2-bad\.sql:3: .*column "nothing" does not exist\n {4}select nothing\n {11}\^$/m,
    );
    assert.doesNotMatch(err, /no transaction in progress/);
    await using server = await startServe([], { cwd: directory.path });
    const tables = ['sql', '-c', "select to_regclass('good') is not null, to_regclass('bad') is not null"];
    assert.match((await runHowdah(tables, { cwd: directory.path })).out, /^ t +\| f$/m);
    assert.equal(server.process.child.exitCode, null);
  });

  test('on a data directory that another server uses ends with 3', async () => {
    using directory = temporaryDirectory();
    await using server = await startServe([], { cwd: directory.path });
    const second = await runHowdah(['serve', '--listen', '0', '--pg-listen', 'off'], { cwd: directory.path });
    assert.equal(second.code, 3, second.err);
    assert.match(second.err, /^howdah: another process uses this data directory/);
    assert.equal((await fetch(server.url)).status, 200);
  });

  test('on a data directory that cannot be one ends with 3', async () => {
    using directory = temporaryDirectory();
    writeFileSync(join(directory.path, 'file'), '');
    const args = ['serve', '--listen', '0', '--pg-listen', 'off', '--data', 'file'];
    const { code, err } = await runHowdah(args, { cwd: directory.path });
    assert.equal(code, 3, err);
    assert.match(err, /^howdah: the data directory cannot be used/);
  });

  test('on a data directory that may not be written to ends with 3', async () => {
    using directory = temporaryDirectory();
    chmodSync(directory.path, 0o555);
    // Root may write anywhere, and so runs it as somebody who may not.
    const user = process.getuid?.() === 0 ? { uid: NOBODY } : {};
    const args = ['serve', '--listen', '0', '--pg-listen', 'off'];
    const { code, err } = await runHowdah(args, { cwd: directory.path, ...user });
    assert.equal(code, 3, err);
    assert.match(err, /^howdah: the data directory cannot be used: .*(?:EACCES|permission)/m);
  });

  test('on an address in use ends with 4 and names it', async () => {
    using directory = temporaryDirectory();
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    try {
      for (const args of [
        ['--listen', `127.0.0.1:${port}`, '--pg-listen', 'off'],
        ['--listen', '127.0.0.1:0', '--pg-listen', `127.0.0.1:${port}`],
      ]) {
        const { code, out, err } = await runHowdah(['serve', '--memory', ...args], { cwd: directory.path });
        assert.equal(code, 4, err);
        assert.match(err, new RegExp(`^howdah: .*127\\.0\\.0\\.1:${port}`, 'm'));
        assert.equal(out, '');
      }
    } finally {
      taken.close();
    }
  });

  test('with JSON logs is one record', async () => {
    using directory = temporaryDirectory();
    writeFileSync(join(directory.path, 'file'), '');
    const args = [
      'serve',
      '--pg-listen',
      'off',
      '--data',
      'file',
      '--log-format',
      'json',
      '--log-level',
      'error',
    ];
    const { code, err } = await runHowdah(args, { cwd: directory.path });
    assert.equal(code, 3);
    const record = JSON.parse(err) as Record<string, unknown>;
    assert.equal(record['code'], 'HOWDAH_DATA_UNUSABLE');
    assert.equal(record['level'], 'error');
  });

  test('with a bad value ends with 2 and one line', async () => {
    using directory = temporaryDirectory();
    const { code, err } = await runHowdah(['serve', '--listen', 'nowhere'], { cwd: directory.path });
    assert.equal(code, 2);
    assert.equal(err.trimEnd().split('\n').length, 1);
  });
});
