// WebSockets and event streams on a fleet of workers with a PostgreSQL server: what is published anywhere reaches everybody, in SQL and in TypeScript;
// the database goes away and comes back; a worker is killed.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory } from '../cli/howdah-process.ts';
import { EventSourceClient } from '../live/event-source.ts';
import { Client } from '../server/websocket-fixture.ts';
import { startFleet, type Fleet } from './fleet-fixture.ts';

const LIBRARY = fileURLToPath(new URL('../../src/index.ts', import.meta.url));

const APPLICATION = `
import { application, route, sse, websocket } from ${JSON.stringify(LIBRARY)};
export default application({
  routes: [
    route('/room', websocket({
      async open(socket) {
        await socket.subscribe('room');
        socket.send(String(process.pid));
      },
      message: (socket, message) => socket.publishToFleet('room', message),
    })),
    route('GET /follow', sse((stream) => void stream.follow(['room', 'more']))),
    route('POST /publish', async (request, { events }) => {
      await events.publish('room', 'said', { text: await request.text() });
      return new Response('published');
    }),
  ],
});
`;

const SCHEMA = `
create function sock_yes(socket uuid) returns bool language sql as 'select true';
create function sock_echo(socket uuid, data text) returns void language sql as $$ select omni_httpd.websocket_send(socket, 'echo ' || data) $$;
create function follow(request omni_httpd.http_request) returns omni_httpd.http_outcome language sql as $$ select howdah.event_stream('room') $$;
insert into howdah.websocket_router (match, handler, on_message) values
  (omni_httpd.urlpattern('/sql/keep'), 'sock_yes'::regproc, 'sock_echo'::regproc);
insert into howdah.websocket_router (match, handler, on_message, on_error) values
  (omni_httpd.urlpattern('/sql/close'), 'sock_yes'::regproc, 'sock_echo'::regproc, 'close');
insert into omni_httpd.urlpattern_router (match, handler) values (omni_httpd.urlpattern('/sql/follow'), 'follow'::regproc);
`;

describe('live data on a fleet', () => {
  const directory = temporaryDirectory();
  let fleet: Fleet;
  let base = '';

  before(async () => {
    const application = join(directory.path, 'app.ts');
    writeFileSync(application, APPLICATION);
    fleet = await startFleet([application, '--workers', '2', '--handler-timeout', '5s']);
    base = fleet.url.replace('http', 'ws');
    await fleet.sql.query(SCHEMA);
    await fleet.workers((workers) => workers.length === 2);
  });
  after(async () => {
    await fleet[Symbol.asyncDispose]();
    directory[Symbol.dispose]();
  });

  /** Sockets in the room, of which each worker has some; the first message of each is the process that has it. */
  const room = async (): Promise<{ clients: Client[]; pids: string[] }> => {
    const clients: Client[] = [];
    for (;;) {
      const client = await Client.open(`${base}/room`);
      await client.until(1);
      clients.push(client);
      const pids = [...new Set(clients.map(({ messages }) => String(messages[0])))];
      if (pids.length === 2) return { clients, pids };
    }
  };

  test('what one socket publishes to the fleet reaches those of all workers, and clients of events', async () => {
    const { clients } = await room();
    const follower = await EventSourceClient.open(`${fleet.url}/follow`);
    const sqlFollower = await EventSourceClient.open(`${fleet.url}/sql/follow`);
    await follower.until(({ lastEventId, comments }) => lastEventId !== '' || comments > 0 || true);
    await sqlFollower.until(({ lastEventId }) => lastEventId !== '');
    clients[0]?.send('from a socket');
    for (const client of clients) assert.equal((await client.until(2))[1], 'from a socket');
    await fleet.sql.query(`select howdah.publish('room', null, 'from SQL')`);
    for (const client of clients) assert.equal((await client.until(3))[2], 'from SQL');
    assert.deepEqual(await sqlFollower.untilTexts(2), ['message from a socket', 'message from SQL']);
    const answer = await fetch(`${fleet.url}/publish`, { method: 'POST', body: 'from a handler' });
    assert.equal(await answer.text(), 'published');
    assert.equal((await sqlFollower.untilTexts(3))[2], 'said {"text":"from a handler"}');
    await follower.until(({ texts }) => texts.includes('said {"text":"from a handler"}'));
    clients[0]?.send(Buffer.from([1, 2, 255]));
    for (const client of clients) {
      assert.deepEqual((await client.until(5))[4], Buffer.from([1, 2, 255]));
      await client.close();
    }
    follower.close();
    sqlFollower.close();
  });

  test('while the database is away sockets stay or are closed, as their route says, and work again after', async () => {
    const keeps = await Client.open(`${base}/sql/keep`);
    const closes = await Client.open(`${base}/sql/close`);
    keeps.send('before');
    assert.deepEqual(await keeps.until(1), ['echo before']);
    const { clients } = await room();
    const follower = await EventSourceClient.open(`${fleet.url}/sql/follow`);
    await follower.until(({ lastEventId }) => lastEventId !== '');
    await fleet.postgres.shutDown('fast');
    keeps.send('meanwhile');
    closes.send('lost');
    assert.ok([1011, 1013].includes((await closes.closed).code));
    await fleet.postgres.startAgain();
    keeps.send('after');
    assert.deepEqual(await keeps.until(3), ['echo before', 'echo meanwhile', 'echo after']);
    // What listens goes on where it was.
    for (let published = false; !published;) {
      published = (await fetch(`${fleet.url}/publish`, { method: 'POST', body: 'after all' })).ok;
    }
    await follower.until(({ texts }) => texts.includes('said {"text":"after all"}'));
    for (const client of clients) {
      await client.until(2);
      await client.close();
    }
    follower.close();
    await keeps.close();
  });

  test('a worker that is killed takes its sockets along, those of others live on, and clients of events go on elsewhere', async () => {
    const { clients, pids } = await room();
    const follower = await EventSourceClient.open(`${fleet.url}/sql/follow`);
    await follower.until(({ lastEventId }) => lastEventId !== '');
    const [victim] = pids;
    process.kill(Number(victim), 'SIGKILL');
    const lost = clients.filter(({ messages }) => messages[0] === victim);
    const kept = clients.filter(({ messages }) => messages[0] !== victim);
    for (const client of lost) assert.equal((await client.closed).code, 1006);
    const told = await fetch(`${fleet.url}/publish`, { method: 'POST', body: 'we live' });
    assert.equal(told.status, 200);
    for (const client of kept) {
      assert.equal((await client.until(2))[1], '{"text":"we live"}');
      await client.close();
    }
    const again = await EventSourceClient.open(`${fleet.url}/sql/follow`, {
      lastEventId: follower.lastEventId,
    });
    await again.until(({ texts }) => texts.includes('said {"text":"we live"}') || follower.texts.length > 0);
    again.close();
    follower.close();
  });
});
