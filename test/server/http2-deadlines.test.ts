// Limits of an HTTP/2 connection that its driver keeps, each met exactly and passed by one: times by a clock that the test moves, octets of
// request bodies by counting them.
import assert from 'node:assert/strict';
import { constants } from 'node:http2';
import { mock, test } from 'node:test';
import type { Command } from '../../src/server/command.ts';
import type { ServerOptions } from '../../src/server/server-options.ts';
import type { StreamHandlerFactory } from '../../src/server/stream-handler.ts';
import type { Exchange } from '../../src/web/exchange.ts';
import { ACK, data, frame, post, PREFACE, request, TYPE, uint32 } from '../protocol/http2/peer.ts';
import { startHttp, type HttpFixture, type RawClient } from '../support/http-fixture.ts';

mock.timers.enable({ apis: ['setInterval', 'Date'], now: Date.parse('2026-01-01T00:00:00Z') });

/** The clock advances in steps of 100 ms, and with these options deadlines are looked at in each of them. */
const EACH_STEP = { lingerTimeoutMs: 400, bodyGraceMs: 400 };
const LIMIT_MS = 1000;

const SETTINGS = frame(TYPE.SETTINGS, 0, 0);
const SETTINGS_ACK = frame(TYPE.SETTINGS, ACK, 0);
const OPEN = Buffer.concat([PREFACE, SETTINGS, SETTINGS_ACK]);
let fences = 10_000_000;

const ok = (exchange: Exchange): void => exchange.respond({ status: 200, fields: [], body: 'ok' });
const collect = (exchange: Exchange): void => exchange.collectBody(100_000, () => ok(exchange));

/** Codes in the frames of a type that the server has sent. */
function codes(client: RawClient, type: number): number[] {
  const bytes = Buffer.from(client.text, 'latin1');
  const found: number[] = [];
  for (let at = 0; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) {
    if (bytes[at + 3] !== type) continue;
    found.push(bytes.readUInt32BE(at + (type === TYPE.GOAWAY ? 13 : 9)));
  }
  return found;
}

/** Has everything read and answered that was sent so far. */
async function fence(client: RawClient): Promise<void> {
  const payload = String(fences++);
  client.send(frame(TYPE.PING, 0, 0, payload));
  await client.untilText(frame(TYPE.PING, ACK, 0, payload).toString('latin1'));
}

/** Opens a connection that says `first`, and waits until the server has read it. */
async function open(http: HttpFixture, first: Buffer): Promise<RawClient> {
  const client = await http.connect();
  client.send(first);
  await client.until((text) => text.length >= 9);
  if (first !== PREFACE) await fence(client);
  return client;
}

/** Statuses of the requests that were refused. */
function refusals({ observations }: HttpFixture): number[] {
  return observations.flatMap((seen) => (seen.kind === 'request-refused' ? [seen.status] : []));
}

async function leave(http: HttpFixture, client: RawClient): Promise<void> {
  client.socket.resetAndDestroy();
  while (http.server.connections > 0) await new Promise(setImmediate);
}

/** A stream handler that says this, and answers. */
function says(command: Command): StreamHandlerFactory {
  return {
    open: () => ({
      init: () => [command, { kind: 'response', status: 200, fields: [], body: 'ok' }],
      data: () => null,
      end: () => null,
      info: () => null,
      terminate: () => {},
    }),
  };
}

type Scenario = (http: HttpFixture, passed: boolean) => Promise<void>;

/** Runs the scenario twice, LIMIT_MS in length: with that as the limit, and with one millisecond less. */
async function meetAndPass(
  option: keyof ServerOptions,
  handle: (exchange: Exchange) => void,
  scenario: Scenario,
): Promise<void> {
  for (const passed of [false, true]) {
    const limit = { [option]: passed ? LIMIT_MS - 1 : LIMIT_MS };
    await using http = await startHttp(handle, { server: { ...EACH_STEP, ...limit } });
    await scenario(http, passed);
  }
}

/** A client with a request that is not answered, LIMIT_MS after a drain has begun. */
async function inDrain(http: HttpFixture): Promise<RawClient> {
  const client = await open(http, Buffer.concat([OPEN, request(1)]));
  void http.server.drain(60_000);
  // What has arrived is read before it begins.
  await fence(client);
  mock.timers.tick(LIMIT_MS);
  await fence(client);
  return client;
}

async function endsWith(client: RawClient, code: number): Promise<void> {
  await client.untilEnd();
  assert.deepEqual(codes(client, TYPE.GOAWAY), [code]);
}

test('a preface may take prefaceTimeoutMs, and no millisecond more', () =>
  meetAndPass('prefaceTimeoutMs', ok, async (http, passed) => {
    const client = await open(http, PREFACE);
    mock.timers.tick(LIMIT_MS);
    client.send(SETTINGS);
    if (passed) await endsWith(client, constants.NGHTTP2_PROTOCOL_ERROR);
    else await fence(client);
  }));

test('a stream may set the idleTimeoutMs of its connection', async () => {
  await using http = await startHttp(ok, {
    server: EACH_STEP,
    handlers: [says({ kind: 'set-options', idleTimeoutMs: LIMIT_MS })],
  });
  const client = await open(http, Buffer.concat([OPEN, request(1)]));
  for (const passed of [false, true]) {
    mock.timers.tick(passed ? 100 : LIMIT_MS);
    await fence(client);
    assert.deepEqual(codes(client, TYPE.GOAWAY), passed ? [constants.NGHTTP2_NO_ERROR] : []);
  }
});

test('settings may be acknowledged after settingsTimeoutMs, and no millisecond later (RFC 9113 §6.5.3)', () =>
  meetAndPass('settingsTimeoutMs', ok, async (http, passed) => {
    const client = await open(http, Buffer.concat([PREFACE, SETTINGS]));
    mock.timers.tick(LIMIT_MS);
    if (passed) await endsWith(client, constants.NGHTTP2_SETTINGS_TIMEOUT);
    else {
      client.send(SETTINGS_ACK);
      mock.timers.tick(LIMIT_MS);
      assert.deepEqual(codes(client, TYPE.GOAWAY), []);
    }
  }));

test('a connection may be idle for idleTimeoutMs, and no millisecond more', () =>
  meetAndPass('idleTimeoutMs', ok, async (http, passed) => {
    const client = await open(http, Buffer.concat([OPEN, request(1)]));
    mock.timers.tick(LIMIT_MS);
    await fence(client);
    assert.deepEqual(codes(client, TYPE.GOAWAY), passed ? [constants.NGHTTP2_NO_ERROR] : []);
  }));

test('a client may leave the PING of a drain unanswered for goawayInitialTimeoutMs, and no millisecond more', () =>
  meetAndPass(
    'goawayInitialTimeoutMs',
    () => undefined,
    async (http, passed) => {
      const client = await inDrain(http);
      const announced = [constants.NGHTTP2_NO_ERROR];
      assert.deepEqual(codes(client, TYPE.GOAWAY), passed ? [...announced, ...announced] : announced);
      await leave(http, client);
    },
  ));

test('what is under way in a drain may take goawayCompleteTimeoutMs, and no millisecond more', () =>
  meetAndPass(
    'goawayCompleteTimeoutMs',
    () => undefined,
    async (http, passed) => {
      const client = await inDrain(http);
      assert.deepEqual(codes(client, TYPE.RST_STREAM), passed ? [constants.NGHTTP2_CANCEL] : []);
      await leave(http, client);
    },
  ));

test('a connection that has ended is read from for lingerTimeoutMs, and no millisecond more', () =>
  meetAndPass('lingerTimeoutMs', ok, async (http, passed) => {
    const client = await open(http, OPEN);
    client.send(data(0, 'no'));
    await endsWith(client, constants.NGHTTP2_PROTOCOL_ERROR);
    mock.timers.tick(LIMIT_MS);
    if (passed) while (http.server.connections > 0) await new Promise(setImmediate);
    else assert.equal(http.server.connections, 1);
    await leave(http, client);
  }));

test('a body that is waited for may begin after bodyGraceMs, and no millisecond later', () =>
  meetAndPass('bodyGraceMs', collect, async (http, passed) => {
    const client = await open(http, Buffer.concat([OPEN, post(1, ['content-length', '2000'])]));
    mock.timers.tick(LIMIT_MS);
    client.send(data(1, 'x'.repeat(2000), true));
    await fence(client);
    assert.deepEqual(codes(client, TYPE.RST_STREAM), passed ? [constants.NGHTTP2_NO_ERROR] : []);
    assert.deepEqual(refusals(http), passed ? [408] : []);
  }));

test('a body that is waited for comes at minBodyBytesPerSecond, or one octet too slowly', async () => {
  const rate = 240;
  await using http = await startHttp(collect, { server: { ...EACH_STEP, minBodyBytesPerSecond: rate } });
  for (const missing of [0, 1]) {
    const client = await open(http, Buffer.concat([OPEN, post(1)]));
    client.send(data(1, 'x'.repeat(2 * rate - missing)));
    await fence(client);
    mock.timers.tick(2000);
    client.send(data(1, 'x', true));
    await fence(client);
    assert.deepEqual(codes(client, TYPE.RST_STREAM), missing === 0 ? [] : [constants.NGHTTP2_NO_ERROR]);
    assert.deepEqual(refusals(http), missing === 0 ? [] : [408]);
    // Other streams of the connection are not concerned.
    client.send(Buffer.concat([post(3), data(3, 'x', true)]));
    await client.untilText('ok', missing === 0 ? 2 : 1);
  }
});

test('the rest of a request that is answered may be waited for bodyGraceMs, and no millisecond more; then it is reset without an error', () =>
  meetAndPass('bodyGraceMs', ok, async (http, passed) => {
    const client = await open(http, Buffer.concat([OPEN, post(1)]));
    await client.untilText('ok');
    mock.timers.tick(LIMIT_MS);
    await fence(client);
    assert.deepEqual(codes(client, TYPE.RST_STREAM), passed ? [constants.NGHTTP2_NO_ERROR] : []);
    client.send(data(1, 'x', true));
    await fence(client);
    await leave(http, client);
  }));

test('a request that is answered and never ends does not keep an idle connection open', async () => {
  await using http = await startHttp(ok, { server: { ...EACH_STEP, idleTimeoutMs: LIMIT_MS } });
  const client = await open(http, Buffer.concat([OPEN, post(1)]));
  // Reset after bodyGraceMs, announced after idleTimeoutMs, ended after goawayInitialTimeoutMs: the PING of the drain is not answered.
  for (let ms = 0; ms < 3 * LIMIT_MS; ms += 100) {
    mock.timers.tick(100);
    await new Promise(setImmediate);
  }
  await client.untilEnd();
  assert.deepEqual(codes(client, TYPE.GOAWAY), [constants.NGHTTP2_NO_ERROR, constants.NGHTTP2_NO_ERROR]);
  mock.timers.tick(LIMIT_MS);
  while (http.server.connections > 0) await new Promise(setImmediate);
});

test('a handler that does not ask for the body takes what time it wants: bodyGraceMs is for clients', async () => {
  const waiting: Exchange[] = [];
  await using http = await startHttp((exchange) => waiting.push(exchange), { server: EACH_STEP });
  const client = await open(http, Buffer.concat([OPEN, post(1)]));
  mock.timers.tick(10_000);
  const [exchange] = waiting;
  assert.ok(exchange);
  collect(exchange);
  mock.timers.tick(400);
  client.send(data(1, 'x', true));
  await client.untilText('ok');
});

test('maxSkipBodyBytes of a body that nobody reads are skipped, at one octet more the stream is reset (RFC 9113 §8.1)', async () => {
  const most = 30_000;
  await using http = await startHttp(ok, { server: { maxSkipBodyBytes: most } });
  const client = await open(http, OPEN);
  const body = (id: number, bytes: number): Buffer[] => [
    post(id),
    data(id, 'x'.repeat(15_000)),
    data(id, 'x'.repeat(bytes - 15_000), true),
  ];
  client.send(Buffer.concat(body(1, most)));
  await client.untilText('ok');
  client.send(Buffer.concat(body(3, most + 1)));
  await client.untilText('ok', 2);
  await fence(client);
  const reset = frame(TYPE.RST_STREAM, 0, 3, uint32(constants.NGHTTP2_NO_ERROR));
  assert.deepEqual(codes(client, TYPE.RST_STREAM), [constants.NGHTTP2_NO_ERROR]);
  assert.ok(Buffer.from(client.text, 'latin1').includes(reset));
});

test('a stream may set its own maxSkipBodyBytes', async () => {
  const http2 = { handlers: [says({ kind: 'set-options', maxSkipBodyBytes: 10 })] } as const;
  await using http = await startHttp(ok, http2);
  const client = await open(http, OPEN);
  client.send(Buffer.concat([post(1), data(1, 'x'.repeat(10), true), post(3), data(3, 'x'.repeat(11))]));
  await client.untilText('ok', 2);
  await fence(client);
  const reset = frame(TYPE.RST_STREAM, 0, 3, uint32(constants.NGHTTP2_NO_ERROR));
  assert.deepEqual(codes(client, TYPE.RST_STREAM), [constants.NGHTTP2_NO_ERROR]);
  assert.ok(Buffer.from(client.text, 'latin1').includes(reset));
});
