// Times of an open WebSocket, each met exactly and passed by one millisecond, by a clock that the test moves.
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import type { WebSocketOptions } from '../../src/server/websocket-options.ts';
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
