// Routes in SQL from a client's side, against one server process: what is live when, and what each outcome becomes.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { Client } from 'pg';
import { startServe, temporaryDirectory, type Served } from '../cli/howdah-process.ts';
import { RawClient, get, statusOf } from '../support/http-fixture.ts';

const SCHEMA = `
create table entry (id int primary key, parent int references entry deferrable initially deferred);
create function make_route(path text, body text) returns void language plpgsql as $$
begin
  execute format('create function %I(request omni_httpd.http_request) returns omni_httpd.http_outcome language plpgsql as %L',
    'at' || translate(path, '/*:', '___'), body);
  insert into omni_httpd.urlpattern_router (match, handler)
  values (omni_httpd.urlpattern(path), to_regproc('at' || translate(path, '/*:', '___')));
end $$;
select make_route('/raise', $$ begin insert into entry values (1); raise exception 'secret reason'; end $$);
select make_route('/commit', $$ begin insert into entry values (2, 99); return omni_httpd.http_response('looks fine'); end $$);
select make_route('/abort', $$ begin return omni_httpd.abort(); end $$);
select make_route('/nothing', $$ begin return null; end $$);
select make_route('/empty', $$ begin return omni_httpd.http_response(status => 202); end $$);
select make_route('/cookies', $$ begin return omni_httpd.http_response('c', headers => array[
  omni_http.http_header('Set-Cookie', 'a=1'), omni_http.http_header('Set-Cookie', 'b=2')]::omni_http.http_headers); end $$);
select make_route('/bytes', $$ begin return omni_httpd.http_response('\\x00ff0a'::bytea); end $$);
select make_route('/peer', $$ begin
  return omni_httpd.http_response(omni_http.http_header_get(request.headers, 'omnigres-connecting-ip')); end $$);
select make_route('/path/*', $$ begin return omni_httpd.http_response(request.path); end $$);
select make_route('/echo', $$ begin return omni_httpd.http_response(request.body); end $$);
select make_route('/drop', $$ begin delete from omni_httpd.urlpattern_router where (match).pathname = '/drop';
  return omni_httpd.http_response('dropped itself'); end $$);
select make_route('/leak', $$ begin perform set_config('app.leak', 'leaked', false);
  return omni_httpd.http_response(coalesce(current_setting('app.leak', true), '')); end $$);
select make_route('/seen', $$ begin
  return omni_httpd.http_response('[' || coalesce(current_setting('app.leak', true), '') || ']'); end $$);
select make_route('/count', $$ begin return omni_httpd.http_response((select count(*)::text from entry)); end $$);
create table upstream (url text);
select make_route('/proxy', $$ begin return omni_httpd.http_proxy((select url from upstream), false); end $$);
`;

describe('routes in SQL', () => {
  const directory = temporaryDirectory();
  let server: Served;
  let sql: Client;
  let port = 0;
  const ask = async (
    path: string,
    init?: RequestInit,
  ): Promise<{ status: number; body: string; headers: Headers }> => {
    const response = await fetch(new URL(path, server.url), init);
    return { status: response.status, body: await response.text(), headers: response.headers };
  };
  const raw = async (request: string): Promise<string> => {
    const client = await RawClient.connect(port);
    const answer = await client.say(request);
    client.socket.destroy();
    return answer;
  };

  before(async () => {
    server = await startServe(['--memory', '--max-body-bytes', '1000'], { cwd: directory.path });
    port = Number(new URL(server.url).port);
    sql = new Client({ connectionString: server.gatewayUrl ?? '' });
    await sql.connect();
    await sql.query(SCHEMA);
  });
  after(async () => {
    await sql.end();
    await server[Symbol.asyncDispose]();
    directory[Symbol.dispose]();
  });

  test('a route answers the first request after its commit, on a connection that was open before', async () => {
    const client = await RawClient.connect(port);
    client.send(get('/count'));
    await client.untilText('\r\n\r\n0');
    for (let i = 0; i < 20; i += 1) {
      await sql.query(
        `select make_route('/new${i}', $$ begin return omni_httpd.http_response('new ${i}!'); end $$)`,
      );
      client.send(get(`/new${i}`));
      await client.untilText(`new ${i}!`);
    }
    client.socket.destroy();
  });

  test('a route is not there before its transaction commits, nor after a rollback', async () => {
    await sql.query('begin');
    await sql.query(`select make_route('/later', $$ begin return omni_httpd.http_response('later'); end $$)`);
    const asked = ask('/later');
    await sql.query('rollback');
    assert.notEqual((await asked).body, 'later');
  });

  test('a replaced function, a changed row and a new router are live at once as well', async () => {
    await sql.query(`select make_route('/change', $$ begin return omni_httpd.http_response('one'); end $$)`);
    assert.equal((await ask('/change')).body, 'one');
    await sql.query(`create or replace function at_change(request omni_httpd.http_request)
      returns omni_httpd.http_outcome language sql as $$ select omni_httpd.http_response('two') $$`);
    assert.equal((await ask('/change')).body, 'two');
    await sql.query(`update omni_httpd.urlpattern_router set match = omni_httpd.urlpattern('/changed')
      where (match).pathname = '/change'`);
    assert.equal((await ask('/changed')).body, 'two');
    await sql.query(`create table my_router (like omni_httpd.urlpattern_router, priority omni_httpd.route_priority);
      insert into my_router values (omni_httpd.urlpattern('/mine'), 'at_change'::regproc, 3)`);
    assert.equal((await ask('/mine')).body, 'two');
    await sql.query('drop table my_router');
    assert.notEqual((await ask('/mine')).body, 'two');
  });

  test('what no trigger can tell of, a view over a function, is found by looking', async () => {
    await sql.query(`create table told_by_nobody (path text);
      create function untold() returns setof text language sql stable as $$ select path from told_by_nobody $$;
      create view found_router as
        select omni_httpd.urlpattern(path) as match, 'at_count'::regproc::regprocedure as handler from untold() as path`);
    await sql.query(`insert into told_by_nobody values ('/found')`);
    while ((await ask('/found')).body !== '0');
    await sql.query('drop view found_router');
  });

  test('a handler that raises is a 500 with a request id and without the reason; its work is undone', async () => {
    const { status, body } = await ask('/raise');
    assert.equal(status, 500);
    assert.match(body, /request \S+/);
    assert.doesNotMatch(body, /secret/);
    const id = /request (\S+)/.exec(body)?.[1] ?? '';
    await server.process.prints(/secret reason/, 'err');
    assert.ok(server.process.err.includes(id));
    assert.equal((await ask('/count')).body, '0');
  });

  test('a constraint that fails at commit is a 500, never a 200', async () => {
    const { status, body } = await ask('/commit');
    assert.equal(status, 500);
    assert.doesNotMatch(body, /looks fine/);
    assert.equal((await ask('/count')).body, '0');
  });

  test('abort() closes the connection without an answer', async () => {
    assert.equal(await raw(get('/abort')), '');
  });

  test('no outcome is a 204, an outcome without a body has no content-length', async () => {
    assert.equal((await ask('/nothing')).status, 204);
    const empty = await raw(get('/empty', 'Connection: close\r\n'));
    assert.equal(statusOf(empty), 202);
    assert.match(empty, /transfer-encoding: chunked\r\n\r\n0\r\n\r\n$/i);
    assert.doesNotMatch(empty, /content-length/i);
  });

  test('repeated headers are all sent, and bytes are sent as they are', async () => {
    assert.deepEqual((await ask('/cookies')).headers.getSetCookie(), ['a=1', 'b=2']);
    const bytes = await fetch(new URL('/bytes', server.url));
    assert.deepEqual([...new Uint8Array(await bytes.arrayBuffer())], [0, 255, 10]);
    assert.equal(bytes.headers.get('content-type'), 'application/octet-stream');
  });

  test('the address of the client is the first header, whatever the client claims', async () => {
    const { body } = await ask('/peer', { headers: { 'omnigres-connecting-ip': '192.0.2.9' } });
    assert.equal(body, '127.0.0.1');
  });

  test('paths are decoded and normalised; broken percent-encoding and NUL do no harm', async () => {
    assert.equal((await ask('/path/%61%20b')).body, '/path/a b');
    assert.ok([200, 400].includes(statusOf(await raw(get('/path/%zz', 'Connection: close\r\n')))));
    assert.equal(statusOf(await raw(get('/path/%00', 'Connection: close\r\n'))), 400);
    assert.equal(statusOf(await raw(get('/path/%ff', 'Connection: close\r\n'))), 400);
  });

  test('an unknown method is a 501', async () => {
    assert.equal(statusOf(await raw('BREW /count HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n')), 501);
  });

  test('a body over --max-body-bytes is a 413, one of that size is handled', async () => {
    const body = 'x'.repeat(1000);
    assert.equal((await ask('/echo', { method: 'POST', body })).body, body);
    assert.equal((await ask('/echo', { method: 'POST', body: `${body}y` })).status, 413);
  });

  test('a handler that drops its own route answers, once', async () => {
    assert.equal((await ask('/drop')).body, 'dropped itself');
    assert.notEqual((await ask('/drop')).body, 'dropped itself');
  });

  test('settings of one request do not reach the next', async () => {
    assert.equal((await ask('/leak')).body, 'leaked');
    assert.equal((await ask('/seen')).body, '[]');
  });

  test('http_proxy passes the answer of another server on', async () => {
    const upstream = createServer((request, response) => {
      response.writeHead(203, { 'x-asked': request.url ?? '' }).end('from afar');
    }).listen(0, '127.0.0.1');
    await once(upstream, 'listening');
    const { port: upstreamPort } = upstream.address() as AddressInfo;
    await sql.query('insert into upstream values ($1)', [`http://127.0.0.1:${upstreamPort}/there?x`]);
    const { status, body, headers } = await ask('/proxy');
    assert.deepEqual([status, body, headers.get('x-asked')], [203, 'from afar', '/there?x']);
    upstream.closeAllConnections();
    upstream.close();
  });

  test('a listener that is inserted accepts, and one that is deleted refuses', async () => {
    await sql.query(`insert into omni_httpd.listeners (address, port) values ('127.0.0.1', 0)`);
    const effective = async (): Promise<number> => {
      const { rows } = await sql.query<{ effective_port: number }>(
        'select effective_port from omni_httpd.listeners order by id desc limit 1',
      );
      return rows[0]?.effective_port ?? 0;
    };
    while ((await effective()) === 0);
    const second = await effective();
    assert.equal((await fetch(`http://127.0.0.1:${second}/count`)).status, 200);
    await sql.query('delete from omni_httpd.listeners where port = 0 and effective_port = $1', [second]);
    await server.process.prints(new RegExp(`no longer listening on http://127\\.0\\.0\\.1:${second}`), 'err');
    await assert.rejects(RawClient.connect(second), { code: 'ECONNREFUSED' });
  });

  test('a route that cannot be compiled is reported, and the others go on working', async () => {
    await sql.query(`create function many(request omni_httpd.http_request) returns setof omni_httpd.http_outcome
      language sql as $$ select omni_httpd.http_response('many') $$`);
    await sql.query(
      `insert into omni_httpd.urlpattern_router values (omni_httpd.urlpattern('/many'), 'many'::regproc)`,
    );
    await server.process.prints(/many[^]*set|set[^]*many/i, 'err');
    assert.equal((await ask('/count')).body, '0');
    const problem = async (): Promise<string> => {
      const { rows } = await sql.query<{ problem: string }>('select problem from howdah.route_problems');
      return rows[0]?.problem ?? '';
    };
    let found = await problem();
    while (found === '') found = await problem();
    assert.match(found, /set/);
  });
});
