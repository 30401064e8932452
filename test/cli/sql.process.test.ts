// `howdah sql` and `howdah routes` on a running server.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { runSql } from '../../src/cli/sql-command.ts';
import { runHowdah, startServe, temporaryDirectory } from './howdah-process.ts';
import type { Ended, Served } from './howdah-process.ts';

const HELLO = `create function hello(request omni_httpd.http_request) returns omni_httpd.http_outcome
  return omni_httpd.http_response(body => 'Hello, ' || coalesce(nullif(request.query_string, ''), 'world'));
insert into omni_httpd.urlpattern_router (match, handler) values (omni_httpd.urlpattern('/hello'), 'hello'::regproc);
`;

describe('on a running server', () => {
  const directory = temporaryDirectory();
  const cwd = directory.path;
  let server: Served;
  before(async () => {
    server = await startServe([], { cwd });
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    directory[Symbol.dispose]();
  });

  const sql = (args: readonly string[], input = ''): Promise<Ended> =>
    runHowdah(['sql', ...args], { cwd, input });

  test('a route that is inserted answers the next request', async () => {
    assert.deepEqual(await sql([], HELLO), { code: 0, out: 'CREATE FUNCTION\nINSERT 0 1\n', err: '' });
    assert.equal(await (await fetch(`${server.url}/hello?you`)).text(), 'Hello, you');
  });

  test('a text prints its results as psql does', async () => {
    const { code, out, err } = await sql(['-c', "select 1 as n, null as nothing, 'x' as text; select"]);
    assert.equal(code, 0, err);
    assert.equal(
      out,
      ' n | nothing | text \n---+---------+------\n 1 |         | x\n(1 row)\n\n--\n(1 row)\n\n',
    );
  });

  test('rows of a statement that changes data come with its tag, copied data without', async () => {
    const { out } = await sql(
      ['-'],
      'create temp table t (a int); insert into t values (1), (2) returning a; copy t to stdout; delete from t;',
    );
    assert.equal(out, 'CREATE TABLE\n a \n---\n 1\n 2\n(2 rows)\n\nINSERT 0 2\n1\n2\nDELETE 2\n');
  });

  test('notices go to standard error', async () => {
    const { code, out, err } = await sql([
      '-c',
      "do $$ begin raise warning 'look; out' using hint = 'h'; end $$",
    ]);
    assert.deepEqual({ code, out, err }, { code: 0, out: 'DO\n', err: 'WARNING:  look; out\nHINT:  h\n' });
  });

  test('the first error of a file ends it, named by file and line, with a caret', async () => {
    writeFileSync(
      join(cwd, 'bad.sql'),
      "select 1 as one;\n\nselect 2,\n  'é', nothing\n;\nselect 3 as three;\n",
    );
    const { code, out, err } = await sql(['bad.sql']);
    assert.equal(code, 1);
    assert.match(out, /one/);
    assert.doesNotMatch(out, /three/);
    assert.equal(
      err,
      `bad.sql:4: ERROR:  column "nothing" does not exist\nLINE 2:   'é', nothing\n${' '.repeat(15)}^\n`,
    );
  });

  test('an error of standard input or of a text ends with 1 as well', async () => {
    const piped = await sql([], 'select\n1/0;');
    assert.deepEqual(piped, { code: 1, out: '', err: '<stdin>:1: ERROR:  division by zero\n' });
    assert.deepEqual(await sql(['-c', 'select 1/0']), {
      code: 1,
      out: '',
      err: 'ERROR:  division by zero\n',
    });
  });

  test('a transaction that is left open is rolled back', async () => {
    await sql(['-c', 'begin; create table left_open (a int)']);
    assert.match((await sql(['-c', "select to_regclass('left_open') is null as gone"])).out, /^ t$/m);
  });

  test('COPY FROM STDIN and the commands of psql are refused in so many words', async () => {
    await sql(['-c', 'create table copied (a int)']);
    const copy = await sql(['-c', 'copy copied from stdin']);
    assert.equal(copy.code, 1);
    assert.match(copy.err, /psql does/);
    assert.deepEqual(await sql([], 'select 1 as a;\\q\nselect 2;'), {
      code: 0,
      out: ' a \n---\n 1\n(1 row)\n\n',
      err: '',
    });
    assert.deepEqual(await sql([], '\n\\d x\n'), {
      code: 1,
      out: '',
      err: '<stdin>:2: ERROR:  \\d is not a command here; psql has more\n',
    });
  });

  test('a file that is not there ends with 1', async () => {
    const { code, err } = await sql(['none.sql']);
    assert.equal(code, 1);
    assert.match(err, /^howdah: ENOENT.*none\.sql/);
  });

  test('it can be reached by its URL from elsewhere', async () => {
    using elsewhere = temporaryDirectory();
    const args = ['sql', '--url', server.gatewayUrl ?? '', '-c', 'select 1 as here'];
    assert.match((await runHowdah(args, { cwd: elsewhere.path })).out, /here/);
  });

  test('on a terminal it has a prompt, goes on after an error, and can drop what was typed', async () => {
    const stdin = Object.assign(new PassThrough(), { isTTY: true });
    const stdout = new PassThrough({ encoding: 'utf8' });
    const stderr = new PassThrough({ encoding: 'utf8' });
    let out = '';
    stdout.on('data', (text: string) => (out += text));
    const shown = async (pattern: RegExp): Promise<void> => {
      while (!pattern.test(out)) await once(stdout, 'data', { signal: AbortSignal.timeout(60_000) });
      out = '';
    };
    const settings = { dataDirectory: join(cwd, '.howdah'), url: null, command: null, file: null };
    const done = runSql(settings, { stdin, stdout, stderr });
    await shown(/\\\? for help[^]*howdah=> /);
    stdin.write('select 1\r');
    await shown(/howdah-> /);
    stdin.write('as typed;\r');
    await shown(/ typed \r?\n[^]*howdah=> /);
    stdin.write('select 1/0;\r');
    await shown(/howdah=> /);
    assert.match(String(stderr.read()), /^ERROR: {2}division by zero/);
    stdin.write("select 'open\r");
    await shown(/howdah-> /);
    stdin.write('\u0003');
    await shown(/howdah=> /);
    stdin.write('\u001b[A\u001b[A\r');
    await shown(/howdah=> select 1\/0;/);
    stdin.write('\\?\r');
    await shown(/leave[^]*howdah=> /);
    stdin.write('\\q\r');
    assert.equal(await done, 0);
  });

  test('its routes are listed, and the problems of those left out', async () => {
    await sql([], HELLO.replaceAll('hello', 'listed'));
    await sql([
      '-c',
      `create function many(request omni_httpd.http_request) returns setof omni_httpd.http_outcome
         begin atomic select omni_httpd.http_response('a'); end;
       insert into omni_httpd.urlpattern_router (match, handler) values (omni_httpd.urlpattern('/many'), 'many'::regproc);
       create function says_text(request omni_httpd.http_request) returns text return 'x';
       insert into omni_httpd.urlpattern_router (match, handler) values (omni_httpd.urlpattern('/text'), 'says_text'::regproc)`,
    ]);
    // The problems are written when the catalog has been compiled: this request is routed by the new one.
    await fetch(`${server.url}/listed`);
    const { code, out, err } = await runHowdah(['routes'], { cwd });
    assert.equal(code, 0, err);
    assert.match(out, /^ method +\| +host +\| +path +\| +priority +\| +handler +\| +kind +\| +router/);
    assert.match(
      out,
      /^ \* +\| \* +\| \/listed +\| +0 \| listed\(.*http_request\) +\| handler +\| .*urlpattern_router$/m,
    );
    assert.match(out, /\/text +\| +0 \| says_text\(.*\) +\| no outcome \|/);
    assert.match(out, /Left out:\n.*\n.*\n.*\/many.*many/);
    const json = JSON.parse((await runHowdah(['routes', '--json'], { cwd })).out) as Record<
      string,
      { handler: string }[]
    >;
    assert.ok(json['routes']?.some(({ handler }) => handler.startsWith('listed(')));
    assert.ok(json['problems']?.some(({ handler }) => handler.includes('many(')));
  });
});

describe('without a running server', () => {
  test('both say so and end with 5', async () => {
    using directory = temporaryDirectory();
    for (const args of [
      ['sql', '-c', 'select 1'],
      ['sql', '--data', '.', '-c', 'select 1'],
      ['sql', '--url', 'postgres://127.0.0.1:1', '-c', 'select 1'],
      ['routes'],
    ]) {
      const { code, out, err } = await runHowdah(args, { cwd: directory.path });
      assert.equal(code, 5, err);
      assert.equal(out, '');
      assert.match(err, /^howdah: no running server was found: .+\nhint: start one/);
    }
  });

  test('they say that one is there that admits no SQL clients', async () => {
    using directory = temporaryDirectory();
    await using server = await startServe(['--pg-listen', 'off'], { cwd: directory.path });
    assert.equal(server.gatewayUrl, null);
    const { code, err } = await runHowdah(['sql', '-c', 'select 1'], { cwd: directory.path });
    assert.equal(code, 5);
    assert.match(err, /admits no SQL clients: see its --pg-listen/);
  });

  test('a password of an URL is not shown', async () => {
    using directory = temporaryDirectory();
    const url = 'postgres://me:secret@127.0.0.1:1/db';
    const { err } = await runHowdah(['sql', '--url', url, '-c', 'select 1'], { cwd: directory.path });
    assert.doesNotMatch(err, /secret/);
  });
});

test('a server on a UNIX socket is found as well', async () => {
  using directory = temporaryDirectory();
  await using server = await startServe(['--pg-listen', './sql.sock'], { cwd: directory.path });
  assert.equal(server.process.child.exitCode, null);
  const { code, out, err } = await runHowdah(['sql', '-c', 'select 1 as here'], { cwd: directory.path });
  assert.equal(code, 0, err);
  assert.match(out, /here/);
});
