// Deadlines of HTTP/1 connections, drains, and slow or silent clients.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Exchange } from '../../src/web/exchange.ts';
import { get, startHttp, statusOf } from '../support/http-fixture.ts';

const ok = (exchange: Exchange): void => exchange.respond({ status: 200, fields: [], body: 'ok' });
const collect = (exchange: Exchange): void => exchange.collectBody(1000, () => ok(exchange));
const SHORT = 120;

test('a head that does not come in time is a 408', async () => {
  await using http = await startHttp(ok, { server: { requestTimeoutMs: SHORT } });
  const client = await http.connect();
  client.send('GET / HTTP/1.1\r\nHost');
  const answer = await client.untilEnd();
  assert.equal(statusOf(answer), 408);
  assert.match(answer, /connection: close/i);
});

test('a client that sends its head byte by byte gets no more time for it', async () => {
  await using http = await startHttp(ok, { server: { requestTimeoutMs: SHORT } });
  const client = await http.connect();
  const drip = setInterval(() => client.send('x'), 10);
  client.send('GET / HTTP/1.1\r\nHost: h\r\nX: ');
  const answer = await client.untilEnd();
  clearInterval(drip);
  assert.equal(statusOf(answer), 408);
});

test('the time for a head begins with it, also behind a body that nobody reads or an answer that is not taken', async (context) => {
  // Time goes by when the test says so.
  context.mock.timers.enable({ apis: ['setInterval', 'Date'], now: Date.now() });
  const large = Buffer.alloc(20_000_000);
  await using http = await startHttp(
    (exchange) => {
      const body = exchange.head.path === '/large' ? large : 'ok';
      exchange.respond({ status: 200, fields: [], body });
    },
    { server: { requestTimeoutMs: 5000, bodyGraceMs: 60_000, idleTimeoutMs: 60_000 } },
  );
  const begun = 'GET / HTTP/1.1\r\nHo';
  const rest = 'st: h\r\nConnection: close\r\n\r\n';
  const [unread, untaken, later] = [await http.connect(), await http.connect(), await http.connect()];

  unread.send('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n');
  await unread.untilText('ok');
  untaken.socket.pause();
  untaken.send(get('/large') + begun);
  for (let i = 1; i <= 2; i += 1) {
    later.send(get());
    await later.untilText('ok', i);
  }
  context.mock.timers.tick(8000);
  unread.send(`xx${begun}`);
  untaken.socket.resume();
  await untaken.until((text) => text.length > large.length);
  for (let i = 3; i <= 4; i += 1) {
    later.send(get());
    await later.untilText('ok', i);
  }
  context.mock.timers.tick(4000);
  for (const client of [unread, untaken]) {
    client.send(rest);
    assert.match((await client.untilEnd()).slice(-200), /200 OK[^]*ok$/);
  }
});

test('a body that nobody reads has its time from the answer on, however long that took', async (context) => {
  context.mock.timers.enable({ apis: ['setInterval', 'Date'], now: Date.now() });
  const waiting: Exchange[] = [];
  await using http = await startHttp((exchange) => waiting.push(exchange), {
    server: { bodyGraceMs: 5000, idleTimeoutMs: 60_000 },
  });
  const client = await http.connect();
  client.send('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n');
  while (waiting.length === 0) await new Promise(setImmediate);
  context.mock.timers.tick(20_000);
  waiting.forEach(ok);
  await client.untilText('ok');
  context.mock.timers.tick(1000);
  client.send(`xx${get('/next')}`);
  while (waiting.length === 1 && !client.ended) await new Promise(setImmediate);
  assert.equal(waiting[1]?.head.path, '/next');
});

test('a silent connection is closed after the idle timeout, without an answer', async () => {
  await using http = await startHttp(ok, { server: { idleTimeoutMs: SHORT } });
  const silent = await http.connect();
  assert.equal(await silent.untilEnd(), '');
  const kept = await http.connect();
  kept.send(get());
  assert.match(await kept.untilEnd(), /ok$/);
});

test('a body that comes too slowly is a 408', async () => {
  await using http = await startHttp(collect, { server: { bodyGraceMs: SHORT } });
  const client = await http.connect();
  const drip = setInterval(() => client.send('x'), 50);
  client.send('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n');
  const answer = await client.untilEnd();
  clearInterval(drip);
  assert.equal(statusOf(answer), 408);
});

test('a handler that takes its time is not the client’s fault', async () => {
  const waiting: Exchange[] = [];
  await using http = await startHttp((exchange) => waiting.push(exchange), {
    server: { requestTimeoutMs: SHORT, idleTimeoutMs: SHORT, bodyGraceMs: SHORT },
  });
  const patient = await http.connect();
  patient.send('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n');
  // A silent connection that is opened later and closed for it shows that the time has passed.
  while (waiting.length === 0) await new Promise(setImmediate);
  for (let i = 0; i < 2; i += 1) await (await http.connect()).untilEnd();
  const [exchange] = waiting;
  assert.ok(exchange);
  collect(exchange);
  patient.send('ab');
  await patient.untilText('ok');
});

test('a client that never reads its answer is cut off after the idle timeout', async () => {
  await using http = await startHttp(
    (exchange) => exchange.respond({ status: 200, fields: [], body: Buffer.alloc(50_000_000) }),
    { server: { idleTimeoutMs: SHORT } },
  );
  const client = await http.connect();
  client.socket.pause();
  client.send(get());
  while (http.server.connections === 0) await new Promise(setImmediate);
  while (http.server.connections > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(http.server.connections, 0);
});

for (const [where, fields] of [
  ['on a connection that goes on', ''],
  ['before the end of its connection', 'Connection: close\r\n'],
] as const) {
  test(`a client that takes a large answer slowly but steadily gets all of it, ${where}`, async (context) => {
    // Time goes by when the test says so.
    context.mock.timers.enable({ apis: ['setInterval', 'Date'], now: Date.now() });
    const body = Buffer.alloc(48_000_000, 'z');
    await using http = await startHttp((exchange) => exchange.respond({ status: 200, fields: [], body }), {
      server: { idleTimeoutMs: 60_000, lingerTimeoutMs: 1000 },
    });
    const client = await http.connect();
    client.send(get('/', fields));
    // More than the buffers of the system hold, so that some of it has left the server since the last time.
    for (let bytes = 12_000_000; bytes < body.length; bytes += 12_000_000) {
      await client.until((text) => text.length > bytes);
      if (fields !== '' && bytes > 12_000_000) client.socket.end();
      client.socket.pause();
      context.mock.timers.tick(40_000);
      client.socket.resume();
    }
    await client.until((text) => text.length > body.length);
  });
}

test('draining finishes what is under way, says connection: close, and closes idle connections', async () => {
  const waiting: Exchange[] = [];
  await using http = await startHttp((exchange) => waiting.push(exchange));
  const idle = await http.connect();
  const busy = await http.connect();
  busy.send(get('/1') + get('/2'));
  while (waiting.length === 0 || http.server.connections < 2) await new Promise(setImmediate);
  await http.listener.suspend();
  const drained = http.server.drain(10_000);
  assert.equal(await idle.untilEnd(), '');
  waiting[0]?.respond({ status: 200, fields: [], body: 'last' });
  const answer = await busy.untilEnd();
  assert.match(answer, /connection: close[^]*last$/i);
  busy.socket.end();
  await drained;
  assert.equal(waiting.length, 1);
});

test('a connection that was used a moment ago may send one more request when the server drains', async () => {
  await using http = await startHttp((exchange) =>
    exchange.respond({ status: 200, fields: [], body: exchange.head.path }),
  );
  const client = await http.connect();
  client.send(get('/before'));
  await client.untilText('/before');
  const drained = http.server.drain(60_000);
  client.send(get('/while'));
  assert.match(await client.untilEnd(), /connection: close[^]*\/while$/i);
  client.socket.end();
  await drained;
});

test('draining ends at its deadline', async () => {
  await using http = await startHttp(() => {});
  const client = await http.connect();
  client.send(get());
  while (http.server.connections === 0) await new Promise(setImmediate);
  await http.server.drain(20);
  await client.untilEnd();
  assert.equal(http.server.connections, 0);
});
