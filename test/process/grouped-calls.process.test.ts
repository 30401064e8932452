// Handlers that leave nothing behind, asked by many clients at once, so that calls of them share statements: each client gets what it gets
// when it asks alone. From outside, on the embedded engine and on a PostgreSQL server.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Client } from 'pg';
import { startServe, temporaryDirectory, type Served } from '../cli/howdah-process.ts';
import { startPostgres, testedPostgres, type TestPostgres } from '../support/postgres.ts';

const LOCK = 4713;

/** Values of each type, good ones and others; the texts that come of them are compared. */
const TYPES: Readonly<Record<string, readonly string[]>> = {
  integer: ['1', '-7', '+3', '007', '2147483648', 'x', ''],
  bigint: ['9007199254740993', '9223372036854775808'],
  numeric: ['1.50', 'NaN', 'one'],
  boolean: ['yes', 'f', 'maybe'],
  date: ['2026-02-28', '2026-02-30', 'today!'],
  timestamptz: ['2026-02-28T12:00:00Z', 'noon'],
  interval: ['1 day 2 hours', 'long'],
  uuid: ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'no-uuid'],
  text: ['a', 'größe', "it's", '{1,2}', 'NULL', '"', 'a\\b', ' '],
  varchar: ['abc'],
  '"char"': ['x'],
  'char(2)': ['abc'],
  name: ['n'.repeat(70)],
  bytea: ['\\x00ff', 'text', '\\xz'],
  json: ['{"a":[1,2]}', '{'],
  jsonb: ['{"b":1,"a":2}', '{'],
  inet: ['::1', '10.0.0.0/8', '10.0.0.256'],
  int4range: ['[1,3]', '[3,1]'],
  'integer[]': ['{1,2,NULL}', '{1', '1'],
  'text[]': ['{"a,b",c}'],
  'public.mood': ['sad', 'bored'],
  'public.even': ['4', '5'],
  'public.pair': ['(1,b)', '(1'],
  regclass: ['pg_class'],
};

function schema(): string {
  const routes = Object.entries(TYPES).map(
    ([type], i) => `
create function type_${i}(value ${type}) returns omni_httpd.http_outcome language sql stable
  return omni_httpd.http_response(coalesce(value::text, 'null') || ' ' || pg_typeof(value));
insert into omni_httpd.urlpattern_router (match, handler) values (omni_httpd.urlpattern('/type/${i}/:value'), 'type_${i}'::regproc);`,
  );
  return `
create type mood as enum ('sad', 'happy');
create domain even as int check (value % 2 = 0);
create type pair as (a int, b text);
${routes.join('\n')}
create function echo(request omni_httpd.http_request) returns omni_httpd.http_outcome language sql stable
  return omni_httpd.http_response(concat_ws('|', request.method, request.path, request.query_string, convert_from(request.body, 'UTF8'),
    omni_http.http_header_get(request.headers, 'x-name')));
create function listens(listener int) returns omni_httpd.http_outcome language sql stable
  return omni_httpd.http_response(listener::text);
create function plain() returns omni_httpd.http_outcome language plpgsql stable as $$
  begin return omni_httpd.http_response('plain'); end $$;
create function nothing(value text) returns void language plpgsql stable as $$ begin return; end $$;
create function two(value text, out other text, out outcome omni_httpd.http_outcome) language plpgsql stable as $$
  begin other := value; outcome := omni_httpd.http_response(value, status => 201); end $$;
create function odd_fails(n int) returns omni_httpd.http_outcome language plpgsql stable as $$
  begin if n % 2 = 1 then perform howdah.fail(404, format('no %s', n)); end if; return omni_httpd.http_response(n::text); end $$;
create function divides(n int) returns omni_httpd.http_outcome language sql stable return omni_httpd.http_response((12 / n)::text);

create function hidden_setting(name text) returns text language sql as $$ select set_config('app.who', name, false) $$;
create function becomes(name text) returns omni_httpd.http_outcome language plpgsql stable as $$
  begin perform hidden_setting(name); return omni_httpd.http_response(current_setting('app.who')); end $$;
create function sees(name text) returns omni_httpd.http_outcome language plpgsql stable as $$
  begin return omni_httpd.http_response(name || '=' || coalesce(current_setting('app.who', true), '')); end $$;
create function helper(name text) returns text language sql stable as $$ select name || coalesce(current_setting('app.who', true), '') $$;
create function helped(name text) returns omni_httpd.http_outcome language plpgsql stable as $$
  begin return omni_httpd.http_response(helper(name)); end $$;

create table labels (match omni_httpd.urlpattern, handler regprocedure, label text);
create function labelled(route labels) returns omni_httpd.http_outcome language sql stable
  return omni_httpd.http_response(coalesce(route.label, 'none'));
insert into labels values (omni_httpd.urlpattern('/label/one'), 'labelled(labels)'::regprocedure, 'it''s "one", (1)'),
  (omni_httpd.urlpattern('/label/two'), 'labelled(labels)'::regprocedure, null);
select howdah.poll_catalog();

create function waits(request omni_httpd.http_request, n int) returns omni_httpd.http_outcome language plpgsql stable as $$
begin
  if request.query_string = 'wait' then perform pg_advisory_xact_lock_shared(${LOCK}); end if;
  if request.query_string = 'sleep' then perform pg_sleep(60); end if;
  return omni_httpd.http_response(n::text);
end $$;
insert into omni_httpd.urlpattern_router (match, handler) values
  (omni_httpd.urlpattern('/echo/*'), 'echo'::regproc), (omni_httpd.urlpattern('/listens'), 'listens'::regproc),
  (omni_httpd.urlpattern('/plain'), 'plain'::regproc), (omni_httpd.urlpattern('/nothing/:value'), 'nothing'::regproc),
  (omni_httpd.urlpattern('/two/:value'), 'two'::regproc), (omni_httpd.urlpattern('/odd-fails/:n'), 'odd_fails'::regproc),
  (omni_httpd.urlpattern('/divides/:n'), 'divides'::regproc), (omni_httpd.urlpattern('/becomes/:name'), 'becomes'::regproc),
  (omni_httpd.urlpattern('/sees/:name'), 'sees'::regproc), (omni_httpd.urlpattern('/helped/:name'), 'helped'::regproc),
  (omni_httpd.urlpattern('/waits/:n'), 'waits'::regproc);
`;
}

const [postgres] = testedPostgres();

for (const kind of ['the embedded engine', 'a PostgreSQL server'] as const) {
  const isServer = kind === 'a PostgreSQL server';
  describe(
    `requests that come together, on ${kind}`,
    {
      skip: isServer && postgres === undefined && 'no PostgreSQL is installed',
      timeout: 180_000,
    },
    () => {
      const directory = temporaryDirectory();
      let server: TestPostgres | undefined;
      let served: Served;

      const serve = (arguments_: readonly string[], parameters = ''): Promise<Served> => {
        const database =
          server === undefined
            ? ['--memory', '--pg-listen', 'off']
            : [
                '--database',
                `postgres://postgres@/postgres?host=${encodeURIComponent(server.socketDir)}${parameters}`,
              ];
        return startServe([...database, ...arguments_], { cwd: directory.path });
      };

      before(async () => {
        if (isServer && postgres !== undefined) server = await startPostgres(postgres);
        const file = join(directory.path, 'schema.sql');
        writeFileSync(file, schema());
        const workers = isServer ? ['--workers', '1', '--sessions', '2'] : [];
        served = await serve([...workers, '--sql', file]);
      });
      after(async () => {
        await served?.[Symbol.asyncDispose]();
        await server?.stop();
        directory[Symbol.dispose]();
      });

      const ask = async (path: string, init: RequestInit = {}, of = served): Promise<string> => {
        const response = await fetch(new URL(path, of.url), init);
        const text = await response.text();
        if (text.startsWith('<!doctype')) return 'the welcome page';
        // That of an error has the number of its request.
        return response.status < 500 ? `${response.status} ${text}` : `${response.status}`;
      };
      const together = (paths: readonly string[], of = served): Promise<string[]> =>
        Promise.all(paths.map((path) => ask(path, {}, of)));
      /** What each gets by itself, and then, several times, all of them at once. */
      const sameAsAlone = async (paths: readonly string[]): Promise<string[]> => {
        const alone: string[] = [];
        for (const path of paths) alone.push(await ask(path));
        for (let round = 0; round < 4; round += 1) assert.deepEqual(await together(paths), alone);
        return alone;
      };

      it('get values of every type as they do alone', async () => {
        for (const [i, [type, values]] of Object.entries(TYPES).entries()) {
          const paths = values.map((value) => `/type/${i}/${encodeURIComponent(value)}`);
          const answers = await sameAsAlone([...paths, ...paths.toReversed(), ...paths]);
          assert.match(answers[0] ?? '', /^200 /, type);
          assert.ok(
            answers.every((answer) => /^(?:200|404|the welcome) /.test(answer)),
            `${type}: ${answers.join(', ')}`,
          );
        }
      });

      it('get their own request, body and headers', async () => {
        const made = Array.from({ length: 60 }, (_, i) => ({
          path: `/echo/${i}?q=${i}`,
          init: { method: 'POST', body: `body ${i} größe`, headers: { 'x-name': `name ${i}` } },
        }));
        for (let round = 0; round < 3; round += 1) {
          const answers = await Promise.all(made.map(({ path, init }) => ask(path, init)));
          for (const [i, answer] of answers.entries())
            assert.equal(answer, `200 POST|/echo/${i}|q=${i}|body ${i} größe|name ${i}`);
        }
      });

      it('get handlers of every shape', async () => {
        const [listener, plain, nothing, two, one] = await sameAsAlone(
          Array.from({ length: 8 }, (_, i) => [
            '/listens',
            '/plain',
            `/nothing/${i}`,
            `/two/${i}`,
            '/label/one',
            '/label/two',
          ]).flat(),
        );
        assert.match(listener ?? '', /^200 \d+$/);
        assert.deepEqual([plain, nothing, two, one], ['200 plain', '204 ', '204 ', `200 it's "one", (1)`]);
      });

      it('keep failures to those that fail', async () => {
        const numbers = Array.from({ length: 40 }, (_, i) => i);
        const answers = await sameAsAlone(numbers.map((n) => `/odd-fails/${n}`));
        assert.deepEqual(
          answers,
          numbers.map((n) => (n % 2 === 1 ? `404 no ${n}\n` : `200 ${n}`)),
        );
        const divided = await sameAsAlone(numbers.map((n) => `/divides/${n}`));
        assert.deepEqual(
          divided,
          numbers.map((n) => (n === 0 ? '500' : `200 ${Math.trunc(12 / n)}`)),
        );
      });

      it('see no setting of one another, not of a function either that is replaced meanwhile', async () => {
        const paths = Array.from({ length: 20 }, (_, i) => [`/becomes/b${i}`, `/sees/s${i}`]).flat();
        for (let round = 0; round < 4; round += 1) {
          const answers = await together(paths);
          if (isServer)
            assert.deepEqual(
              answers,
              paths.map((path) => {
                const name = path.slice(path.lastIndexOf('/') + 1);
                return path.startsWith('/becomes') ? `200 ${name}` : `200 ${name}=`;
              }),
            );
        }
        if (server === undefined) return;
        const client = new Client({ host: server.socketDir, user: 'postgres', database: 'postgres' });
        await client.connect();
        const helped = Array.from({ length: 20 }, (_, i) => `/helped/h${i}`);
        assert.deepEqual(
          await together(helped),
          helped.map((path) => `200 ${path.slice(8)}`),
        );
        await client.query(`create or replace function helper(name text) returns text language sql stable as $$
          select name || coalesce(current_setting('app.who', true), '') || left(set_config('app.who', name, false), 0) $$`);
        await client.end();
        for (let round = 0; round < 4; round += 1) {
          assert.deepEqual(
            await together(helped),
            helped.map((path) => `200 ${path.slice(8)}`),
          );
        }
      });

      if (!isServer) {
        it('have their answers when one of them is ended with the engine', async () => {
          const file = join(directory.path, 'loops.sql');
          writeFileSync(
            file,
            `create function loops(n int) returns omni_httpd.http_outcome language plpgsql stable as $$
            begin while n = 99 loop end loop; return omni_httpd.http_response(n::text); end $$;
            insert into omni_httpd.urlpattern_router (match, handler) values (omni_httpd.urlpattern('/loops/:n'), 'loops'::regproc)`,
          );
          await using limited = await startServe(
            [
              '--data',
              join(directory.path, 'data'),
              '--pg-listen',
              'off',
              '--handler-timeout',
              '1s',
              '--sql',
              file,
            ],
            { cwd: directory.path },
          );
          const quick = Array.from({ length: 12 }, (_, i) => `/loops/${i}`);
          for (let round = 0; round < 20; round += 1) await together(quick, limited);
          const answers = await together([...quick, '/loops/99', ...quick], limited);
          const expected = quick.map((_, i) => `200 ${i}`);
          assert.match(answers[12] ?? '', /^504$/);
          assert.deepEqual([...answers.slice(0, 12), ...answers.slice(13)], [...expected, ...expected]);
        });
        return;
      }

      it('do not wait long for one that waits, and that is the only one that has no answer in time', async () => {
        assert.ok(server !== undefined);
        const client = new Client({ host: server.socketDir, user: 'postgres', database: 'postgres' });
        await client.connect();
        const numbers = Array.from({ length: 30 }, (_, i) => i);
        const quick = numbers.map((n) => `/waits/${n}`);
        await using limited = await serve(['--workers', '1', '--sessions', '2', '--handler-timeout', '1s']);
        for (const each of [served, limited]) {
          for (let round = 0; round < 20; round += 1) await together(quick.slice(0, 8), each);
          await client.query('select pg_advisory_lock($1)', [LOCK]);
          const waiting = ask('/waits/99?wait', {}, each);
          assert.deepEqual(
            await together(quick, each),
            numbers.map((n) => `200 ${n}`),
          );
          if (each === limited) assert.match(await waiting, /^504$/);
          await client.query('select pg_advisory_unlock($1)', [LOCK]);
          if (each === served) assert.equal(await waiting, '200 99');
        }
        await client.end();
      });

      it('have nothing to do with the statement_timeout of one of them', async () => {
        const parameters = `&options=${encodeURIComponent('-c statement_timeout=2000')}`;
        await using limited = await serve(['--workers', '1', '--sessions', '1'], parameters);
        const quick = Array.from({ length: 12 }, (_, i) => `/waits/${i}`);
        for (let round = 0; round < 20; round += 1) await together(quick, limited);
        const answers = await together([...quick, '/waits/99?sleep', ...quick], limited);
        const expected = quick.map((_, i) => `200 ${i}`);
        assert.match(answers[12] ?? '', /^504$/);
        assert.deepEqual([...answers.slice(0, 12), ...answers.slice(13)], [...expected, ...expected]);
      });
    },
  );
}
