// Several WebSocket applications in one server, by the rows of howdah.websocket_router; and streams of events over WebSockets.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client as SqlClient } from 'pg';
import { startServe, temporaryDirectory, type Served } from '../cli/howdah-process.ts';
import { RawClient, statusOf } from '../support/http-fixture.ts';
import { Client, upgradeRequest } from '../server/websocket-fixture.ts';

const SCHEMA = `
create schema app;
create table app.log (id int generated always as identity, line text);
create function app.yes(socket uuid) returns bool language sql as 'select true';
create function app.say(socket uuid, data text) returns void language plpgsql as $$
begin
  if data = 'raise' then raise exception 'cannot bear it'; end if;
  perform omni_httpd.websocket_send(socket, 'app ' || data);
end $$;
create function app.bytes(socket uuid, data bytea) returns void language sql as
  $$ select omni_httpd.websocket_send(socket, data || '\\x2a'::bytea) $$;
create function app.opened(socket uuid) returns void language sql as $$ select omni_httpd.websocket_send(socket, 'opened') $$;
create function app.closed(socket uuid) returns void language sql as $$ insert into app.log (line) values ('closed') $$;
create function app.only_get(request omni_httpd.http_request, listener int) returns bool language sql as
  $$ select request.query_string = 'open' and listener > 0 and request.method = 'GET' $$;
create function app.feed(request omni_httpd.http_request) returns omni_httpd.http_outcome language plpgsql as $$
begin
  return case request.query_string
    when 'teapot' then omni_httpd.http_response('no coffee', 418)
    when 'abort' then omni_httpd.abort()
    when 'proxy' then omni_httpd.http_proxy('http://127.0.0.1:1')
    when 'null' then null
    when 'cors' then howdah.event_stream('feed', headers => array[omni_http.http_header('Access-Control-Allow-Origin', 'https://friend.example')])
    else howdah.event_stream('feed')
  end;
end $$;
create function app.publish(socket uuid, data text) returns void language sql as $$ select howdah.publish('feed', 'said', data) $$;
insert into howdah.websocket_router (match, handler, on_open, on_message, on_binary, on_close) values
  (omni_httpd.urlpattern('/app/:room'), 'app.yes'::regproc, 'app.opened'::regproc, 'app.say'::regproc, 'app.bytes'::regproc, 'app.closed'::regproc);
insert into howdah.websocket_router (match, handler, on_message, on_error) values
  (omni_httpd.urlpattern('/strict'), 'app.yes'::regproc, 'app.say'::regproc, 'close');
insert into howdah.websocket_router (match, handler) values (omni_httpd.urlpattern('/silent'), 'app.only_get'::regproc);
insert into howdah.websocket_router (match, handler, on_message) values
  (omni_httpd.urlpattern('/feed'), 'app.feed'::regproc, 'app.publish'::regproc);
insert into omni_httpd.urlpattern_router (match, handler) values (omni_httpd.urlpattern('/feed'), 'app.feed'::regproc);
create type app.colour as enum ('red', 'green');
create function app.enters(room int, socket uuid, colour app.colour) returns bool language plpgsql as $$
begin
  if room = 401 then perform howdah.fail(401, 'not in there'); end if;
  perform omni_httpd.websocket_send(socket, format('%s in room %s', colour, room));
  return room > 0;
end $$;
create function app.in_room(socket uuid, data text, name text, room bigint) returns void language sql as
  $$ select omni_httpd.websocket_send(socket, format('%s %s %s', room, coalesce(name, 'nobody'), data)) $$;
create function app.bytes_in_room(socket uuid, data bytea, room text) returns void language sql as
  $$ select omni_httpd.websocket_send(socket, convert_to(room, 'UTF8') || data) $$;
create function app.left_room(socket uuid, room int) returns void language sql as $$ insert into app.log (line) values ('left ' || room) $$;
insert into howdah.websocket_router (match, handler, on_message, on_binary, on_close) values
  (omni_httpd.urlpattern('/rooms/:room/:colour/:name?'), 'app.enters'::regproc, 'app.in_room'::regproc, 'app.bytes_in_room'::regproc, 'app.left_room'::regproc);
create or replace function omni_httpd.websocket_handler(int, uuid, omni_httpd.http_request) returns bool language sql as 'select true';
create or replace function omni_httpd.websocket_on_message(uuid, text) returns void language sql as
  $$ select omni_httpd.websocket_send($1, 'omni ' || $2) $$;
`;

describe('WebSocket routes', () => {
  const directory = temporaryDirectory();
  let server: Served;
  let sql: SqlClient;
  let base = '';
  const value = async (query: string): Promise<unknown> =>
    (await sql.query<{ value: unknown }>(`select (${query}) as value`)).rows[0]?.value;
  const ask = async (target: string, ...fields: string[]): Promise<string> => {
    const { port, host } = new URL(server.url);
    const client = await RawClient.connect(Number(port));
    client.send(
      upgradeRequest(...fields)
        .replace('/chat', target)
        .replace('Host: h', `Host: ${host}`),
    );
    const text = await client.untilText('\r\n\r\n');
    client.socket.destroy();
    return text;
  };

  before(async () => {
    server = await startServe(['--memory'], { cwd: directory.path });
    base = server.url.replace('http', 'ws');
    sql = new SqlClient({ connectionString: server.gatewayUrl ?? '' });
    await sql.connect();
    await sql.query(SCHEMA);
  });
  after(async () => {
    await sql.end();
    await server[Symbol.asyncDispose]();
    directory[Symbol.dispose]();
  });

  test('each path has its functions, and what no row matches goes to omni_httpd.websocket_handler', async () => {
    const app = await Client.open(`${base}/app/1`);
    const omni = await Client.open(`${base}/elsewhere`);
    app.send('hello');
    app.send(Buffer.from('!'));
    omni.send('hello');
    assert.deepEqual(await app.until(3), ['opened', 'app hello', Buffer.from('!*')]);
    assert.deepEqual(await omni.until(1), ['omni hello']);
    await app.close();
    await omni.close();
    while ((await value(`exists (select from app.log)`)) !== true);
  });

  test('its functions get the groups of the pattern by name; what does not fit is not for them, or 404', async () => {
    const socket = await Client.open(`${base}/rooms/7/red/J%C3%BCrgen`);
    socket.send('hello');
    socket.send(Buffer.from('!'));
    assert.deepEqual(await socket.until(3), ['red in room 7', '7 Jürgen hello', Buffer.from('7!')]);
    await socket.close();
    while ((await value(`exists (select from app.log where line = 'left 7')`)) !== true);
    const other = await Client.open(`${base}/rooms/8/green`);
    other.send('hello');
    assert.deepEqual(await other.until(2), ['green in room 8', '8 nobody hello']);
    await other.close();
    // Room 0 is refused by the function; where the room is no number, the row does not match.
    assert.equal(statusOf(await ask('/rooms/0/red')), 403);
    assert.equal(statusOf(await ask('/rooms/401/red')), 401);
    assert.equal(statusOf(await ask('/rooms/1/blue')), 404);
    const omni = await Client.open(`${base}/rooms/hall/red`);
    omni.send('hello');
    assert.deepEqual(await omni.until(1), ['omni hello']);
    await omni.close();
    assert.equal(server.process.err.includes('app.enters'), false);
  });

  test('what a row has no function for is left out', async () => {
    assert.equal(statusOf(await ask('/silent?other')), 403);
    const silent = await Client.open(`${base}/silent?open`);
    silent.send('text');
    silent.send(Buffer.from('bytes'));
    await silent.close();
  });

  test('a row counts from its commit on, and so does its end', async () => {
    for (let n = 0; n < 5; n += 1) {
      await sql.query(
        `insert into howdah.websocket_router (match, handler) values (omni_httpd.urlpattern('/late'), 'app.only_get'::regproc)`,
      );
      assert.equal(statusOf(await ask('/late')), 403);
      await sql.query(`delete from howdah.websocket_router where (match).pathname = '/late'`);
      assert.equal(statusOf(await ask('/late')), 101);
    }
  });

  test('where a row says so, a message that is not handled closes the connection with 1011', async () => {
    const strict = await Client.open(`${base}/strict`);
    strict.send('fine');
    assert.deepEqual(await strict.until(1), ['app fine']);
    strict.send('raise');
    assert.equal((await strict.closed).code, 1011);
    const lenient = await Client.open(`${base}/app/1`);
    lenient.send('raise');
    lenient.send('fine');
    assert.deepEqual(await lenient.until(2), ['opened', 'app fine']);
    await lenient.close();
  });

  test('the same handler feeds clients of events and WebSockets', async () => {
    const socket = await Client.open(`${base}/feed`);
    socket.send('to all');
    const [first] = await socket.until(1);
    const heard = JSON.parse(String(first)) as { id: string };
    assert.deepEqual(heard, { id: heard.id, channel: 'feed', event: 'said', data: 'to all' });
    await socket.close();
    await sql.query(`select howdah.publish('feed', null, '{"missed": 1}'::jsonb)`);
    const again = await Client.open(`${base}/feed?lastEventId=${heard.id}`);
    const [second] = await again.until(1);
    const { event, data } = JSON.parse(String(second)) as { event: string; data: string };
    assert.deepEqual([event, data], ['message', '{"missed": 1}']);
    await again.close();
    const lost = await Client.open(`${base}/feed?lastEventId=nonsense`);
    assert.equal((JSON.parse(String((await lost.until(1))[0])) as { event: string }).event, 'reset');
    await lost.close();
  });

  test('a handler that gives an outcome may answer in place of a WebSocket', async () => {
    const teapot = await ask('/feed?teapot');
    assert.equal(statusOf(teapot), 418);
    assert.equal(statusOf(await ask('/feed?null')), 403);
    assert.equal(statusOf(await ask('/feed?proxy')), 500);
    await assert.rejects(ask('/feed?abort'));
  });

  test('a page of another origin gets no stream over a WebSocket, unless the handler names it', async () => {
    const { origin } = new URL(server.url);
    assert.equal(statusOf(await ask('/feed', `Origin: ${origin}`)), 101);
    assert.equal(statusOf(await ask('/feed', 'Origin: https://foe.example')), 403);
    assert.equal(statusOf(await ask('/feed', 'Origin: null')), 403);
    assert.equal(statusOf(await ask('/feed?cors', 'Origin: https://friend.example')), 101);
    assert.equal(statusOf(await ask('/feed?cors', 'Origin: https://foe.example')), 403);
  });

  test('a row whose functions do not fit is left out, and the reason can be read', async () => {
    await sql.query(`
      create function app.gone(socket uuid) returns void language sql as '';
      create function app.number(socket uuid) returns int language sql as 'select 1';
      insert into howdah.websocket_router (match, handler, on_message) values
        (omni_httpd.urlpattern('/wrong/1'), 'app.number'::regproc, 'app.opened'::regproc),
        (omni_httpd.urlpattern('/wrong/3/:place'), 'app.enters'::regproc, 'app.in_room'::regproc);
      insert into howdah.websocket_router (match, handler, on_open) values
        (omni_httpd.urlpattern('/wrong/2'), 'app.yes'::regproc, 'app.gone'::regproc);
      insert into howdah.websocket_router (match, handler) values (omni_httpd.urlpattern('/wrong/('), 'app.yes'::regproc);
      drop function app.gone(uuid);`);
    const problems = async (): Promise<string[]> => {
      const { rows } = await sql.query<{ problem: string }>(
        `select problem from howdah.route_problems where router = 'howdah.websocket_router' order by match`,
      );
      return rows.map(({ problem }) => problem);
    };
    let found = await problems();
    while (found.length < 4) found = await problems();
    assert.match(found.join('\n'), /its handler returns neither boolean nor omni_httpd.http_outcome/);
    assert.match(found.join('\n'), /its on_message does not take \(uuid, text\)/);
    assert.match(found.join('\n'), /its on_open does not exist/);
    assert.match(
      found.join('\n'),
      /its handler takes something else .*: colour app\.colour; its on_message .* no groups of the pattern: name text, room bigint/,
    );
    const wrong = await Client.open(`${base}/wrong/1`);
    wrong.send('x');
    assert.deepEqual(await wrong.until(1), ['omni x']);
    await wrong.close();
  });
});

test('a stream over a WebSocket is compressed where that was agreed on, and tells how far it is where nothing happens on its channels', async () => {
  using directory = temporaryDirectory();
  await using server = await startServe(['--memory', '--event-retention', '2s'], { cwd: directory.path });
  const sql = new SqlClient({ connectionString: server.gatewayUrl ?? '' });
  await sql.connect();
  await sql.query(SCHEMA);
  const { port, host } = new URL(server.url);
  const packed = await RawClient.connect(Number(port));
  const handshake = upgradeRequest('Sec-WebSocket-Extensions: permessage-deflate');
  packed.send(handshake.replace('/chat', '/feed').replace('Host: h', `Host: ${host}`));
  await packed.untilText('\r\n\r\n');
  const socket = await Client.open(`${server.url.replace('http', 'ws')}/feed`);
  await sql.query(`select howdah.publish('feed', 'long', repeat('x', 5000))`);
  // Final, compressed, and with less than 126 bytes.
  await packed.until((text) => text.charCodeAt(text.indexOf('\xc1') + 1 || text.length) < 126);
  const [long] = await socket.until(1);
  const { id } = JSON.parse(String(long)) as { id: string };
  await sql.query(`select howdah.publish('elsewhere', null, 'not for them')`);
  const [, told] = await socket.until(2);
  const place = JSON.parse(String(told)) as { id: string; event: string };
  assert.deepEqual(place, { id: place.id, event: 'place' });
  assert.ok(Number(place.id.split('.')[1]) > Number(id.split('.')[1]));
  packed.socket.destroy();
  await socket.close();
  await sql.end();
});
