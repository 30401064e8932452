// `howdah serve --database` from outside, against PostgreSQL servers of each installed version, as an ordinary role that owns its
// database: routes from other connections, and what goes wrong with a server.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Client } from 'pg';
import {
  HowdahProcess,
  runHowdah,
  startServe,
  temporaryDirectory,
  type Served,
} from '../cli/howdah-process.ts';
import { startPostgres, testedPostgres, type TestPostgres } from '../support/postgres.ts';

const SCHEMA = `
create table entry (id int generated always as identity primary key, text text);
create function make_route(path text, kind text, body text) returns void language plpgsql as $$
begin
  execute format('create function %I(request omni_httpd.http_request) returns omni_httpd.http_outcome language plpgsql %s as %L',
    'at_' || translate(path, '/', ''), kind, body);
  insert into omni_httpd.urlpattern_router (match, handler)
  values (omni_httpd.urlpattern(path), to_regproc('at_' || translate(path, '/', '')));
end $$;
select make_route('/count', 'stable', $$ begin return omni_httpd.http_response((select count(*)::text from entry)); end $$);
select make_route('/add', 'volatile', $$ begin
  insert into entry (text) values (request.query_string); return omni_httpd.http_response('added'); end $$);
select make_route('/sleep', 'stable', $$ begin
  perform pg_sleep(request.query_string::float); return omni_httpd.http_response('slept'); end $$);
select make_route('/hold', 'volatile', $$ begin perform pg_sleep(1.2); return omni_httpd.http_response('held'); end $$);
select make_route('/loop', 'volatile', $$ begin loop perform 1; end loop; end $$);
select make_route('/deaf', 'volatile', $$ begin
  loop begin perform pg_sleep(600); exception when query_canceled then null; end; end loop; end $$);
select make_route('/pid', 'stable', $$ begin return omni_httpd.http_response(pg_backend_pid()::text); end $$);
create procedure commits(request omni_httpd.http_request, out outcome omni_httpd.http_outcome) language plpgsql as $$
begin
  insert into entry (text) values ('kept'); commit;
  insert into entry (text) values ('undone'); rollback;
  outcome := omni_httpd.http_response('committed');
end $$;
insert into omni_httpd.urlpattern_router (match, handler) values (omni_httpd.urlpattern('/commits'), 'commits'::regproc);
`;

const installed = testedPostgres();

/** Requests one after another from several clients, until `stop`; statuses of all that were answered. */
function load(
  url: string,
  clients: number,
): { stop(): Promise<number[]>; sees(status: number): Promise<void> } {
  const statuses: number[] = [];
  const end = new AbortController();
  let waiting: { status: number; resolve: () => void } | null = null;
  const run = async (): Promise<void> => {
    while (!end.signal.aborted) {
      const { status } = await fetch(url);
      statuses.push(status);
      if (waiting?.status === status) waiting.resolve();
    }
  };
  const running = Array.from({ length: clients }, run);
  return {
    async stop() {
      end.abort();
      await Promise.all(running);
      return statuses;
    },
    sees: (status) =>
      new Promise((resolve) => {
        waiting = { status, resolve };
      }),
  };
}

it(
  'there is a server to serve from',
  { skip: installed.length === 0 && 'no PostgreSQL is installed' },
  () => {
    assert.ok(installed.length > 0);
  },
);

for (const postgres of installed) {
  describe(`howdah on PostgreSQL ${postgres.version}`, { timeout: 180_000 }, () => {
    const directory = temporaryDirectory();
    let server: TestPostgres;
    let database: string;
    let served: Served;
    let sql: Client;
    let admin: Client;

    const connect = async (user: string): Promise<Client> => {
      const client = new Client({ host: server.socketDir, port: server.port, user, database: user });
      client.on('error', () => undefined);
      await client.connect();
      return client;
    };
    const ask = async (path: string, init: RequestInit = {}): Promise<{ status: number; body: string }> => {
      const response = await fetch(new URL(path, served.url), init);
      return { status: response.status, body: await response.text() };
    };
    /** Until the table of sessions shows what is waited for: nobody tells of it. */
    const activity = async (condition: string): Promise<number> => {
      for (;;) {
        const { rows } = await admin.query<{ pid: number }>(
          `select pid from pg_stat_activity where datname = 'app' and application_name = 'howdah' and ${condition}`,
        );
        if (rows[0] !== undefined) return rows[0].pid;
      }
    };

    before(async () => {
      server = await startPostgres(postgres);
      admin = await connect('postgres');
      await admin.query('create role app login');
      await admin.query('create database app owner app');
      // The test server commits without waiting for its disk; after a crash, what was answered is to be there.
      await admin.query('alter database app set synchronous_commit = on');
      database = `postgres://app@/app?host=${encodeURIComponent(server.socketDir)}`;
      served = await startServe(['--database', database, '--sessions', '4', '--handler-timeout', '1500ms'], {
        cwd: directory.path,
      });
      sql = await connect('app');
      await sql.query(SCHEMA);
    });
    after(async () => {
      // Whatever of it a failed start has left.
      await Promise.allSettled([sql?.end(), admin?.end(), served?.[Symbol.asyncDispose]()]);
      await server?.stop();
      directory[Symbol.dispose]();
    });

    it('says what it serves from', () => {
      assert.match(
        served.process.out,
        new RegExp(`PostgreSQL ${postgres.version}\\.\\d+ at \\S+:5432/app · \\d+ workers?`),
      );
      assert.equal(served.gatewayUrl, null);
    });

    it('answers a route that was inserted by another connection at once', async () => {
      for (let i = 0; i < 20; i += 1) {
        const path = `/at-once-${i}`;
        assert.notEqual((await ask(path)).body, '0');
        await sql.query(
          `insert into omni_httpd.urlpattern_router (match, handler) values (omni_httpd.urlpattern($1), 'at_count'::regproc)`,
          [path],
        );
        assert.equal((await ask(path)).body, '0');
        await sql.query('delete from omni_httpd.urlpattern_router where (match).pathname = $1', [path]);
        assert.notEqual((await ask(path)).body, '0');
      }
    });

    it('lets a procedure commit and roll back, and refuses it too when the catalog has moved on', async () => {
      assert.deepEqual(await ask('/commits'), { status: 200, body: 'committed' });
      const { rows } = await sql.query("select string_agg(text, ',') as texts from entry");
      assert.deepEqual(rows, [{ texts: 'kept' }]);
      await sql.query(
        `create procedure commits2(request omni_httpd.http_request, out outcome omni_httpd.http_outcome) language plpgsql as
         $$ begin outcome := omni_httpd.http_response('the second'); end $$;
         update omni_httpd.urlpattern_router set handler = 'commits2'::regproc where handler = 'commits'::regproc`,
      );
      assert.deepEqual(await ask('/commits'), { status: 200, body: 'the second' });
    });

    it('guards a procedure without arguments as well', async () => {
      await sql.query(
        `create procedure bare() language plpgsql as $$ begin insert into entry (text) values ('bare'); commit; end $$;
         insert into omni_httpd.urlpattern_router (match, handler) values (omni_httpd.urlpattern('/bare'), 'bare'::regproc)`,
      );
      assert.equal((await ask('/bare')).status, 204);
      await sql.query("delete from omni_httpd.urlpattern_router where handler = 'bare'::regproc");
      assert.notEqual((await ask('/bare')).status, 204);
      assert.equal((await sql.query("select from entry where text = 'bare'")).rows.length, 1);
    });

    it('fails a procedure that divides by zero, once', async () => {
      await sql.query(
        `create procedure divides(request omni_httpd.http_request) language plpgsql as
         $$ begin insert into entry (text) values ('divided'); commit; perform 1 / length(''); end $$;
         insert into omni_httpd.urlpattern_router (match, handler) values (omni_httpd.urlpattern('/divides'), 'divides'::regproc)`,
      );
      assert.equal((await ask('/divides')).status, 500);
      assert.equal((await sql.query("select from entry where text = 'divided'")).rows.length, 1);
    });

    it('runs quick calls while long ones run', async () => {
      const slow = Array.from({ length: 3 }, () => ask('/sleep?1'));
      await activity("query like '%at_sleep%' and state = 'active'");
      assert.equal((await ask('/count')).status, 200);
      const states = await Promise.all(slow);
      assert.deepEqual(
        states.map(({ status }) => status),
        [200, 200, 200],
      );
    });

    for (const path of ['/loop', '/sleep?600']) {
      it(`ends ${path} with 504, and goes on with the session`, async () => {
        const [ended, other] = await Promise.all([ask(path), ask('/count')]);
        assert.deepEqual([ended.status, other.status], [504, 200]);
        assert.equal((await ask('/count')).status, 200);
      });
    }

    it('ends the session of a handler that ignores its cancellation', async () => {
      assert.equal((await ask('/deaf')).status, 504);
      for (let running = 1; running > 0;) {
        const { rows } = await admin.query(
          "select from pg_stat_activity where query like '%at_deaf%' and pid <> pg_backend_pid()",
        );
        running = rows.length;
      }
      assert.equal((await ask('/count')).status, 200);
    });

    it('loses only the request that runs in a session that an administrator ends', async () => {
      const victim = ask('/hold');
      const pid = await activity("query like '%at_hold%' and state = 'active'");
      const others = Promise.all(Array.from({ length: 20 }, () => ask('/count')));
      await admin.query('select pg_terminate_backend($1)', [pid]);
      assert.equal((await victim).status, 500);
      assert.deepEqual(new Set((await others).map(({ status }) => status)), new Set([200]));
    });

    it('runs what changes nothing once more where its session is ended', async () => {
      const victim = ask('/sleep?1.2');
      const pid = await activity("query like '%at_sleep%' and state = 'active'");
      await admin.query('select pg_terminate_backend($1)', [pid]);
      assert.equal((await victim).status, 200);
    });

    for (const mode of ['fast', 'crash'] as const) {
      it(`waits for a server that stops (${mode}) and starts under load, and answers soon`, async () => {
        const { rows: before } = await sql.query<{ n: number }>('select count(*)::int as n from entry');
        const traffic = load(new URL('/add?once', served.url).href, 8);
        await traffic.sees(200);
        await sql.end().catch(() => undefined);
        await admin.end().catch(() => undefined);
        await server.shutDown(mode);
        await server.startAgain();
        await traffic.sees(200);
        const statuses = await traffic.stop();
        sql = await connect('app');
        admin = await connect('postgres');
        assert.deepEqual(
          statuses.filter((status) => ![200, 500, 503].includes(status)),
          [],
        );
        const { rows: now } = await sql.query<{ n: number }>('select count(*)::int as n from entry');
        const added = (now[0]?.n ?? 0) - (before[0]?.n ?? 0);
        const ok = statuses.filter((status) => status === 200).length;
        // Without fsync a crash of the server alone loses nothing either; what failed may have been committed.
        assert.ok(
          added >= ok && added <= statuses.length,
          `${added} rows, ${ok} of ${statuses.length} answered 200`,
        );
      });
    }

    it('says so where the server has no room, at the start, and goes on with fewer sessions later', async () => {
      const { rows } = await admin.query<{ count: number }>(
        "select count(*)::int from pg_stat_activity where datname = 'app' and usename = 'app'",
      );
      await admin.query(`alter role app connection limit ${rows[0]?.count ?? 0}`);
      try {
        const refused = await runHowdah(['serve', '--database', database], { cwd: directory.path });
        assert.equal(refused.code, 5);
        assert.match(refused.err, /too many connections for role "app"/);
        const slow = Array.from({ length: 6 }, () => ask('/sleep?0.2'));
        assert.deepEqual(new Set((await Promise.all(slow)).map(({ status }) => status)), new Set([200]));
      } finally {
        await admin.query('alter role app connection limit -1');
      }
    });

    it('is installed by howdah install, or by the SQL that it prints, and upgraded where something is missing', async () => {
      await admin.query('create role other login');
      for (const name of ['one', 'two']) await admin.query(`create database ${name} owner other`);
      const url = (name: string): string => database.replace('app@/app', `other@/${name}`);
      const install = (name: string, ...options: string[]) =>
        runHowdah(['install', '--database', url(name), ...options], { cwd: directory.path });
      const printed = await install('two', '--dry-run');
      assert.match(printed.err, /would be installed/);
      const two = new Client({ connectionString: url('two') });
      await two.connect();
      assert.equal((await two.query("select to_regnamespace('howdah') as schema")).rows[0]?.schema, null);
      await two.query(printed.out);
      await two.end();
      for (const [name, first] of [
        ['one', /the schema installed/],
        ['two', /up to date/],
      ] as const) {
        assert.match((await install(name)).out, first);
        assert.match((await install(name)).out, /up to date/);
      }
      await admin.query('create role guest login');
      const refused = await runHowdah(['install', '--database', url('one').replace('other@', 'guest@')], {
        cwd: directory.path,
      });
      assert.equal(refused.code, 1);
    });

    it('drains when it is told to end', async () => {
      const last = ask('/sleep?0.5');
      await activity("query like '%at_sleep%' and state = 'active'");
      served.process.child.kill('SIGTERM');
      assert.equal((await last).status, 200);
      assert.equal((await served.process.ended()).code, 0);
    });

    it('refuses what is no connection string, without repeating it', async () => {
      const { code, err } = await new HowdahProcess(['serve', '--database', 'mysql://app:secret@host/x'], {
        cwd: directory.path,
      }).ended();
      assert.equal(code, 2);
      assert.doesNotMatch(err, /secret/);
    });
  });
}
