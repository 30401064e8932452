// What an application written for omni_httpd does from outside of a server, on the embedded engine and on PostgreSQL servers: the
// behaviour that omnigres's own regression suites check (named after them), asked for in our own words.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { after, before, describe, it } from 'node:test';
import { Client } from 'pg';
import { startServe, temporaryDirectory, type Served } from '../cli/howdah-process.ts';
import { HANDLERS, ROUTES } from './omni-httpd-application.ts';
import { availablePostgres, startPostgres, type TestPostgres } from '../support/postgres.ts';

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: http.IncomingHttpHeaders;
}

interface AskOptions {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  /** Of the Host header, where it is not the address. */
  readonly host?: string;
}

/** One request on a connection of its own; rejects where there is no answer. */
function ask(
  port: number,
  path: string,
  { method = 'GET', headers = {}, body, host }: AskOptions = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request(
      {
        host: '127.0.0.1',
        port,
        path,
        method,
        headers: { ...headers, ...(host === undefined ? {} : { host }) },
        agent: false,
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: text, headers: response.headers }),
        );
        response.on('error', reject);
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

const short = async (...args: Parameters<typeof ask>): Promise<string> => {
  const { status, body } = await ask(...args);
  return `${status} ${body}`;
};

/** The database of one run: where the server finds it, and a client in it. */
interface Place {
  readonly args: readonly string[];
  readonly user: string;
  /** After the server has been started. */
  connect(served: Served): Promise<Client>;
}

function suite(title: string, open: () => Promise<Place & AsyncDisposable>): void {
  describe(title, { timeout: 180_000 }, () => {
    const directory = temporaryDirectory();
    let place: Place & AsyncDisposable;
    let served: Served;
    let sql: Client;
    let port = 0;

    const value = async (text: string): Promise<unknown> => {
      const { rows } = await sql.query<Record<string, unknown>>(text);
      return Object.values(rows[0] ?? {})[0];
    };
    const reloads = (): Promise<unknown> =>
      value('select count(*)::int from omni_httpd.configuration_reloads');

    before(async () => {
      place = await open();
      mkdirSync(join(directory.path, 'static/files'), { recursive: true });
      writeFileSync(join(directory.path, 'static/index.html'), 'test');
      writeFileSync(join(directory.path, 'static/test.json'), '{"test": "passed"}');
      writeFileSync(join(directory.path, 'static/files/test.json'), '{}');
      served = await startServe([...place.args, '--allow-fs', 'static'], { cwd: directory.path });
      sql = await place.connect(served);
      port = Number(new URL(served.url).port);
    });
    after(async () => {
      await Promise.allSettled([sql?.end(), served?.[Symbol.asyncDispose]()]);
      await place?.[Symbol.asyncDispose]();
      directory[Symbol.dispose]();
    });

    it('records two reloads for an installation with a listener, and one for each change after it', async () => {
      await sql.query('call omni_httpd.wait_for_configuration_reloads(2)');
      assert.equal(await reloads(), 0);
      await sql.query("insert into omni_httpd.listeners (address, port) values ('127.0.0.1', 0)");
      await sql.query('call omni_httpd.wait_for_configuration_reloads(1)');
      assert.equal(await reloads(), 0);
    });

    it('has a port of its own for each listener with port 0, and keeps it at a reload', async () => {
      const ports = 'select array_agg(effective_port::int order by id) as ports from omni_httpd.listeners';
      let both = (await value(ports)) as number[];
      // On the embedded engine the record of a reload says that it is due.
      while (both.includes(0)) {
        await setTimeout(20);
        both = (await value(ports)) as number[];
      }
      assert.equal(both[0], port);
      assert.notEqual(both[0], both[1]);
      for (const each of both) assert.ok((await ask(each, '/')).status < 500);
      assert.equal(await value('select omni_httpd.reload_configuration()'), true);
      await sql.query('call omni_httpd.wait_for_configuration_reloads(1)');
      assert.deepEqual(await value(ports), both);
    });

    it('answers from the handlers of its tables (http, http_request, http_response)', async () => {
      await sql.query('truncate omni_httpd.listeners_handlers, omni_httpd.handlers');
      await sql.query(HANDLERS);
      const dump = await ask(port, '/test?q=1');
      assert.deepEqual(
        [dump.status, JSON.parse(dump.body)],
        [404, { method: 'GET', path: '/test', query_string: 'q=1' }],
      );
      const john = await ask(port, '/users/johndoe');
      assert.deepEqual([john.body, john.headers['content-type']], ['Hello, <b>John</b>!', 'text/html']);
      assert.equal(await short(port, '/echo', { method: 'POST', body: 'ping ü' }), '200 ping ü');
      assert.match(await short(port, '/http_request'), /^200 \(GET,\/http_request,,"\\\\x",/);
      const headers = JSON.parse((await ask(port, '/headers', { headers: { Test: 'Val' } })).body) as Record<
        string,
        string
      >;
      assert.equal(headers['test'], 'Val');
      for (const sent of [{}, { 'omnigres-connecting-ip': '255.255.255.255' }]) {
        assert.equal(await short(port, '/connecting-ip', { headers: sent }), '200 127.0.0.1');
      }
      await assert.rejects(ask(port, '/abort'), /socket hang up|ECONNRESET/);
      const proxied = await ask(port, '/proxy?not=appended');
      assert.deepEqual(
        [proxied.status, JSON.parse(proxied.body)],
        [404, { method: 'GET', path: '/', query_string: null }],
      );
    });

    it('cuts a body to its content-length and never sends more than there is (http)', async () => {
      for (const [wanted, length, body] of [
        ['10', '10', '0123456789'],
        ['3', '3', '012'],
        ['100', '10', '0123456789'],
        ['none', '0', ''],
      ] as const) {
        const answer = await ask(port, `/length?${wanted}`);
        assert.deepEqual([answer.headers['content-length'], answer.body], [length, body], wanted);
      }
      assert.equal((await ask(port, '/empty-body')).headers['content-length'], '0');
      const none = await ask(port, '/null-body');
      assert.deepEqual([none.status, none.headers['content-length'], none.body], [200, undefined, '']);
    });

    it('calls what routes name, by port and host of the request (router, router_order, router_null_outcome)', async () => {
      await sql.query("select to_regrole('another') is null").then(async ({ rows }) => {
        if (Object.values(rows[0] as object)[0] === true) await sql.query('create role another');
      });
      await sql.query('grant usage on schema omni_httpd, omni_http to another');
      await sql.query(ROUTES);
      if (
        (await value(
          "select count(*)::int from pg_event_trigger where evtname = 'refresh_available_routers'",
        )) === 0
      ) {
        await value('select howdah.discover_routers()');
      }
      const other = Number(
        await value('select effective_port from omni_httpd.listeners order by id desc limit 1'),
      );
      assert.equal(await short(port, '/says'), '200 says /says');
      assert.equal(await short(other, '/another_port'), '200 says /another_port');
      assert.doesNotMatch(await short(port, '/another_port'), /says/);
      assert.equal(
        await short(port, '/another_host', { host: `localhost:${port}` }),
        '200 says /another_host',
      );
      assert.doesNotMatch(await short(port, '/another_host'), /says/);
      assert.equal(await short(port, '/no_request'), '200 no request needed');
      assert.equal(await short(port, '/no_outcome'), '204 ');
      assert.equal(await short(port, '/takes_outcome'), '204 ');
      assert.equal(await short(port, '/function'), '200 function');
      assert.equal(await short(port, '/tuple'), '200 tuple(my_router)');
      assert.equal(await short(port, '/nulls'), '200 t');
      // An addition: parameters that are named as groups of the pattern.
      assert.equal(await short(port, '/groups/johndoe/12'), '200 johndoe 12');
      assert.match(await short(port, '/groups/johndoe/twelve'), /^404 .*"path"/);
      assert.equal(await short(port, '/order/x'), '200 ok');
      assert.equal(await short(port, '/order/last'), '200 last');
      assert.equal(await short(port, '/order/not-last'), '200 ok');
      assert.equal(await short(port, '/order/after'), '200 (ok)');
      assert.equal(await short(port, '/order/null'), '200 ok');
    });

    it('lets procedures end their transaction and choose its isolation (xact, xact_iso)', async () => {
      assert.equal(await short(port, '/transacts'), '200 1');
      assert.deepEqual((await sql.query('select val from transacted')).rows, [{ val: 1 }]);
      assert.equal(await short(port, '/isolated'), '200 serializable');
      assert.equal(await short(port, '/as-usual'), '200 read committed');
    });

    it('is who it was after whatever a handler did with its role (role_change)', async () => {
      for (const [path, answer] of [
        ['/sets-role', '200 another'],
        ['/who', `200 ${place.user}`],
        ['/sets-role-and-fails', null],
        ['/who', `200 ${place.user}`],
        ['/who-with-role', '200 another'],
        ['/who', `200 ${place.user}`],
        ['/sets-role-function', null],
        ['/who', `200 ${place.user}`],
      ] as const) {
        const got = await short(port, path);
        if (answer === null) assert.match(got, /^500 /, path);
        else assert.equal(got, answer, path);
      }
    });

    it('answers 204 where the default handler returns nothing, and 500 where it fails (null, portal_cleanup)', async () => {
      const define = (body: string): Promise<unknown> =>
        sql.query(`create or replace procedure omni_httpd.handler(int, omni_httpd.http_request, out omni_httpd.http_outcome)
          language plpgsql as $$ begin ${body} end $$`);
      await define('');
      assert.equal(await short(port, '/nobody'), '204 ');
      await define("execute 'this is no statement';");
      assert.match(await short(port, '/nobody'), /^500 /);
      await define("$3 := omni_httpd.http_response('OK');");
      assert.equal(await short(port, '/nobody'), '200 OK');
    });

    it('serves on after the backend of a handler has ended (worker_restart)', async () => {
      await sql.query(`create table marker ();
        create procedure ends_itself(out outcome omni_httpd.http_outcome) language plpgsql as $$ begin
          if not exists (select from marker) then
            insert into marker default values; commit; perform pg_terminate_backend(pg_backend_pid());
          end if;
          outcome := omni_httpd.http_response('OK'); end $$`);
      await sql.query(
        "insert into my_router values (omni_httpd.urlpattern('/ends-itself'), 'ends_itself'::regproc)",
      );
      if (place.args.includes('--memory')) return; // the embedded engine has no other process
      assert.match(await short(port, '/ends-itself'), /^50[03] /);
      assert.equal(await short(port, '/ends-itself'), '200 OK');
    });

    it('serves files of a directory that is allowed (static_file)', async () => {
      await sql.query(`
        select omni_httpd.instantiate_static_file_handler(schema => current_schema);
        create table static_file_router (like omni_httpd.urlpattern_router, fs howdah.local_fs, path text, listing boolean,
          priority omni_httpd.route_priority default 0);
        create function static_handler(req omni_httpd.http_request, r static_file_router) returns omni_httpd.http_outcome
          return static_file_handler(req, r.fs, path => r.path, listing => r.listing);
        insert into static_file_router (match, handler, fs, path, listing)
        values (omni_httpd.urlpattern('/*?'), 'static_handler'::regproc, howdah.local_fs('static'), null, true);
        insert into static_file_router (match, handler, fs, path, listing, priority)
        values (omni_httpd.urlpattern('/override/*'), 'static_handler'::regproc, howdah.local_fs('static'), '/test.json', true, 1);
        update static_file_router set match = omni_httpd.urlpattern(coalesce((match).pathname, '/*?'),
          hostname => 'files.example')`);
      if (
        (await value(
          "select count(*)::int from pg_event_trigger where evtname = 'refresh_available_routers'",
        )) === 0
      ) {
        await value('select howdah.discover_routers()');
      }
      const get = (path: string, headers = {}): Promise<Answer> =>
        ask(port, path, { headers, host: 'files.example' });
      const json = await get('/test.json');
      const etag = json.headers.etag ?? '';
      assert.deepEqual(
        [json.status, json.body, json.headers['content-type']],
        [200, '{"test": "passed"}', 'application/json'],
      );
      assert.match(etag, /^"[0-9a-f]{64}"$/);
      const unmodified = await get('/test.json', { 'if-none-match': etag });
      assert.deepEqual(
        [unmodified.status, unmodified.body, unmodified.headers.etag, unmodified.headers['content-type']],
        [304, '', etag, 'application/json'],
      );
      assert.equal((await get('/override/test')).body, '{"test": "passed"}');
      assert.equal((await get('/notfound.json')).status, 404);
      const start = await get('/');
      assert.deepEqual([start.body, start.headers['content-type']], ['test', 'text/html']);
      assert.equal((await get('/files')).body, '<a href="/files/test.json">test.json</a>');
      await sql.query('update static_file_router set listing = false');
      assert.equal((await get('/files')).status, 404);
      await sql.query("update static_file_router set fs = howdah.local_fs('/etc')");
      assert.equal((await get('/hostname')).status, 500);
      assert.match(served.process.err, /not to be read/);
      await sql.query('delete from static_file_router');
    });

    it('refuses a WebSocket until somebody accepts it (websocket)', async () => {
      const headers = {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      };
      assert.equal((await ask(port, '/', { headers })).status, 403);
    });

    it('runs two requests of one HTTP/2 connection at the same time (http2_reproxy)', async () => {
      if (place.args.includes('--memory')) return; // the embedded engine is one session
      await sql.query(`
        create function meets() returns omni_httpd.http_outcome language plpgsql as $$
        declare first bool := pg_try_advisory_lock(1000);
        begin
          if not first then perform pg_advisory_lock(1001); end if;
          if first then
            while pg_try_advisory_lock(1001) loop perform pg_advisory_unlock(1001); end loop;
            perform pg_advisory_unlock(1000); perform pg_advisory_lock(1001); perform pg_advisory_unlock(1001);
          else
            perform pg_advisory_lock(1000); perform pg_advisory_unlock(1001); perform pg_advisory_unlock(1000);
          end if;
          return omni_httpd.http_response(pg_backend_pid()::text);
        end $$`);
      await sql.query("insert into my_router values (omni_httpd.urlpattern('/meets'), 'meets'::regproc)");
      const session = connectHttp2(`http://127.0.0.1:${port}`);
      const bodies = await Promise.all(
        [1, 2].map(
          () =>
            new Promise<string>((resolve, reject) => {
              let body = '';
              const stream = session.request({ ':path': '/meets' });
              stream.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
              stream.on('end', () => resolve(body)).on('error', reject);
            }),
        ),
      );
      session.close();
      assert.equal(new Set(bodies).size, 2, bodies.join());
      for (const body of bodies) assert.match(body, /^\d+$/);
    });
  });
}

suite('an application on the embedded engine', () =>
  Promise.resolve({
    args: ['--memory'],
    user: 'postgres',
    connect: async ({ gatewayUrl }) => {
      const client = new Client({ connectionString: gatewayUrl ?? '' });
      await client.connect();
      return client;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }),
);

const versions = availablePostgres();
for (const [installed, user] of [
  [versions[0], 'app'],
  [versions.at(-1), 'postgres'],
] as const) {
  if (installed !== undefined) {
    suite(`an application on PostgreSQL ${installed.version}, as ${user}`, async () => {
      const server: TestPostgres = await startPostgres(installed);
      const client = async (as: string, database: string): Promise<Client> => {
        const made = new Client({ host: server.socketDir, port: server.port, user: as, database });
        made.on('error', () => undefined);
        await made.connect();
        return made;
      };
      const admin = await client('postgres', 'postgres');
      await admin.query('create role another');
      if (user === 'app') await admin.query('create role app login; grant another to app');
      await admin.query(`create database app owner ${user}`);
      await admin.end();
      return {
        args: ['--database', `postgres://${user}@/app?host=${encodeURIComponent(server.socketDir)}`],
        user,
        connect: () => client(user, 'app'),
        [Symbol.asyncDispose]: () => server.stop(),
      };
    });
  }
}
