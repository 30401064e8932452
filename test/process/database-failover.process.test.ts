// howdah on two PostgreSQL servers, of which the second takes over for the first.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Client } from 'pg';
import { runHowdah, startServe, temporaryDirectory, type Served } from '../cli/howdah-process.ts';
import { availablePostgres, startPostgres, type TestPostgres } from '../support/postgres.ts';

const skip = availablePostgres().length === 0 && 'no PostgreSQL is installed';

const SCHEMA = `
create table entry (id int generated always as identity primary key);
create function add(request omni_httpd.http_request) returns omni_httpd.http_outcome language plpgsql as $$ begin
  insert into entry default values; return omni_httpd.http_response(inet_server_port()::text); end $$;
insert into omni_httpd.urlpattern_router (match, handler) values (omni_httpd.urlpattern('/add'), 'add'::regproc);
`;

async function open(server: TestPostgres): Promise<Client> {
  const client = new Client({ host: server.socketDir, port: server.port, user: 'postgres' });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

describe('two hosts, of which the second takes over', { skip, timeout: 120_000 }, () => {
  const directory = temporaryDirectory();
  let first: TestPostgres;
  let second: TestPostgres;
  let served: Served;

  before(async () => {
    first = await startPostgres();
    await first.shutDown('fast');
    second = await startPostgres(undefined, {
      standbyOf: first,
      settings: ['wal_retrieve_retry_interval=100ms'],
    });
    await first.startAgain();
    const hosts = [second, first].map(({ socketDir }) => encodeURIComponent(socketDir)).join(',');
    served = await startServe(
      [
        '--database',
        `postgres://postgres@/postgres?host=${hosts}&target_session_attrs=read-write`,
        '--no-access-log',
        '--workers',
        '1',
      ],
      { cwd: directory.path },
    );
    const sql = await open(first);
    await sql.query(SCHEMA);
    for (;;) {
      const { rows } = await sql.query("select from pg_stat_replication where state = 'streaming'");
      if (rows.length > 0) break;
    }
    await sql.end();
  });
  after(async () => {
    await served?.[Symbol.asyncDispose]();
    await first?.stop();
    await second?.stop();
    directory[Symbol.dispose]();
  });

  it('finds the one that target_session_attrs asks for', async () => {
    const found = async (wanted: string, ...servers: readonly TestPostgres[]): Promise<string> => {
      const hosts = servers.map(({ socketDir }) => encodeURIComponent(socketDir)).join(',');
      const url = `postgres://postgres@/postgres?host=${hosts}&target_session_attrs=${wanted}`;
      const { out, err } = await runHowdah(['doctor', '--database', url], { cwd: directory.path });
      return (
        /writable: (.*)|: (not \w+)$/m
          .exec(out + err)
          ?.slice(1)
          .find(Boolean) ?? out + err
      );
    };
    const [primary, standby] = ['a primary that takes writes', 'the server is a standby'];
    const results = await Promise.all([
      found('any', second, first),
      found('primary', second, first),
      found('read-only', first, second),
      found('prefer-standby', first, second),
      found('prefer-standby', first),
      found('standby', first),
    ]);
    assert.deepEqual(results, [standby, primary, standby, standby, primary, 'not standby']);
  });

  it('serves from the one that takes writes; 503 while none does; then from the other, with what was answered before', async () => {
    const statuses: number[] = [];
    const ended = new AbortController();
    let waiting: { readonly status: number; readonly since: number; readonly resolve: () => void } | null =
      null;
    const client = async (): Promise<void> => {
      while (!ended.signal.aborted) {
        const response = await fetch(new URL('/add', served.url));
        await response.text();
        statuses.push(response.status);
        if (waiting !== null && statuses.includes(waiting.status, waiting.since)) waiting.resolve();
      }
    };
    const until = (status: number, since = 0): Promise<void> =>
      new Promise((resolve) => {
        waiting = { status, since, resolve };
      });
    const clients = Promise.all([client(), client(), client(), client()]);
    await until(200);
    // In good order: what was committed has reached the other.
    await first.shutDown('fast');
    await until(503);
    const sql = await open(second);
    const { rows: kept } = await sql.query<{ n: string }>('select count(*) as n from entry');
    const answered = statuses.filter((status) => status === 200).length;
    const since = statuses.length;
    await sql.query('select pg_promote()');
    await until(200, since);
    ended.abort();
    await clients;
    const { rows: all } = await sql.query<{ n: string }>('select count(*) as n from entry');
    await sql.end();
    // A call that was lost with its session may have committed.
    const lost = statuses.filter((status) => status === 500).length;
    const good = statuses.filter((status) => status === 200).length;
    assert.ok(Number(kept[0]?.n) >= answered, `${kept[0]?.n} of ${answered}`);
    assert.ok(
      Number(all[0]?.n) >= good && Number(all[0]?.n) <= good + lost,
      `${all[0]?.n}: ${good} and ${lost}`,
    );
    assert.deepEqual(
      [...new Set(statuses)].filter((status) => ![200, 500, 503].includes(status)),
      [],
    );
  });
});
