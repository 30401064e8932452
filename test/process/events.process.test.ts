// Event streams whose whole application is SQL, from a client's side, against server processes.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client as SqlClient } from 'pg';
import { startServe, temporaryDirectory, type Served } from '../cli/howdah-process.ts';
import { EventSourceClient } from '../live/event-source.ts';

export const APPLICATION = `
create or replace function news(request omni_httpd.http_request) returns omni_httpd.http_outcome language plpgsql as $$
begin
  if request.path = '/news/none' then return omni_httpd.http_response('not for you', 403); end if;
  if request.path = '/news/both' then return howdah.event_stream(array['news', 'more']); end if;
  if request.path = '/news/bad' then return howdah.event_stream('news', headers => array[omni_http.http_header('x', E'a\\nb')]); end if;
  return howdah.event_stream('news', since => substring(request.query_string from '^since=(.*)$'),
    headers => array[omni_http.http_header('x-news', 'yes')]);
end $$;
insert into omni_httpd.urlpattern_router (match, handler) values (omni_httpd.urlpattern('/news*?'), 'news'::regproc);
`;

describe('event streams in SQL', () => {
  const directory = temporaryDirectory();
  let server: Served;
  let sql: SqlClient;
  const publish = (data: string, event: string | null = null, channel = 'news'): Promise<unknown> =>
    sql.query('select howdah.publish($1, $2, $3::text)', [channel, event, data]);
  const place = async (): Promise<string> =>
    String((await sql.query<{ id: string }>('select howdah.last_event_id() as id')).rows[0]?.id);

  before(async () => {
    server = await startServe(['--memory'], { cwd: directory.path });
    sql = new SqlClient({ connectionString: server.gatewayUrl ?? '' });
    await sql.connect();
    await sql.query(APPLICATION);
  });
  after(async () => {
    await sql.end();
    await server[Symbol.asyncDispose]();
    directory[Symbol.dispose]();
  });

  for (const http2 of [false, true]) {
    test(`events arrive in order, named and with their lines, over HTTP/${http2 ? '2' : '1.1'}`, async () => {
      const client = await EventSourceClient.open(`${server.url}/news`, { http2 });
      assert.equal(client.status, 200);
      assert.equal(client.contentType, 'text/event-stream; charset=utf-8');
      await publish('one\ntwo\r\nthree ✓', 'said');
      await publish('elsewhere', null, 'more');
      await sql.query('begin');
      await publish('undone');
      await sql.query('rollback');
      await publish('');
      assert.deepEqual(await client.untilTexts(2), ['said one\ntwo\nthree ✓', 'message ']);
      const ids = client.heard.map(({ id }) => Number(id.split('.')[1]));
      assert.deepEqual(
        ids,
        ids.toSorted((a, b) => a - b),
      );
      client.close();
    });
  }

  test('a client that comes again goes on where it was, also if it had heard nothing yet', async () => {
    const first = await EventSourceClient.open(`${server.url}/news`);
    await first.until(({ lastEventId }) => lastEventId !== '');
    first.close();
    for (let n = 0; n < 1200; n += 400) {
      await sql.query(`select howdah.publish('news', null, n) from generate_series($1::int, $2::int) as n`, [
        n,
        n + 399,
      ]);
    }
    const again = await EventSourceClient.open(`${server.url}/news`, { lastEventId: first.lastEventId });
    await again.untilTexts(1200);
    await publish('live again');
    assert.deepEqual(await again.untilTexts(1201), [
      ...Array.from({ length: 1200 }, (_, n) => `message ${n}`),
      'message live again',
    ]);
    again.close();
    const middle = again.heard[599]?.id ?? '';
    const parameter = await EventSourceClient.open(`${server.url}/news?lastEventId=${middle}`);
    assert.deepEqual((await parameter.untilTexts(601)).slice(0, 2), ['message 600', 'message 601']);
    parameter.close();
  });

  test('a page and its stream fit together: the stream begins at the place that the page was made at', async () => {
    await publish('before');
    const since = await place();
    await publish('between');
    const client = await EventSourceClient.open(`${server.url}/news?since=${since}`);
    await publish('after');
    assert.deepEqual(await client.untilTexts(2), ['message between', 'message after']);
    client.close();
  });

  test('a place that is of another database, from the future or no place at all is answered with a reset', async () => {
    const now = await place();
    for (const lastEventId of ['00000000.1', `${now}9`, 'nonsense', '7']) {
      const client = await EventSourceClient.open(`${server.url}/news`, { lastEventId });
      await client.untilTexts(1);
      await publish('on');
      assert.deepEqual(await client.untilTexts(2), ['reset ', 'message on']);
      client.close();
    }
  });

  test('a place of which events are forgotten is answered with a reset, a later one is not', async () => {
    const old = await place();
    await publish('forgotten');
    await sql.query(`update howdah.events set published_at = now() - interval '1 day'`);
    await sql.query(`select howdah.prune_events('1 hour', 1000000)`);
    const client = await EventSourceClient.open(`${server.url}/news`, { lastEventId: old });
    assert.deepEqual(await client.untilTexts(1), ['reset ']);
    client.close();
    const other = await EventSourceClient.open(`${server.url}/news`, { lastEventId: client.lastEventId });
    await publish('young');
    assert.deepEqual(await other.untilTexts(1), ['message young']);
    other.close();
  });

  test('several channels are one stream in the order of the commits', async () => {
    const client = await EventSourceClient.open(`${server.url}/news/both`);
    for (let n = 0; n < 50; n += 1) await publish(String(n), null, n % 2 === 0 ? 'news' : 'more');
    assert.deepEqual(
      await client.untilTexts(50),
      Array.from({ length: 50 }, (_, n) => `message ${n}`),
    );
    client.close();
  });

  test('the handler decides: another outcome is a response, and its headers are those of the stream', async () => {
    const refused = await fetch(`${server.url}/news/none`);
    assert.deepEqual([refused.status, await refused.text()], [403, 'not for you']);
    const head = await fetch(`${server.url}/news`, { method: 'HEAD' });
    assert.deepEqual(
      [
        head.status,
        head.headers.get('content-type'),
        head.headers.get('x-news'),
        head.headers.get('cache-control'),
      ],
      [200, 'text/event-stream; charset=utf-8', 'yes', 'no-store'],
    );
    assert.equal((await fetch(`${server.url}/news/bad`)).status, 500);
  });

  test('a client that does not keep up is told by a reset, once, and then gets what is new', async () => {
    const client = await EventSourceClient.open(`${server.url}/news`);
    await client.until(({ lastEventId }) => lastEventId !== '');
    client.pause();
    // More than the sockets and the server hold.
    for (let n = 0; n < 40; n += 1) await publish(`${n} ${'x'.repeat(900_000)}`);
    client.resume();
    await client.until(({ texts }) => texts.includes('reset '));
    await publish('new');
    await client.until(({ texts }) => texts.includes('message new'));
    assert.equal(client.texts.filter((text) => text === 'reset ').length, 1);
    assert.ok(client.texts.length < 42);
    client.close();
  });

  test('told to end, the server ends its streams in good order', async () => {
    await using other = await startServe(['--memory'], { cwd: directory.path });
    const session = new SqlClient({ connectionString: other.gatewayUrl ?? '' });
    await session.connect();
    await session.query(APPLICATION);
    await session.end();
    const clients = await Promise.all(
      [false, true].map((http2) => EventSourceClient.open(`${other.url}/news`, { http2 })),
    );
    other.process.child.kill('SIGTERM');
    for (const client of clients) await client.ended;
    assert.equal((await other.process.ended()).code, 0);
    for (const client of clients) client.close();
  });
});
