// `howdah serve` from outside through PgBouncer in transaction mode, with a way past it and without: what is served, and that nothing
// is left in the backends, which are everybody's.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Client } from 'pg';
import { application, route, serve } from '../../src/index.ts';
import { startServe, temporaryDirectory, type Served } from '../cli/howdah-process.ts';
import { EventSourceClient } from '../live/event-source.ts';
import { Client as WebSocketClient } from '../server/websocket-fixture.ts';
import { hasPgBouncer, startPgBouncer, type TestPgBouncer } from '../support/pgbouncer.ts';
import { availablePostgres, startPostgres, type TestPostgres } from '../support/postgres.ts';

const BACKENDS = 2;

const LEAVES = `
  perform set_config('app.secret', request.query_string, false);
  perform set_config('statement_timeout', '77777', false);
  perform pg_advisory_lock(7);
  create temp table if not exists remains (n int);`;

const SCHEMA = `
create table entry (id int generated always as identity primary key, text text);
create table pair (id int primary key, other int references pair deferrable initially deferred);
create function make_route(path text, kind text, body text) returns void language plpgsql as $$
begin
  execute format('create function %I(request omni_httpd.http_request) returns omni_httpd.http_outcome language plpgsql %s as %L',
    'at_' || path, kind, body);
  insert into omni_httpd.urlpattern_router (match, handler)
  values (omni_httpd.urlpattern('/' || path), to_regproc('at_' || path));
end $$;
select make_route('count', 'stable', $$ begin return omni_httpd.http_response((select count(*)::text from entry)); end $$);
select make_route('secret', 'stable', $$ begin
  return omni_httpd.http_response(coalesce(current_setting('app.secret', true), '')); end $$);
select make_route('add', 'volatile', $$ begin
  insert into entry (text) values (request.query_string); return omni_httpd.http_response(request.query_string); end $$);
select make_route('dangling', 'volatile', $$ begin
  perform set_config('app.secret', 'dangling', false); perform pg_advisory_lock(7);
  insert into pair values (1, 2); return omni_httpd.http_response('added'); end $$);
select make_route('leaves', 'volatile', $$ begin ${LEAVES} return omni_httpd.http_response('left'); end $$);
select make_route('fails', 'volatile', $$ begin ${LEAVES} raise exception 'no'; end $$);
create procedure commits(request omni_httpd.http_request, out outcome omni_httpd.http_outcome) language plpgsql as $$
begin
  insert into entry (text) values ('kept'); ${LEAVES} commit;
  insert into entry (text) values ('undone'); rollback;
  outcome := omni_httpd.http_response('committed');
end $$;
create procedure breaks(request omni_httpd.http_request, out outcome omni_httpd.http_outcome) language plpgsql as $$
begin ${LEAVES} commit; raise exception 'after its commit'; end $$;
create table slow (id int);
create function sleeps() returns trigger language plpgsql as $$ begin perform pg_sleep(3600); return null; end $$;
create constraint trigger sleeps after insert on slow deferrable initially deferred for each row execute function sleeps();
select make_route('slow', 'volatile', $$ begin insert into slow values (1); return omni_httpd.http_response('never'); end $$);
create function news(request omni_httpd.http_request) returns omni_httpd.http_outcome language sql stable
  return howdah.event_stream('news');
create function tell(request omni_httpd.http_request) returns omni_httpd.http_outcome language plpgsql as $$
begin
  perform howdah.publish('news', null, request.query_string); return omni_httpd.http_response('told');
end $$;
create or replace function omni_httpd.websocket_handler(listener int, socket uuid, request omni_httpd.http_request)
returns bool language sql return true;
create or replace function omni_httpd.websocket_on_message(uuid, text) returns void language plpgsql as $$
begin
  perform set_config('app.secret', $2, false);
  perform omni_httpd.websocket_send($1, 'echo ' || $2);
end $$;
insert into omni_httpd.urlpattern_router (match, handler)
  values (omni_httpd.urlpattern('/news'), 'news'::regproc), (omni_httpd.urlpattern('/tell*?'), 'tell'::regproc);
insert into omni_httpd.urlpattern_router (match, handler)
  values (omni_httpd.urlpattern('/commits'), 'commits'::regproc), (omni_httpd.urlpattern('/breaks'), 'breaks'::regproc);
`;

const [postgres] = availablePostgres();
const missing =
  postgres === undefined ? 'no PostgreSQL is installed' : !hasPgBouncer() && 'no PgBouncer is installed';

it('there is a pooler to serve through', { skip: missing }, () => {
  assert.ok(hasPgBouncer());
});

for (const direct of [true, false]) {
  const way = direct ? 'and a way past it' : 'alone';
  describe(`howdah on a pooler in transaction mode, ${way}`, { skip: missing, timeout: 120_000 }, () => {
    const directory = temporaryDirectory();
    let server: TestPostgres;
    let pooler: TestPgBouncer;
    let served: Served;
    let sql: Client;

    const url = (port: number): string =>
      `postgres://app@/app?host=${encodeURIComponent(server.socketDir)}&port=${port}`;
    const connect = async (port: number, user = 'app', database = user): Promise<Client> => {
      const client = new Client({ host: server.socketDir, port, user, database });
      client.on('error', () => undefined);
      await client.connect();
      return client;
    };
    const ask = async (path: string): Promise<{ status: number; body: string }> => {
      const response = await fetch(new URL(path, served.url));
      return { status: response.status, body: await response.text() };
    };
    /** What a statement gives in each of the backends of the pooler. */
    const inEachBackend = async (text: string): Promise<unknown[]> => {
      const clients = await Promise.all(Array.from({ length: BACKENDS }, () => connect(pooler.port)));
      try {
        const rows: unknown[] = [];
        const backends = new Set<number>();
        for (const client of clients) {
          await client.query('begin');
          const { rows: found } = await client.query<{ pid: number }>(
            `select pg_backend_pid() as pid, ${text}`,
          );
          const { pid = 0, ...row } = found[0] ?? {};
          backends.add(pid);
          rows.push(row);
        }
        assert.equal(backends.size, BACKENDS);
        for (const client of clients) await client.query('rollback');
        return rows;
      } finally {
        await Promise.all(clients.map((client) => client.end()));
      }
    };

    before(async () => {
      server = await startPostgres(postgres);
      const admin = await connect(server.port, 'postgres');
      await admin.query('create role app login');
      await admin.query('create database app owner app');
      await admin.end();
      pooler = await startPgBouncer(server, 'app', BACKENDS);
      const past = direct ? ['--direct-url', url(server.port)] : [];
      served = await startServe(['--database', url(pooler.port), ...past, '--workers', '2'], {
        cwd: directory.path,
      });
      sql = await connect(server.port);
      await sql.query(SCHEMA);
      while ((await ask('/count')).body !== '0');
    });
    after(async () => {
      // Whatever of it a failed start has left.
      await Promise.allSettled([sql?.end(), served?.[Symbol.asyncDispose]()]);
      await pooler?.stop();
      await server?.stop();
      directory[Symbol.dispose]();
    });

    it(
      direct
        ? 'answers a route that was inserted by another connection at once'
        : 'answers a route that was inserted by another connection soon',
      async () => {
        for (let i = 0; i < (direct ? 10 : 2); i += 1) {
          await sql.query(
            `insert into omni_httpd.urlpattern_router (match, handler) values (omni_httpd.urlpattern($1), 'at_count'::regproc)`,
            [`/new-${i}`],
          );
          if (!direct) while ((await ask(`/new-${i}`)).body !== '0');
          assert.equal((await ask(`/new-${i}`)).body, '0');
        }
      },
    );

    it('opens a listener that was inserted by another connection', async () => {
      const { rows } = await sql.query<{ id: number }>(
        "insert into omni_httpd.listeners (address, port) values ('127.0.0.1', 0) returning id",
      );
      let port = 0;
      while (port === 0) {
        const { rows: found } = await sql.query<{ port: number }>(
          'select effective_port as port from omni_httpd.listeners where id = $1',
          [rows[0]?.id],
        );
        port = found[0]?.port ?? 0;
      }
      assert.equal(await (await fetch(`http://127.0.0.1:${port}/count`)).text(), '0');
    });

    it('runs many calls at once over few backends, each once', async () => {
      const paths = Array.from({ length: 60 }, (_, i) => `/add?${i}`);
      const answers = await Promise.all(paths.map(ask));
      assert.deepEqual(
        answers,
        paths.map((path) => ({ status: 200, body: path.split('?')[1] ?? '' })),
      );
      const { rows } = await sql.query<{ n: number }>('select count(distinct text)::int as n from entry');
      assert.equal(rows[0]?.n, paths.length);
      assert.equal((await ask('/count')).body, String(paths.length));
    });

    it('says that a call failed whose transaction cannot be committed', async () => {
      assert.equal((await ask('/dangling')).status, 500);
      assert.deepEqual((await sql.query('select from pair')).rows, []);
    });

    it('lets a procedure commit and roll back', async () => {
      assert.deepEqual(await ask('/commits?x'), { status: 200, body: 'committed' });
      const { rows } = await sql.query("select text from entry where text in ('kept', 'undone')");
      assert.deepEqual(rows, [{ text: 'kept' }]);
    });

    it('tells those who listen to an event stream what is published, in order', async () => {
      const clients = await Promise.all([1, 2, 3].map(() => EventSourceClient.open(`${served.url}/news`)));
      for (let i = 0; i < 20; i += 1) assert.equal((await ask(`/tell?${i}`)).status, 200);
      const expected = Array.from({ length: 20 }, (_, i) => `message ${i}`);
      for (const client of clients) {
        assert.deepEqual(await client.untilTexts(20), expected);
        client.close();
      }
    });

    it('answers the messages of WebSockets, and leaves nothing of that in the backends', async () => {
      const clients = await Promise.all(
        [1, 2, 3].map(() => WebSocketClient.open(`${served.url.replace('http', 'ws')}/`)),
      );
      for (const client of clients) for (let i = 0; i < 10; i += 1) client.send(`hello ${i}`);
      for (const client of clients) {
        const heard = await client.until(10);
        assert.deepEqual(
          heard,
          Array.from({ length: 10 }, (_, i) => `echo hello ${i}`),
        );
        await client.close();
      }
      assert.equal((await ask('/secret')).body, '');
    });

    it('gives handlers in TypeScript a session for a transaction, and ends a commit that takes too long', async () => {
      const app = application({
        routes: [
          route('GET /twice', async (_request, { db }) => {
            const rows = await db.transaction(async (sql) => {
              await sql.query("select set_config('app.secret', 'typescript', true)");
              return sql.query<{ secret: string }>("select current_setting('app.secret') as secret");
            });
            return new Response(rows[0]?.secret);
          }),
        ],
      });
      const running = await serve(app, {
        database: url(pooler.port),
        handlerTimeoutMs: 5000,
        ...(direct ? { directUrl: url(server.port) } : {}),
      });
      try {
        const answers = await Promise.all(Array.from({ length: 8 }, () => running.inject('/twice')));
        for (const answer of answers) assert.equal(await answer.text(), 'typescript');
        // What sleeps is a deferred trigger.
        assert.equal((await running.inject('/slow')).status, 504);
        assert.deepEqual((await sql.query('select from slow')).rows, []);
        assert.equal((await ask('/secret')).body, '');
      } finally {
        await running.close(1000);
      }
    });

    for (const path of ['leaves', 'fails', 'commits', 'breaks', 'dangling']) {
      it(`leaves nothing of a handler in the backends (/${path})`, async () => {
        const given = await Promise.all(Array.from({ length: 8 }, (_, i) => ask(`/${path}?${i}`)));
        const expected = path === 'leaves' || path === 'commits' ? 200 : 500;
        assert.deepEqual(new Set(given.map(({ status }) => status)), new Set([expected]));
        assert.equal((await ask('/secret')).body, '');
        const clean = { secret: '', limit: '0', remains: null, prepared: 0, locks: 0 };
        assert.deepEqual(
          await inEachBackend(
            `coalesce(current_setting('app.secret', true), '') as secret, current_setting('statement_timeout') as limit,
             to_regclass('pg_temp.remains')::text as remains,
             (select count(*)::int from pg_prepared_statements) as prepared,
             (select count(*)::int from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()) as locks`,
          ),
          Array.from({ length: BACKENDS }, () => clean),
        );
      });
    }
  });
}
