// WebSockets whose whole application is SQL, from a client's side, against one server process.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client as SqlClient } from 'pg';
import { startServe, temporaryDirectory, type Served } from '../cli/howdah-process.ts';
import { RawClient, get, statusOf } from '../support/http-fixture.ts';
import { Client, upgradeRequest } from '../server/websocket-fixture.ts';

const SCHEMA = `
create table member (socket uuid primary key, name text, listener int, request omni_httpd.http_request);
create table said (id int generated always as identity, socket uuid, message text);
create table left_at (socket uuid, at timestamptz default now());

create or replace function omni_httpd.websocket_handler(listener int, socket uuid, request omni_httpd.http_request)
returns bool language plpgsql as $$
begin
  if request.path = '/raise' then raise exception 'no such door'; end if;
  if request.path = '/null' then return null; end if;
  if request.path like '/refused%' then return false; end if;
  insert into member values (socket, request.query_string, listener, request);
  if request.path = '/greet' then perform omni_httpd.websocket_send(socket, 'welcome'); end if;
  return true;
end $$;
create or replace function omni_httpd.websocket_on_open(uuid) returns void language plpgsql as $$
begin
  perform omni_httpd.websocket_send($1, 'open ' || name) from member where socket = $1;
end $$;
create or replace function omni_httpd.websocket_on_message(uuid, text) returns void language plpgsql as $$
begin
  if $2 = 'raise' then
    insert into said (socket, message) values ($1, 'never');
    raise exception 'cannot bear it';
  elsif $2 = 'loop' then
    loop end loop;
  elsif $2 = 'set' then
    perform set_config('app.leak', 'leaked', false);
  elsif $2 = 'leak?' then
    perform omni_httpd.websocket_send($1, 'leak: ' || coalesce(current_setting('app.leak', true), ''));
  elsif $2 like 'all %' then
    perform omni_httpd.websocket_send(socket, $2) from member;
  else
    insert into said (socket, message) values ($1, $2);
    perform omni_httpd.websocket_send($1, 'echo ' || $2);
  end if;
end $$;
create or replace function omni_httpd.websocket_on_message(uuid, bytea) returns void language plpgsql as $$
begin
  perform omni_httpd.websocket_send($1, $2 || '\\x00ff'::bytea);
end $$;
create or replace function omni_httpd.websocket_on_close(uuid) returns void language plpgsql as $$
begin
  delete from member where socket = $1;
  insert into left_at values ($1);
end $$;
`;

describe('WebSockets in SQL', () => {
  const directory = temporaryDirectory();
  let server: Served;
  let sql: SqlClient;
  let base = '';
  const open = async (path: string): Promise<Client> => Client.open(`${base}${path}`);
  const value = async (query: string, values: unknown[] = []): Promise<unknown> => {
    const { rows } = await sql.query<{ value: unknown }>(`select (${query}) as value`, values);
    return rows[0]?.value;
  };
  const socketOf = (name: string): Promise<unknown> =>
    value('select socket from member where name = $1', [name]);
  const untilTrue = async (query: string): Promise<void> => {
    while ((await value(query)) !== true);
  };

  before(async () => {
    server = await startServe(['--memory', '--handler-timeout', '1500ms'], { cwd: directory.path });
    base = server.url.replace('http', 'ws');
    sql = new SqlClient({ connectionString: server.gatewayUrl ?? '' });
    await sql.connect();
  });
  after(async () => {
    await sql.end();
    await server[Symbol.asyncDispose]();
    directory[Symbol.dispose]();
  });
  const raw = async (request: string): Promise<string> => {
    const client = await RawClient.connect(Number(new URL(server.url).port));
    client.send(request);
    const text = await client.untilText('\r\n\r\n');
    client.socket.destroy();
    return text;
  };

  test('before anything was decided, every handshake is refused with 403, and other requests are served', async () => {
    assert.equal(statusOf(await raw(upgradeRequest())), 403);
    assert.equal(statusOf(await raw(get('/'))), 200);
    await sql.query(SCHEMA);
  });

  test('the handler decides: false and null are 403, an error is 500', async () => {
    const ask = async (path: string): Promise<number> =>
      statusOf(await raw(upgradeRequest().replace('/chat', path)));
    assert.equal(await ask('/refused'), 403);
    assert.equal(await ask('/null'), 403);
    assert.equal(await ask('/raise'), 500);
    assert.equal(await ask('/'), 101);
    await server.process.prints(/no such door/, 'err');
  });

  test('the handler sees listener and request, with a body of null', async () => {
    const client = await open('/seen?seen');
    await client.until(1);
    const { rows } = await sql.query(
      `select listener, (request).method, (request).path, (request).body is null as no_body,
         omni_http.http_header_get((request).headers, 'sec-websocket-version') as version
       from member where name = 'seen'`,
    );
    assert.deepEqual(rows, [{ listener: 1, method: 'GET', path: '/seen', no_body: true, version: '13' }]);
    await client.close();
  });

  test('what the handler sends before the socket is open arrives first', async () => {
    const client = await open('/greet?early');
    assert.deepEqual(await client.until(2), ['welcome', 'open early']);
    await client.close();
  });

  test('text and bytes reach their functions and come back, in order', async () => {
    const client = await open('/?echo');
    const texts = Array.from({ length: 300 }, (_, i) => `message ${i} ✓`);
    for (const text of texts) client.send(text);
    client.send(Buffer.from([1, 2, 0, 255]));
    const told = await client.until(302);
    assert.deepEqual(told.slice(0, 301), ['open echo', ...texts.map((text) => `echo ${text}`)]);
    assert.deepEqual(told[301], Buffer.from([1, 2, 0, 255, 0, 255]));
    await client.close();
  });

  test('a message to all from a client, and from a session outside, arrives once at each, after the commit', async () => {
    const clients = await Promise.all(['a', 'b', 'c'].map((name) => open(`/?${name}`)));
    for (const client of clients) await client.until(1);
    clients[0]?.send('all together');
    for (const client of clients) assert.equal((await client.until(2))[1], 'all together');
    await sql.query('begin');
    await sql.query(`select omni_httpd.websocket_send(socket, 'undone') from member`);
    await sql.query('rollback');
    await sql.query('begin');
    await sql.query(`select omni_httpd.websocket_send(socket, 'one'), omni_httpd.websocket_send(socket, 'one'),
      omni_httpd.websocket_send(socket, '\\x02'::bytea) from member`);
    await sql.query('commit');
    for (const client of clients) {
      assert.deepEqual((await client.until(5)).slice(2), ['one', 'one', Buffer.from([2])]);
      await client.close();
    }
  });

  test('a message far larger than a notification arrives whole', async () => {
    const client = await open('/?big');
    await client.until(1);
    const big = 'ž'.repeat(400_000);
    await sql.query('select omni_httpd.websocket_send($1::uuid, $2::text)', [await socketOf('big'), big]);
    await sql.query(`select omni_httpd.websocket_send($1::uuid, 'and a small one')`, [await socketOf('big')]);
    const told = await client.until(3);
    assert.ok(told[1] === big);
    assert.equal(told[2], 'and a small one');
    assert.equal(await value('select count(*)::int from howdah.websocket_outbox'), 0);
    await client.close();
  });

  test('an error in a callback is rolled back and logged, and the connection stays', async () => {
    const client = await open('/?error');
    client.send('raise');
    client.send('still here');
    assert.deepEqual((await client.until(2))[1], 'echo still here');
    assert.equal(await value(`select count(*)::int from said where message = 'never'`), 0);
    await server.process.prints(/websocket_on_message failed: cannot bear it/, 'err');
    await client.close();
  });

  test('settings of one callback do not reach the next', async () => {
    const client = await open('/?leak');
    client.send('set');
    client.send('leak?');
    assert.equal((await client.until(2))[1], 'leak: ');
    await client.close();
  });

  test('the close of a socket is told, however it ends, and what is sent to it then is counted', async () => {
    const client = await open('/?gone');
    await client.until(1);
    const socket = await socketOf('gone');
    await client.close();
    await untilTrue(`exists (select from left_at where socket = '${String(socket)}')`);
    const before = Number(await value('howdah.websocket_undelivered()'));
    const other = await open('/?other');
    await other.until(1);
    await sql.query(`select omni_httpd.websocket_send($1::uuid, 'anybody?')`, [socket]);
    await sql.query(`select omni_httpd.websocket_send(gen_random_uuid(), 'nobody')`);
    while (Number(await value('howdah.websocket_undelivered()')) < before + 2);
    await assert.rejects(
      sql.query('select omni_httpd.websocket_send(null, $1::text)', ['x']),
      /socket can't be null/,
    );
    await assert.rejects(
      sql.query('select omni_httpd.websocket_send($1::uuid, null::text)', [socket]),
      /data can't be null/,
    );
    await other.close();
  });

  test('a replaced function is called from the next message on, on sockets that are open', async () => {
    const client = await open('/?replaced');
    await client.until(1);
    await sql.query(`create or replace function omni_httpd.websocket_on_message(uuid, bytea) returns void
      language sql as $$ select omni_httpd.websocket_send($1, 'new') $$`);
    client.send(Buffer.from('x'));
    assert.equal((await client.until(2))[1], 'new');
    await client.close();
  });

  test('many messages of one transaction arrive in order, and leave no space behind in the outbox', async () => {
    const client = await open('/?flood');
    await client.until(1);
    const count = 21_000;
    await sql.query(
      `select omni_httpd.websocket_send($1::uuid, n::text) from generate_series(1, ${count}) as n`,
      [await socketOf('flood')],
    );
    const told = await client.until(count + 1);
    assert.deepEqual(
      told.slice(1),
      Array.from({ length: count }, (_, i) => String(i + 1)),
    );
    await untilTrue(`pg_relation_size('howdah.websocket_outbox') = 0`);
    await client.close();
  });
});

describe('a server with WebSockets', () => {
  test('ends a callback that loops; the sockets stay and work again', async () => {
    using directory = temporaryDirectory();
    await using server = await startServe(['--handler-timeout', '1500ms'], { cwd: directory.path });
    const sql = new SqlClient({ connectionString: server.gatewayUrl ?? '' });
    await sql.connect();
    await sql.query(SCHEMA);
    await sql.end();
    const base = server.url.replace('http', 'ws');
    const looping = await Client.open(`${base}/?looping`);
    const bystander = await Client.open(`${base}/?bystander`);
    await looping.until(1);
    await bystander.until(1);
    looping.send('loop');
    await server.process.prints(/websocket_on_message ran longer/, 'err');
    bystander.send('after');
    assert.equal((await bystander.until(2))[1], 'echo after');
    looping.send('me too');
    assert.equal((await looping.until(2))[1], 'echo me too');
  });

  test('told to end, closes its sockets with 1001 and calls their websocket_on_close', async () => {
    using directory = temporaryDirectory();
    {
      await using server = await startServe([], { cwd: directory.path });
      const sql = new SqlClient({ connectionString: server.gatewayUrl ?? '' });
      await sql.connect();
      await sql.query(SCHEMA);
      await sql.end();
      const clients = await Promise.all(
        ['1', '2', '3'].map((name) => Client.open(`${server.url.replace('http', 'ws')}/?${name}`)),
      );
      for (const client of clients) await client.until(1);
      server.process.child.kill('SIGTERM');
      for (const client of clients) assert.equal((await client.closed).code, 1001);
      assert.equal((await server.process.ended()).code, 0);
    }
    await using again = await startServe([], { cwd: directory.path });
    const sql = new SqlClient({ connectionString: again.gatewayUrl ?? '' });
    await sql.connect();
    const { rows } = await sql.query(
      `select (select count(*)::int from left_at) as gone, (select count(*)::int from howdah.websocket_nodes) as nodes`,
    );
    assert.deepEqual(rows, [{ gone: 3, nodes: 0 }]);
    await sql.end();
  });
});
