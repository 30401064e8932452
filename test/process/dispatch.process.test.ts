// Which calls wait for which, from outside, on a PostgreSQL server: handlers that wait for a lock, which the test holds, beside quick
// ones. What would wait behind them would wait for ever.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Client } from 'pg';
import { startServe, temporaryDirectory, type Served } from '../cli/howdah-process.ts';
import { startPostgres, testedPostgres, type TestPostgres } from '../support/postgres.ts';

const SESSIONS = 4;
const LOCK = 4711;

/** Handlers at /quick, and at paths that begin with /wait or /turn and wait for the lock, or take long, where their query says so. */
const SCHEMA = `
create function quick(request omni_httpd.http_request) returns omni_httpd.http_outcome language sql stable
  return omni_httpd.http_response('quick');
create function waits(request omni_httpd.http_request) returns omni_httpd.http_outcome language plpgsql as $$
begin
  if request.query_string = 'wait' then perform pg_advisory_xact_lock_shared(${LOCK}); end if;
  if request.query_string = 'long' then perform pg_sleep(0.2); end if;
  return omni_httpd.http_response('waited');
end $$;
create function waits_stable(request omni_httpd.http_request) returns omni_httpd.http_outcome language plpgsql stable as $$
begin
  if request.query_string = 'wait' then perform pg_advisory_xact_lock_shared(${LOCK}); end if;
  if request.query_string = 'long' then perform pg_sleep(0.2); end if;
  return omni_httpd.http_response('waited');
end $$;
create function turns(request omni_httpd.http_request) returns omni_httpd.http_outcome language plpgsql as $$
begin
  if request.query_string = 'wait' then perform pg_advisory_xact_lock_shared(${LOCK}); end if;
  if request.query_string = 'long' then perform pg_sleep(0.2); end if;
  return omni_httpd.http_response('waited');
end $$;
insert into omni_httpd.urlpattern_router (match, handler) values
  (omni_httpd.urlpattern('/quick'), 'quick'::regproc), (omni_httpd.urlpattern('/wait'), 'waits'::regproc),
  (omni_httpd.urlpattern('/wait-stable'), 'waits_stable'::regproc), (omni_httpd.urlpattern('/turn'), 'turns'::regproc);
`;

const [postgres] = testedPostgres();

describe(
  'a request for something quick, on a PostgreSQL server',
  { skip: postgres === undefined && 'no PostgreSQL is installed', timeout: 120_000 },
  () => {
    const directory = temporaryDirectory();
    let server: TestPostgres;
    let served: Served;
    let sql: Client;

    before(async () => {
      assert.ok(postgres !== undefined);
      server = await startPostgres(postgres);
      const database = `postgres://postgres@/postgres?host=${encodeURIComponent(server.socketDir)}`;
      served = await startServe(['--database', database, '--sessions', String(SESSIONS), '--workers', '1'], {
        cwd: directory.path,
      });
      sql = new Client({ host: server.socketDir, port: server.port, user: 'postgres', database: 'postgres' });
      sql.on('error', () => undefined);
      await sql.connect();
      await sql.query(SCHEMA);
    });
    after(async () => {
      await Promise.allSettled([sql?.end(), served?.[Symbol.asyncDispose]()]);
      await server?.stop();
      directory[Symbol.dispose]();
    });

    const ask = async (path: string): Promise<string> => {
      const response = await fetch(new URL(path, served.url));
      return `${response.status} ${await response.text()}`;
    };
    const askMany = (path: string, count: number): Promise<string[]> =>
      Promise.all(Array.from({ length: count }, () => ask(path)));
    /** Until some handlers have waited for the lock for a while. */
    const seeWaiting = async (): Promise<void> => {
      for (;;) {
        const { rows } = await sql.query(
          `select from pg_stat_activity where wait_event_type = 'Lock' and wait_event = 'advisory'
             and state_change < clock_timestamp() - interval '100 ms'`,
        );
        if (rows.length > 0) return;
      }
    };
    /** While requests of `path`, more than there are sessions, wait for the lock: `first` of them before any of them is known to. */
    const passes = async (path: string, first = 4 * SESSIONS): Promise<void> => {
      await sql.query('select pg_advisory_lock($1)', [LOCK]);
      const waiting = [askMany(path, first)];
      await seeWaiting();
      waiting.push(askMany(path, 4 * SESSIONS - first));
      for (let i = 0; i < 50; i += 1)
        assert.deepEqual(await askMany('/quick', 4), Array(4).fill('200 quick'));
      await sql.query('select pg_advisory_unlock($1)', [LOCK]);
      assert.deepEqual((await Promise.all(waiting)).flat(), Array(4 * SESSIONS).fill('200 waited'));
    };

    it('does not wait for handlers that wait, of which nothing was known', async () => {
      assert.equal(await ask('/quick'), '200 quick');
      await passes('/wait?wait');
    });

    it('does not wait for the same handlers, of which it is known that they take long', async () => {
      await askMany('/wait?long', 2 * SESSIONS);
      await passes('/wait?wait');
    });

    it('does not wait for handlers of which several may share a transaction', async () => {
      await passes('/wait-stable?wait');
      await askMany('/wait-stable?long', 2 * SESSIONS);
      await passes('/wait-stable?wait');
    });

    it('does not wait for handlers that were quick before', async () => {
      for (let i = 0; i < 30; i += 1) await askMany('/turn', 4);
      await passes('/turn?wait', SESSIONS - 1);
    });

    it('is answered while more of them come than sessions can take', async () => {
      const paths = ['/wait', '/wait-stable', '/turn'];
      for (const path of paths) await askMany(`${path}?long`, 2 * SESSIONS);
      await sql.query('select pg_advisory_lock($1)', [LOCK]);
      const waiting: Promise<string[]>[] = [];
      for (const path of paths) {
        waiting.push(askMany(`${path}?wait`, SESSIONS));
        await seeWaiting();
        assert.deepEqual(await askMany('/quick', 8), Array(8).fill('200 quick'));
      }
      await sql.query('select pg_advisory_unlock($1)', [LOCK]);
      assert.deepEqual((await Promise.all(waiting)).flat(), Array(3 * SESSIONS).fill('200 waited'));
    });
  },
);
