// What a PostgreSQL server refuses while howdah serves from it: serialization failures, deadlocks, locks, timeouts, a server that is
// read-only; and what is run again, or cancelled, because of it.
import assert from 'node:assert/strict';
import { connect as netConnect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { Client } from 'pg';
import { startServe, temporaryDirectory, type Served } from '../cli/howdah-process.ts';
import { startPostgres, testedPostgres, type TestPostgres } from '../support/postgres.ts';

const SCHEMA = `
create table entry (id int primary key, text text);
insert into entry values (1, ''), (2, '');
create sequence tries;
create function make_route(path text, kind text, body text) returns void language plpgsql as $$
begin
  execute format('create function %I(request omni_httpd.http_request) returns omni_httpd.http_outcome language plpgsql %s as %L',
    'at_' || translate(path, '/', ''), kind, body);
  insert into omni_httpd.urlpattern_router (match, handler)
  values (omni_httpd.urlpattern(path), to_regproc('at_' || translate(path, '/', '')));
end $$;
-- Sequences are not rolled back.
select make_route('/third-time', 'stable', $$ begin
  if nextval('tries') % 3 <> 0 then raise 'not yet' using errcode = 'serialization_failure'; end if;
  return omni_httpd.http_response('served'); end $$);
select make_route('/never', 'stable', $$ begin
  perform nextval('tries'); raise 'never' using errcode = 'deadlock_detected'; end $$);
select make_route('/write-third-time', 'volatile', $$ begin
  if nextval('tries') % 3 <> 0 then raise 'not yet' using errcode = 'serialization_failure'; end if;
  return omni_httpd.http_response('written'); end $$);
select make_route('/swap', 'volatile', $$ declare one int := request.query_string::int; begin
  update entry set text = 'x' where id = one; perform pg_sleep(0.3); update entry set text = 'y' where id = 3 - one;
  return omni_httpd.http_response('swapped'); end $$);
select make_route('/impatient', 'volatile', $$ begin
  perform set_config('lock_timeout', '20ms', true); update entry set text = 'z' where id = 1;
  return omni_httpd.http_response('updated'); end $$);
select make_route('/insert', 'volatile', $$ begin
  insert into entry values (3, '') on conflict do nothing; return omni_httpd.http_response('inserted'); end $$);
select make_route('/sleep-' || kind, kind, $$ begin perform pg_sleep(3600); return omni_httpd.http_response('slept'); end $$)
from (values ('stable'), ('volatile')) as kinds (kind);
insert into howdah.handler_options (handler, cancel_on_disconnect)
values ('"at_sleep-volatile"(omni_httpd.http_request)', true);
`;

const [postgres] = testedPostgres();

describe(
  'howdah on a PostgreSQL server that refuses',
  { skip: postgres === undefined && 'no PostgreSQL is installed' },
  () => {
    const directory = temporaryDirectory();
    let server: TestPostgres;
    let served: Served;
    let sql: Client;
    let admin: Client;

    const connect = async (user: string): Promise<Client> => {
      const client = new Client({ host: server.socketDir, user, database: user });
      client.on('error', () => undefined);
      await client.connect();
      return client;
    };
    const ask = async (path: string, init: RequestInit = {}) => {
      const response = await fetch(new URL(path, served.url), init);
      return {
        status: response.status,
        body: await response.text(),
        retryAfter: response.headers.get('retry-after'),
      };
    };
    const tries = async (): Promise<number> =>
      Number((await sql.query<{ n: string }>('select last_value as n from tries')).rows[0]?.n);
    const activity = async (condition: string): Promise<number> => {
      for (;;) {
        const { rows } = await admin.query<{ pid: number }>(
          `select pid from pg_stat_activity where datname = 'app' and application_name = 'howdah' and ${condition}`,
        );
        if (rows[0] !== undefined) return rows[0].pid;
      }
    };
    /** Sets something for the role and ends the sessions that do not have it yet. */
    const setForRole = async (setting: string): Promise<void> => {
      await admin.query(`alter role app ${setting}`);
      await admin.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'howdah'`,
      );
    };

    before(async () => {
      server = await startPostgres(postgres);
      admin = await connect('postgres');
      await admin.query('create role app login');
      await admin.query('create database app owner app');
      served = await startServe(
        [
          '--database',
          `postgres://app@/app?host=${encodeURIComponent(server.socketDir)}`,
          '--workers',
          '1',
          '--sessions',
          '4',
        ],
        { cwd: directory.path },
      );
      sql = await connect('app');
      await sql.query(SCHEMA);
    });
    after(async () => {
      await Promise.allSettled([sql?.end(), admin?.end(), served?.[Symbol.asyncDispose]()]);
      await server?.stop();
      directory[Symbol.dispose]();
    });

    it('runs what changes nothing again after a serialization failure', async () => {
      await sql.query("select setval('tries', 3)");
      assert.deepEqual(await ask('/third-time'), { status: 200, body: 'served', retryAfter: null });
      assert.equal(await tries(), 6);
    });

    it('gives up after three more attempts, and asks the client to come again', async () => {
      const before = await tries();
      const { status, retryAfter } = await ask('/never');
      assert.equal(status, 503);
      assert.match(retryAfter ?? '', /^\d+$/);
      assert.equal(await tries(), before + 4);
    });

    it('runs a volatile handler again where howdah.handler_options says so, and only then', async () => {
      await sql.query("select setval('tries', 3)");
      assert.equal((await ask('/write-third-time')).status, 503);
      assert.equal(await tries(), 4);
      await sql.query("select setval('tries', 3)");
      await sql.query(
        `insert into howdah.handler_options (handler, retry) values ('"at_write-third-time"(omni_httpd.http_request)', true)`,
      );
      assert.deepEqual(await ask('/write-third-time'), { status: 200, body: 'written', retryAfter: null });
      assert.equal(await tries(), 6);
    });

    it('answers one of two that wait for one another with 503, and with the other soon where it may run again', async () => {
      const deadlocked = async (): Promise<number[]> =>
        (await Promise.all([ask('/swap?1'), ask('/swap?2')]))
          .map(({ status }) => status)
          .sort((one, other) => one - other);
      // Sessions are opened as they are needed: the first two may find one, and follow one another.
      let statuses = await deadlocked();
      while (!statuses.includes(503)) statuses = await deadlocked();
      assert.deepEqual(statuses, [200, 503]);
      await sql.query(
        "insert into howdah.handler_options (handler, retry) values ('at_swap(omni_httpd.http_request)', true)",
      );
      assert.deepEqual(await deadlocked(), [200, 200]);
    });

    it('answers with 503 where a lock is not to be had in time, and when it is with what was asked for', async () => {
      await sql.query('begin');
      await sql.query("update entry set text = 'mine' where id = 1");
      const { status, retryAfter } = await ask('/impatient');
      await sql.query('rollback');
      assert.equal(status, 503);
      assert.notEqual(retryAfter, null);
      assert.equal((await ask('/impatient')).status, 200);
    });

    it('serves what it knows while a long transaction of another client holds a router, and 503 once it would have to read that', async () => {
      const other = await connect('app');
      try {
        await other.query('begin');
        await other.query("update omni_httpd.urlpattern_router set handler = 'at_insert'::regproc");
        await other.query('lock table omni_httpd.urlpattern_router in access exclusive mode');
        const statuses = await Promise.all(
          Array.from({ length: 20 }, async () => (await ask('/insert')).status),
        );
        assert.deepEqual(new Set(statuses), new Set([200]));
        // From now on the routes that it knows may be others.
        await sql.query(
          "insert into howdah.handler_options (handler, retry) values ('at_insert(omni_httpd.http_request)', true)",
        );
        const { status, retryAfter } = await ask('/insert');
        assert.equal(status, 503);
        assert.match(retryAfter ?? '', /^\d+$/);
        await other.query('rollback');
        assert.deepEqual(await ask('/insert'), { status: 200, body: 'inserted', retryAfter: null });
      } finally {
        await other.end();
      }
    });

    for (const path of ['/sleep-volatile', '/sleep-stable']) {
      it(`cancels ${path} when its client leaves`, async () => {
        const client = netConnect(Number(new URL(served.url).port), '127.0.0.1');
        client.on('error', () => undefined);
        client.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
        const pid = await activity("query like '%at_sleep-%' and state = 'active'");
        // A client that closes in good order may still want its answer.
        client.resetAndDestroy();
        await activity(`pid = ${pid} and state = 'idle'`);
      });
    }

    /** What is sent to a session before its end has become known is lost with it. */
    const askNewSession = async (path: string): ReturnType<typeof ask> => {
      for (;;) {
        const answer = await ask(path);
        if (answer.status !== 500) return answer;
      }
    };

    it('answers with 504 where statement_timeout of the role ends a handler', async () => {
      await setForRole("set statement_timeout = '300ms'");
      assert.equal((await askNewSession('/sleep-volatile')).status, 504);
      await setForRole('reset statement_timeout');
    });

    it('answers with 503 while the server takes no writes', async () => {
      await setForRole('set default_transaction_read_only = on');
      const { status, retryAfter } = await askNewSession('/insert');
      assert.equal(status, 503);
      assert.notEqual(retryAfter, null);
      await setForRole('reset default_transaction_read_only');
      assert.equal((await askNewSession('/insert')).status, 200);
    });
  },
);
