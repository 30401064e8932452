// What clients that do not keep up cost: a bounded amount of memory, and what is left out or closed is told.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { test } from 'node:test';
import { startHttp } from '../support/http-fixture.ts';
import { closeCodeOf, ECHO, frame, keeping, rawWebSocket, webSocketsOf } from './websocket-fixture.ts';

const MAX_UNSENT_BYTES = 300_000;
const MESSAGE = 'm'.repeat(10_000);

test('a client that never reads is closed with 1013 at maxUnsentBytes, and ended when it does not take that', async () => {
  const kept = keeping();
  const options = { maxUnsentBytes: MAX_UNSENT_BYTES, closeTimeoutMs: 1, deflatePolicy: null };
  await using http = await startHttp(webSocketsOf(kept.handler, options), {
    server: { lingerTimeoutMs: 100 },
  });
  const client = await rawWebSocket(http);
  client.socket.pause();
  const socket = await kept.opened;
  while (socket.send(MESSAGE)) {
    assert.ok(socket.unsentBytes <= MAX_UNSENT_BYTES + 100, String(socket.unsentBytes));
    await nextTurn();
  }
  assert.equal(socket.isOpen, false);
  assert.equal((await kept.closed).code, 1006);
});

test('a client that reads on after 1013 has everything up to it, and the close frame', async () => {
  const kept = keeping();
  await using http = await startHttp(webSocketsOf(kept.handler, { maxUnsentBytes: MAX_UNSENT_BYTES }));
  const client = await rawWebSocket(http);
  client.socket.pause();
  const socket = await kept.opened;
  let sent = 0;
  while (socket.send(MESSAGE)) {
    sent += 1;
    await nextTurn();
  }
  client.socket.resume();
  const frameBytes = MESSAGE.length + 4;
  await client.until((text) => text.length > sent * frameBytes + 4);
  assert.equal(closeCodeOf(client.text.slice(sent * frameBytes)), 1013);
});

test('under the policy `drop` messages are left out and counted, and the connection stays', async () => {
  const kept = keeping();
  const options = { maxUnsentBytes: MAX_UNSENT_BYTES, slowClient: 'drop' } as const;
  await using http = await startHttp(webSocketsOf(kept.handler, options));
  const client = await rawWebSocket(http);
  client.socket.pause();
  const socket = await kept.opened;
  let sent = 0;
  while (socket.droppedMessages < 10) {
    if (socket.send(MESSAGE)) sent += 1;
    await nextTurn();
  }
  client.socket.resume();
  await client.until((text) => text.length === sent * (MESSAGE.length + 4));
  assert.ok(socket.send('again'));
  await client.untilText('again');
});

test('pings of a client that never reads are not answered without end, and none is lost to one that reads later', async () => {
  const kept = keeping();
  await using http = await startHttp(webSocketsOf(kept.handler));
  const client = await rawWebSocket(http);
  client.socket.pause();
  const socket = await kept.opened;
  const payload = 'p'.repeat(100);
  const batch = Buffer.concat(Array.from({ length: 1000 }, () => frame(0x89, payload)));
  // As many as it takes until the system's buffers are full both ways.
  let pings = 0;
  while (socket.writable) {
    if (client.socket.writableLength === 0) {
      client.send(batch);
      pings += 1000;
    }
    await nextTurn();
  }
  assert.ok(socket.unsentBytes <= 200_000, String(socket.unsentBytes));
  client.socket.resume();
  await client.until((text) => text.length === pings * (payload.length + 2));
});

test('a handler that pauses gets no further message until it resumes, and none is lost', async () => {
  const got: unknown[] = [];
  const kept = keeping({
    message(socket, message) {
      got.push(message);
      socket.pause();
    },
  });
  await using http = await startHttp(webSocketsOf(kept.handler));
  const client = await rawWebSocket(http);
  client.send(Buffer.concat(['a', 'b', 'c', 'd'].map((text) => frame(0x81, text))));
  const socket = await kept.opened;
  for (const count of [1, 2, 3, 4]) {
    while (got.length < count) await nextTurn();
    await nextTurn();
    assert.equal(got.length, count);
    socket.resume();
  }
  assert.deepEqual(got, ['a', 'b', 'c', 'd']);
});

test('a client that sends its messages and closes its side without a word has all of them handled', async () => {
  const got: unknown[] = [];
  const kept = keeping({
    message(socket, message) {
      got.push(message);
      socket.pause();
    },
  });
  await using http = await startHttp(webSocketsOf(kept.handler));
  const client = await rawWebSocket(http);
  // The last one is not whole.
  client.send(Buffer.concat(['a', 'b', 'c', 'd'].map((text) => frame(0x81, text))).subarray(0, -1));
  client.socket.end();
  const socket = await kept.opened;
  let closed = false;
  void kept.closed.then(() => (closed = true));
  for (const count of [1, 2, 3]) {
    while (got.length < count) await nextTurn();
    for (let i = 0; i < 20; i += 1) await nextTurn();
    assert.equal(closed, false);
    socket.resume();
  }
  assert.equal((await kept.closed).code, 1006);
  assert.deepEqual(got, ['a', 'b', 'c']);
});

test('echoes keep their order while the client stops reading and starts again', async () => {
  await using http = await startHttp(webSocketsOf(ECHO));
  const client = await rawWebSocket(http);
  client.socket.pause();
  const count = 2000;
  const text = (i: number): string => `${String(i).padStart(6, '0')}${'.'.repeat(994)}`;
  for (let i = 0; i < count; i += 1) client.send(frame(0x81, text(i)));
  client.socket.resume();
  const all = await client.until((received) => received.length === count * 1004);
  for (let i = 0; i < count; i += 1)
    assert.equal(all.slice(i * 1004 + 4, i * 1004 + 10), text(i).slice(0, 6));
});

test('frames of one byte by the million are messages, each for itself, or fragments up to the limit', async () => {
  let messages = 0;
  const kept = keeping({ message: () => void (messages += 1) });
  await using http = await startHttp(webSocketsOf(kept.handler));
  const client = await rawWebSocket(http);
  const thousand = Buffer.concat(Array.from({ length: 1000 }, () => frame(0x81, 'x')));
  for (let sent = 0; sent < 1000; sent += 1) {
    if (!client.socket.write(thousand)) await once(client.socket, 'drain');
  }
  client.send(frame(0x89, 'all?'));
  await client.untilText('\x8a\x04all?');
  assert.equal(messages, 1_000_000);
  const fragments = Buffer.concat(Array.from({ length: 1000 }, () => frame(0x00, 'x')));
  client.send(frame(0x01, 'x'));
  client.socket.on('error', () => {});
  for (let sent = 0; sent < 1000 && !client.socket.destroyed && client.text.length < 8; sent += 1) {
    client.socket.write(fragments);
    await nextTurn();
  }
  assert.equal((await kept.closed).code, 1008);
  assert.equal(messages, 1_000_000);
});
