// Times of an open WebSocket, each met exactly and passed by one millisecond, by a clock that the test moves.
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import type { WebSocketOptions } from '../../src/server/websocket-options.ts';
import {
  ACK,
  block,
  END_HEADERS,
  frame as h2frame,
  GET,
  PREFACE,
  settings,
  TYPE,
  uint32,
} from '../protocol/http2/peer.ts';
import { startHttp, type HttpFixture, type RawClient } from '../support/http-fixture.ts';
import { closeCodeOf, frame, keeping, rawWebSocket, webSocketsOf } from './websocket-fixture.ts';

mock.timers.enable({ apis: ['setInterval', 'Date'], now: Date.parse('2026-01-01T00:00:00Z') });

/** The clock advances in steps of 100 ms, and with this option deadlines are looked at in each of them. */
const EACH_STEP = { lingerTimeoutMs: 400 };
const LIMIT_MS = 1000;
const PING = '\x89\x00';
const PONG = 0x8a;

interface Case {
  readonly http: HttpFixture;
  readonly client: RawClient;
  readonly socket: Awaited<ReturnType<typeof keeping>['opened']>;
  readonly closed: ReturnType<typeof keeping>['closed'];
  readonly passed: boolean;
}

/** Runs `body` twice, LIMIT_MS in length: with that as the limit, and with one millisecond less. */
async function meetAndPass(
  option: keyof WebSocketOptions,
  others: Partial<WebSocketOptions>,
  body: (each: Case) => Promise<void>,
): Promise<void> {
  for (const passed of [false, true]) {
    const limit = { [option]: passed ? LIMIT_MS - 1 : LIMIT_MS };
    const kept = keeping({ message: (socket, message) => void socket.send(message) });
    const handle = webSocketsOf(kept.handler, { ...others, ...limit });
    await using http = await startHttp(handle, { server: EACH_STEP });
    const client = await rawWebSocket(http);
    await body({ http, client, socket: await kept.opened, closed: kept.closed, passed });
    client.socket.resetAndDestroy();
    while (http.server.connections > 0) await new Promise(setImmediate);
  }
}

/** What the server had sent when it answers this. */
async function heard({ client }: Case): Promise<string> {
  client.send(frame(0x81, 'fence'));
  const text = await client.untilText('\x81\x05fence');
  return text.slice(0, text.indexOf('\x81\x05fence'));
}

test('a client may say nothing for idleTimeoutMs, and no millisecond more: 1011', () =>
  meetAndPass('idleTimeoutMs', { pingIntervalMs: 0 }, async (each) => {
    mock.timers.tick(LIMIT_MS);
    if (!each.passed) assert.equal(await heard(each), '');
    else assert.equal(closeCodeOf(await each.client.untilText('\x88')), 1011);
  }));

test('a pong is something said', () =>
  meetAndPass('idleTimeoutMs', { pingIntervalMs: 0 }, async (each) => {
    mock.timers.tick(LIMIT_MS - 100);
    each.client.send(frame(PONG));
    await heard(each);
    mock.timers.tick(LIMIT_MS - 100);
    await new Promise(setImmediate);
    assert.ok(each.socket.isOpen);
  }));

test('a client that says nothing for more than pingIntervalMs is sent one ping, and another once it has answered', () =>
  meetAndPass('pingIntervalMs', { idleTimeoutMs: 60_000 }, async (each) => {
    mock.timers.tick(LIMIT_MS);
    assert.equal(await heard(each), each.passed ? PING : '');
    mock.timers.tick(10 * LIMIT_MS);
    const text = await each.client.untilText(PING, each.passed ? 2 : 1);
    assert.equal(text.split(PING).length - 1, each.passed ? 2 : 1);
  }));

test('a close frame may wait closeTimeoutMs for its answer, and no millisecond more', () =>
  meetAndPass('closeTimeoutMs', {}, async ({ client, socket, closed, passed }) => {
    socket.close(4000);
    await client.untilText('\x88\x02\x0f\xa0');
    mock.timers.tick(LIMIT_MS);
    if (!passed) client.send(frame(0x88, Buffer.from([0x0f, 0xa0])));
    assert.equal((await closed).code, passed ? 1006 : 4000);
  }));

// --- While a client is still taking what was sent before, its times have not begun ---

/** More than the buffers of the system hold. One message of this size may be sent where nothing waits. */
const LARGE = Buffer.alloc(32_000_000, 'z');
const STEP = 4_000_000;
const HEAD_BYTES = 10;
const CLOSE_4000 = frame(0x88, Buffer.from([0x0f, 0xa0]));

/** Has the client take a large message as slowly as it may: each time, most of every limit goes by. */
async function takeSlowly(client: RawClient): Promise<void> {
  for (let bytes = STEP; bytes <= LARGE.length; bytes += STEP) {
    await client.until((text) => text.length >= bytes);
    client.socket.pause();
    mock.timers.tick(900);
    client.socket.resume();
  }
}

const SLOW_TIMES = {
  limits: {
    maxFrameBytes: LARGE.length,
    maxMessageBytes: LARGE.length,
    maxFragments: 100,
    maxInflateRatio: 200,
  },
  sending: { maxSentFrameBytes: LARGE.length, minCompressBytes: 1024 },
  deflatePolicy: null,
  closeTimeoutMs: LIMIT_MS,
};

test('the time for the answer to a close frame begins when the client has taken what stands before it', async () => {
  const kept = keeping();
  await using http = await startHttp(webSocketsOf(kept.handler, SLOW_TIMES), {
    server: { lingerTimeoutMs: LIMIT_MS },
  });
  const client = await rawWebSocket(http);
  const socket = await kept.opened;
  socket.send(LARGE);
  socket.close(4000);
  await takeSlowly(client);
  await client.until((text) => text.length >= HEAD_BYTES + LARGE.length + 4);
  assert.equal(closeCodeOf(client.text.slice(HEAD_BYTES + LARGE.length)), 4000);
  client.send(CLOSE_4000);
  assert.equal((await kept.closed).code, 4000);
});

test('a client that closes gets the whole of what was sent before, however slowly it takes that', async () => {
  const kept = keeping();
  await using http = await startHttp(webSocketsOf(kept.handler, SLOW_TIMES), {
    server: { lingerTimeoutMs: LIMIT_MS },
  });
  const client = await rawWebSocket(http);
  const socket = await kept.opened;
  socket.send(LARGE);
  client.send(CLOSE_4000);
  assert.equal((await kept.closed).code, 4000);
  await takeSlowly(client);
  await client.until((text) => text.length >= HEAD_BYTES + LARGE.length + 4);
  assert.equal(closeCodeOf(client.text.slice(HEAD_BYTES + LARGE.length)), 4000);
});

test('a client is not silent as long as it takes a message: its pong is behind that', async () => {
  const kept = keeping();
  const options = { ...SLOW_TIMES, idleTimeoutMs: LIMIT_MS, pingIntervalMs: 500 };
  await using http = await startHttp(webSocketsOf(kept.handler, options), {
    server: { lingerTimeoutMs: LIMIT_MS },
  });
  const client = await rawWebSocket(http);
  const socket = await kept.opened;
  socket.send(LARGE);
  await takeSlowly(client);
  assert.ok(socket.isOpen);
  client.socket.destroy();
  await kept.closed;
});

test('over HTTP/2 as well, where it is the window of the stream that holds the message back', async () => {
  const kept = keeping();
  await using http = await startHttp(webSocketsOf(kept.handler, SLOW_TIMES), {
    server: { lingerTimeoutMs: LIMIT_MS },
  });
  const client = await http.connect();
  const fields = [
    [':method', 'CONNECT'],
    [':protocol', 'websocket'],
    ...GET.slice(1),
    ['sec-websocket-version', '13'],
  ] as const;
  const window = 1000;
  client.send(
    Buffer.concat([
      PREFACE,
      h2frame(TYPE.SETTINGS, 0, 0, settings([4, window])),
      h2frame(TYPE.SETTINGS, ACK, 0),
      h2frame(TYPE.HEADERS, END_HEADERS, 1, block(...fields)),
    ]),
  );
  const socket = await kept.opened;
  const message = 'm'.repeat(10_000);
  socket.send(message);
  socket.close(4000);
  const taken = (text: string): number => text.split('m').length - 1;
  for (let bytes = window; bytes < message.length; bytes += window) {
    await client.until((text) => taken(text) >= bytes - 20);
    mock.timers.tick(900);
    client.send(h2frame(TYPE.WINDOW_UPDATE, 0, 1, uint32(window)));
  }
  client.send(h2frame(TYPE.WINDOW_UPDATE, 0, 1, uint32(window)));
  await client.until((text) => taken(text) >= message.length && text.includes('\x88\x02\x0f\xa0'));
  client.send(h2frame(TYPE.DATA, 0, 1, CLOSE_4000));
  assert.equal((await kept.closed).code, 4000);
});
