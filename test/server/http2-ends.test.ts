// How HTTP/2 connections and streams end where one side is slow, has half closed, or does not finish what it began.
import assert from 'node:assert/strict';
import { constants } from 'node:http2';
import { test } from 'node:test';
import type { Exchange, ResponseSink } from '../../src/web/exchange.ts';
import {
  ACK,
  data,
  END_STREAM,
  frame,
  post,
  PREFACE,
  request,
  settings,
  TYPE,
  uint32,
} from '../protocol/http2/peer.ts';
import { get, startHttp, type RawClient } from '../support/http-fixture.ts';

const SETTINGS_ACK = frame(TYPE.SETTINGS, ACK, 0);
/** A client whose windows hold nothing back. */
const OPEN = Buffer.concat([
  PREFACE,
  frame(TYPE.SETTINGS, 0, 0, settings([4, 0x7fffffff])),
  SETTINGS_ACK,
  frame(TYPE.WINDOW_UPDATE, 0, 0, uint32(0x7fff0000)),
]);
/** So that no end takes long. */
const QUICK = { goawayInitialTimeoutMs: 100, lingerTimeoutMs: 100 };
/** More than the buffers of both sockets and of the server hold. */
const LARGE = Buffer.alloc(30_000_000, 'z');

interface Received {
  readonly type: number;
  readonly flags: number;
  readonly id: number;
  readonly length: number;
  /** Of RST_STREAM and GOAWAY. */
  readonly code: number;
}

function frames({ text }: RawClient): Received[] {
  const bytes = Buffer.from(text, 'latin1');
  const found: Received[] = [];
  for (let at = 0; at + 9 <= bytes.length;) {
    const [length, type] = [bytes.readUIntBE(at, 3), bytes.readUInt8(at + 3)];
    if (at + 9 + length > bytes.length) break;
    const codeAt = type === TYPE.GOAWAY ? at + 13 : type === TYPE.RST_STREAM ? at + 9 : -1;
    const code = codeAt < 0 ? 0 : bytes.readUInt32BE(codeAt);
    found.push({ type, flags: bytes.readUInt8(at + 4), id: bytes.readUInt32BE(at + 5), length, code });
    at += 9 + length;
  }
  return found;
}

const ofType = (client: RawClient, type: number): Received[] =>
  frames(client).filter((each) => each.type === type);

/** Octets of content that came for the stream, and whether it was ended. */
function content(client: RawClient, id: number): [bytes: number, ended: boolean] {
  const own = frames(client).filter((each) => each.id === id);
  const bytes = own.reduce((sum, { type, length }) => sum + (type === TYPE.DATA ? length : 0), 0);
  return [bytes, own.some(({ type, flags }) => type === TYPE.DATA && (flags & END_STREAM) !== 0)];
}

/** Resolves when nothing has come for many turns of the loop: what waits then, waits for the client. */
async function settled(read: () => number): Promise<void> {
  for (let before = -1; before !== read();) {
    before = read();
    for (let i = 0; i < 200; i += 1) await new Promise(setImmediate);
  }
}

const large = (exchange: Exchange): void => exchange.respond({ status: 200, fields: [], body: LARGE });

test('a client that has closed its side gets the whole of an answer that its windows let through', async () => {
  await using http = await startHttp(large);
  const client = await http.connect();
  client.socket.pause();
  client.send(Buffer.concat([OPEN, request(1)]));
  await http.observed('request-done');
  client.socket.end();
  await settled(() => client.socket.bytesWritten);
  client.socket.resume();
  await client.untilEnd();
  assert.deepEqual(content(client, 1), [LARGE.length, true]);
});

test('what is held back by the windows of a client that has closed its side is given up', async () => {
  await using http = await startHttp((exchange) =>
    exchange.respond({ status: 200, fields: [], body: 'much' }),
  );
  const client = await http.connect();
  client.send(
    Buffer.concat([PREFACE, frame(TYPE.SETTINGS, 0, 0, settings([4, 1])), SETTINGS_ACK, request(1)]),
  );
  client.socket.end();
  await client.untilEnd();
  assert.deepEqual(content(client, 1), [1, false]);
  assert.deepEqual(
    ofType(client, TYPE.RST_STREAM).map(({ code }) => code),
    [constants.NGHTTP2_CANCEL],
  );
});

test('a request that is not complete is given up at once when the client closes its side', async () => {
  const left = Promise.withResolvers<string>();
  await using http = await startHttp(
    (exchange) => exchange.collectBody(1000, () => left.resolve('read'), left.resolve),
    { server: { bodyGraceMs: 1_000_000 } },
  );
  const client = await http.connect();
  client.send(Buffer.concat([OPEN, post(1), data(1, 'some')]));
  client.socket.end();
  assert.equal(await left.promise, 'client-left');
  await client.untilEnd();
});

test('a client that is gone is found out while its request is being answered, and that is told to the handler', async () => {
  const asked = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();
  await using http = await startHttp((exchange) => {
    exchange.onClose(left.resolve);
    asked.resolve();
  });
  const client = await http.connect();
  client.send(Buffer.concat([OPEN, request(1)]));
  await asked.promise;
  await settled(() => client.socket.bytesRead);
  // Nothing is unread: what the server gets is the end of the client's side, and no reset.
  client.socket.destroy();
  await left.promise;
  while (http.server.connections > 0) await new Promise(setImmediate);
});

test('a client that does not keep up is told by GOAWAY why its connection ends (RFC 9113 §5.4.1)', async () => {
  await using http = await startHttp(large, { server: { lingerTimeoutMs: 60_000 } });
  const client = await http.connect();
  client.socket.pause();
  client.send(Buffer.concat([OPEN, request(1)]));
  await http.observed('request-done');
  client.send(data(0, 'no stream'));
  await http.observed('request-refused');
  client.socket.resume();
  await client.untilEnd();
  assert.deepEqual(
    ofType(client, TYPE.GOAWAY).map(({ code }) => code),
    [constants.NGHTTP2_PROTOCOL_ERROR],
  );
  assert.ok(content(client, 1)[0] < LARGE.length);
});

test('a drain is announced to a client that is in the middle of a large answer, which it gets to its end', async () => {
  await using http = await startHttp(large, { server: QUICK });
  const client = await http.connect();
  client.socket.pause();
  client.send(Buffer.concat([OPEN, request(1)]));
  await http.observed('request-done');
  await http.listener.suspend();
  const drained = http.server.drain(60_000);
  await settled(() => client.socket.bytesWritten);
  client.socket.resume();
  await client.until(() => ofType(client, TYPE.GOAWAY).length > 0);
  const [bytes] = content(client, 1);
  assert.ok(bytes < LARGE.length, 'the announcement waits for the end of the answer');
  await client.untilEnd();
  assert.deepEqual(content(client, 1), [LARGE.length, true]);
  assert.equal(ofType(client, TYPE.GOAWAY).length, 2);
  await drained;
});

test('a body that nobody reads does not cut the answer that was made before it ended (RFC 9113 §8.1)', async () => {
  const body = Buffer.alloc(200_000, 'a');
  await using http = await startHttp((exchange) => exchange.respond({ status: 200, fields: [], body }), {
    server: { maxSkipBodyBytes: 30_000, lingerTimeoutMs: 400 },
  });
  const client = await http.connect();
  const upload = Array.from({ length: 4 }, () => data(1, 'x'.repeat(15_000)));
  client.send(Buffer.concat([PREFACE, frame(TYPE.SETTINGS, 0, 0), SETTINGS_ACK, post(1), ...upload]));
  client.send(frame(TYPE.PING, 0, 0, 'all read'));
  await client.untilText('all read');
  assert.deepEqual(ofType(client, TYPE.RST_STREAM), []);
  for (const id of [0, 1]) client.send(frame(TYPE.WINDOW_UPDATE, 0, id, uint32(200_000)));
  await client.until(() => ofType(client, TYPE.RST_STREAM).length > 0);
  assert.deepEqual(content(client, 1), [body.length, true]);
  assert.deepEqual(
    ofType(client, TYPE.RST_STREAM).map(({ code }) => code),
    [constants.NGHTTP2_NO_ERROR],
  );
});

test('a client that sends GOAWAY keeps its streams for as long as they last (RFC 9113 §6.8); a drain then tells them', async () => {
  const sinks: ResponseSink[] = [];
  let told = 0;
  await using http = await startHttp(
    (exchange) => {
      const sink = exchange.respondPushed(200, []);
      if (sink === null) return;
      sinks.push(sink);
      exchange.onDraining(() => {
        told += 1;
        sink.end();
      });
    },
    { server: QUICK },
  );
  const client = await http.connect();
  client.send(Buffer.concat([OPEN, request(1), frame(TYPE.GOAWAY, 0, 0, uint32(0, 0))]));
  await client.until(() => ofType(client, TYPE.GOAWAY).length > 0);
  assert.equal(told, 0);
  sinks[0]?.write(Buffer.from('news'));
  await client.untilText('news');
  await http.listener.suspend();
  const drained = http.server.drain(60_000);
  await client.untilEnd();
  assert.equal(told, 1);
  assert.deepEqual(content(client, 1), [4, true]);
  await drained;
});

test('a request that comes after a drain has been announced is told of it, too', async () => {
  const told: string[] = [];
  const handle = (exchange: Exchange): void => {
    if (exchange.head.path === '/first') exchange.respond({ status: 200, fields: [], body: 'hello' });
    exchange.onDraining(() => {
      told.push(exchange.head.version);
      exchange.respond({ status: 200, fields: [], body: 'bye' });
    });
  };
  await using http = await startHttp(handle, { server: { ...QUICK, drainIdleMs: 60_000 } });
  const one = await http.connect();
  one.send(get('/first'));
  await one.untilText('hello');
  const two = await http.connect();
  two.send(OPEN);
  await two.until(() => ofType(two, TYPE.SETTINGS).length === 2);
  await http.listener.suspend();
  const drained = http.server.drain(60_000);
  // Announced, and not yet refused: its PING is not answered.
  await two.until(() => ofType(two, TYPE.GOAWAY).length > 0);
  two.send(request(1));
  await two.untilText('bye');
  one.send(get());
  await one.untilText('bye');
  assert.deepEqual(told, ['2', '1.1']);
  two.socket.destroy();
  await drained;
});
