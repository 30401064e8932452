// omni_httpd.stop() and start() from outside (omni_httpd.md §5.4), and a schema that is dropped while it is served (§5.5): the server
// lets go of its ports and of the database, and comes back.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { after, before, describe, it } from 'node:test';
import { Client } from 'pg';
import {
  HowdahProcess,
  runHowdah,
  startServe,
  temporaryDirectory,
  type Served,
} from '../cli/howdah-process.ts';
import { availablePostgres, startPostgres, type TestPostgres } from '../support/postgres.ts';

/** Body of an answer, or `refused`; on a connection of its own. */
function ask(port: number, path = '/hello'): Promise<string> {
  return new Promise((resolve) => {
    const request = http.get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      response.on('end', () => resolve(body)).on('error', () => resolve('cut'));
    });
    request.on('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'ECONNREFUSED' ? 'refused' : 'cut'),
    );
  });
}

const POLL_MS = 20;

/** Until it answers so: nobody tells when the ports are open or closed. */
async function until(port: number, answer: string): Promise<void> {
  while ((await ask(port)) !== answer) await setTimeout(POLL_MS);
}

/** Until nobody connects any more. What is asked meanwhile would wait for whoever has the embedded engine. */
async function untilRefused(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') return;
    } finally {
      socket.destroy();
    }
    await setTimeout(POLL_MS);
  }
}

/** It takes its locks in any order, and may be the one that PostgreSQL ends where another session has taken them in another. */
async function dropSchema(sql: Client): Promise<void> {
  for (;;) {
    try {
      await sql.query('drop schema omni_httpd, omni_http, omni_types, howdah cascade');
      return;
    } catch (error) {
      if ((error as { code?: string }).code !== '40P01') throw error;
    }
  }
}

const SCHEMA = `
create function hello() returns omni_httpd.http_outcome language sql as $$ select omni_httpd.http_response('hello') $$;
insert into omni_httpd.urlpattern_router values (omni_httpd.urlpattern('/hello'), 'hello'::regproc);
create function stops() returns omni_httpd.http_outcome language plpgsql as $$
begin call omni_httpd.stop(); return omni_httpd.http_response('stopping'); end $$;
insert into omni_httpd.urlpattern_router values (omni_httpd.urlpattern('/stops'), 'stops'::regproc);
`;

describe('a server on the embedded engine', { timeout: 120_000 }, () => {
  it('stops and starts, and stops from inside of a transaction', async () => {
    using directory = temporaryDirectory();
    await using served = await startServe(['--memory'], { cwd: directory.path });
    const port = Number(new URL(served.url).port);
    const sql = new Client({ connectionString: served.gatewayUrl ?? '' });
    await sql.connect();
    try {
      await sql.query(SCHEMA);
      await sql.query('call omni_httpd.stop()');
      await until(port, 'refused');
      await sql.query('insert into omni_httpd.listeners (port) values (0)');
      assert.equal(await ask(port), 'refused', 'a reload opens nothing');
      await sql.query('call omni_httpd.start()');
      let again = 0;
      while (again === 0) {
        const { rows } = await sql.query<{ port: number }>(
          'select effective_port as port from omni_httpd.listeners order by id desc limit 1',
        );
        again = rows[0]?.port ?? 0;
        await setTimeout(POLL_MS);
      }
      await until(again, 'hello');
      await sql.query('begin');
      await sql.query('call omni_httpd.stop(immediate => true)');
      await untilRefused(again);
      await sql.query('rollback');
      assert.match(served.process.err, /not serving: omni_httpd\.stop\(\) was called/);
      await sql.query('call omni_httpd.start(immediate => true)');
      await served.process.prints(/serving again[^]*serving again/, 'err');
    } finally {
      await sql.end();
    }
  });
});

// How the server lets go of a database does not depend on its version.
describe('a database of which somebody has dropped a part of the schema', { timeout: 120_000 }, () => {
  it('is not served any more on the embedded engine; a new start installs it, and loses nothing of the rest', async () => {
    using directory = temporaryDirectory();
    {
      await using served = await startServe([], { cwd: directory.path });
      const sql = new Client({ connectionString: served.gatewayUrl ?? '' });
      await sql.connect();
      await sql.query(`
        create table kept (fs howdah.local_fs);
        insert into kept values (howdah.local_fs('/srv'));
        drop schema omni_httpd cascade`);
      await served.process.prints(/not serving: the schema of howdah is not in the database any more/, 'err');
      await until(Number(new URL(served.url).port), 'refused');
      await sql.end();
      served.process.child.kill('SIGTERM');
      assert.equal((await served.process.ended()).code, 0);
    }
    await using served = await startServe([], { cwd: directory.path });
    const [, renamed = ''] = await served.process.prints(
      /schemas that are missing: omni_httpd: installed anew, and what was left renamed to (howdah_\d{8}_\d{6}), /,
      'err',
    );
    assert.equal((await fetch(served.url)).status, 200);
    const sql = new Client({ connectionString: served.gatewayUrl ?? '' });
    await sql.connect();
    const { rows } = await sql.query('select fs::text, pg_typeof(fs)::text as type from kept');
    assert.deepEqual(rows, [{ fs: '(/srv)', type: `${renamed}.local_fs` }]);
    await sql.end();
  });
});

for (const installed of availablePostgres().slice(0, 1)) {
  describe(`a server on PostgreSQL ${installed.version}`, { timeout: 180_000 }, () => {
    const directory = temporaryDirectory();
    let server: TestPostgres;
    let database: string;
    let served: Served;
    let sql: Client;
    let port = 0;

    const connect = async (name = 'app'): Promise<Client> => {
      const client = new Client({ host: server.socketDir, port: server.port, user: 'app', database: name });
      client.on('error', () => undefined);
      await client.connect();
      return client;
    };
    const sessions = async (admin: Client): Promise<number> => {
      const { rows } = await admin.query<{ n: number }>(
        "select count(*)::int as n from pg_stat_activity where datname = 'app' and application_name = 'howdah'",
      );
      return rows[0]?.n ?? 0;
    };

    before(async () => {
      server = await startPostgres(installed);
      const admin = new Client({
        host: server.socketDir,
        port: server.port,
        user: 'postgres',
        database: 'postgres',
      });
      await admin.connect();
      await admin.query('create role app login createdb');
      await admin.query('create database app owner app');
      await admin.end();
      database = `postgres://app@/app?host=${encodeURIComponent(server.socketDir)}`;
      served = await startServe(['--database', database], { cwd: directory.path });
      port = Number(new URL(served.url).port);
      sql = await connect();
      await sql.query(SCHEMA);
      // So that it is this port again, whatever it was before.
      await sql.query('update omni_httpd.listeners set port = effective_port');
      await until(port, 'hello');
    });
    after(async () => {
      await Promise.allSettled([sql?.end(), served?.[Symbol.asyncDispose]()]);
      await server?.stop();
      directory[Symbol.dispose]();
    });

    it('stops when the transaction commits, and leaves the database to others until it is started', async () => {
      await sql.query('begin; call omni_httpd.stop()');
      assert.equal(await ask(port), 'hello');
      await sql.query('commit');
      await until(port, 'refused');
      const other = await connect('postgres');
      while ((await sessions(other)) > 0) await setTimeout(POLL_MS);
      await sql.end();
      await other.query('create database copied template app');
      sql = await connect();
      assert.equal(await ask(port), 'refused', 'a new session starts nothing');
      await sql.query('call omni_httpd.start()');
      await until(port, 'hello');
      await other.end();
      const copy = await connect('copied');
      const { rows } = await copy.query('select howdah.is_stopped() as stopped');
      assert.deepEqual(rows, [{ stopped: false }], 'the copy has not been stopped');
      await copy.end();
    });

    it('stops and starts at once from inside of a transaction', async () => {
      await sql.query('begin');
      await sql.query('call omni_httpd.stop(immediate => true)');
      await until(port, 'refused');
      await sql.query('call omni_httpd.start(immediate => true)');
      await until(port, 'hello');
      await sql.query('rollback');
      assert.equal(await ask(port), 'hello');
    });

    it('answers the request whose handler stops it', async () => {
      assert.equal(await ask(port, '/stops'), 'stopping');
      await until(port, 'refused');
      await sql.query('call omni_httpd.start()');
      await until(port, 'hello');
    });

    it('that is started while it is stopped waits, and says so; PostgreSQL started anew ends that', async () => {
      await sql.query('call omni_httpd.stop()');
      await until(port, 'refused');
      const other = new HowdahProcess(['serve', '--database', database], { cwd: directory.path });
      await other.prints(/nothing is served: omni_httpd\.stop\(\) was called/);
      await other[Symbol.asyncDispose]();
      await sql.end();
      await server.shutDown('fast');
      await server.startAgain();
      await until(port, 'hello');
      sql = await connect();
    });

    it('survives that its schema is dropped under load, says so, and serves again when it is installed', async () => {
      const answers = new Set<string>();
      const end = new AbortController();
      const load = Array.from({ length: 4 }, async () => {
        while (!end.signal.aborted) answers.add(await ask(port));
      });
      try {
        await dropSchema(sql);
        await served.process.prints(/the schema of howdah is not in the database any more/, 'err');
        await until(port, 'refused');
        const installed = await runHowdah(
          ['install', '--database', database, '--listen', `127.0.0.1:${port}`],
          {
            cwd: directory.path,
          },
        );
        assert.match(installed.out, /the schema installed/);
        await sql.query(`drop function if exists hello, stops; ${SCHEMA}`);
        await until(port, 'hello');
      } finally {
        end.abort();
      }
      await Promise.all(load);
      // In part: of the rest, nobody knows whether it may go.
      await sql.query('drop schema omni_httpd cascade');
      await until(port, 'refused');
      const refused = await runHowdah(['install', '--database', database], { cwd: directory.path });
      assert.match(
        refused.err,
        /in part only: schemas that are missing: omni_httpd\nhint: drop what is left/,
      );
      assert.doesNotMatch(served.process.err, /found_routers/);
      for (const answer of answers) {
        assert.match(answer, /^(hello|refused|cut|50[03] .*|404.*|<!doctype html>[^]*|)$/s);
      }
    });
  });
}
