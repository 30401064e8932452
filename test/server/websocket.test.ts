// WebSockets over HTTP/1.1 on real sockets, from the handshake to the end. The frames themselves are tested in
// test/protocol/websocket.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get, startHttp, statusOf } from '../support/http-fixture.ts';
import {
  Client,
  closeCodeOf,
  ECHO,
  frame,
  keeping,
  rawWebSocket,
  upgradeRequest,
  webSocketsOf,
} from './websocket-fixture.ts';

const TEXT = 0x81;
const BINARY = 0x82;
const CLOSE = 0x88;
const PING = 0x89;

test('a handshake is answered with 101, the key accepted, and no content-length (RFC 6455 §4.2.2)', async () => {
  await using http = await startHttp(webSocketsOf(ECHO));
  const client = await http.connect();
  client.send(upgradeRequest());
  const text = await client.untilText('\r\n\r\n');
  assert.match(text, /^HTTP\/1\.1 101 Switching Protocols\r\n/);
  assert.match(text, /\r\nconnection: upgrade\r\n/);
  assert.match(text, /\r\nupgrade: websocket\r\n/);
  assert.match(text, /\r\nserver: howdah\r\n/);
  assert.match(text, /\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/);
  assert.doesNotMatch(text, /content-length|transfer-encoding|extensions/);
  const done = await http.observed('request-done');
  assert.deepEqual([done.status, done.end], [101, 'answered']);
});

test("Node's client gets text and bytes back, compressed, in order, and closes cleanly", async () => {
  const kept = keeping(ECHO);
  await using http = await startHttp(webSocketsOf(kept.handler));
  const client = await Client.open(`ws://127.0.0.1:${http.port}/`);
  assert.match(client.socket.extensions, /permessage-deflate/);
  const long = 'a long message, '.repeat(5000);
  const bytes = Buffer.from([0, 1, 254, 255]);
  for (const message of ['short', long, bytes, 'žluťoučký 🐘', '']) client.send(message);
  assert.deepEqual(await client.until(5), ['short', long, bytes, 'žluťoučký 🐘', '']);
  client.socket.close(3001, 'enough');
  // The answer has the code; a reason is the client's own.
  assert.deepEqual(await client.closed, { code: 3001, reason: '', clean: true });
  assert.deepEqual(await kept.closed, { code: 3001, reason: 'enough' });
});

test('frames that come with the request are not lost, and the connection was one for HTTP before', async () => {
  await using http = await startHttp(webSocketsOf(ECHO));
  const client = await http.connect();
  client.send(get('/first'));
  await client.untilText('404');
  client.send(
    Buffer.concat([Buffer.from(upgradeRequest()), frame(TEXT, 'early'), frame(TEXT, 'x').subarray(0, 3)]),
  );
  await client.untilText('\x81\x05early');
  client.send(frame(TEXT, 'x').subarray(3));
  await client.untilText('\x81\x01x');
});

test('a subprotocol is chosen by the order of the client (RFC 6455 §4.2.2)', async () => {
  await using http = await startHttp(webSocketsOf(ECHO, { subprotocols: ['b', 'c'] }));
  const client = await Client.open(`ws://127.0.0.1:${http.port}/`, ['a', 'c', 'b']);
  assert.equal(client.socket.protocol, 'c');
  await client.close();
});

for (const [what, fields, status] of [
  [
    'another version is a 426',
    ['Sec-WebSocket-Version: 12', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='],
    426,
  ],
  ['a short key is a 400', ['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: short'], 400],
  ['no key is a 400', ['Sec-WebSocket-Version: 13'], 400],
] as const) {
  test(`${what}, and the connection goes on with HTTP (RFC 6455 §4.2.2)`, async () => {
    await using http = await startHttp(webSocketsOf(ECHO));
    const client = await http.connect();
    client.send(get('/', ['Upgrade: websocket', 'Connection: upgrade', ...fields, ''].join('\r\n')));
    assert.equal(statusOf(await client.untilText('\r\n\r\n')), status);
    client.send(get('/again'));
    await client.untilText('404');
  });
}

test('a switch that the request did not ask for is a 500', async () => {
  await using http = await startHttp((exchange) => {
    exchange.switchProtocol({ protocol: 'x', fields: [], takeOver: () => assert.fail('taken over') });
  });
  const client = await http.connect();
  assert.equal(statusOf(await client.say(get('/', 'Connection: close\r\n'))), 500);
});

for (const [what, bytes, code] of [
  ['a frame without a mask', Buffer.from('\x81\x01a', 'latin1'), 1002],
  ['a reserved bit', frame(0xc1, 'a'), 1002],
  ['a reserved opcode', frame(0x83, 'a'), 1002],
  ['a continuation of nothing', frame(0x80, 'a'), 1002],
  ['a fragmented ping', frame(0x09, 'a'), 1002],
  ['a close frame with one byte', frame(CLOSE, 'a'), 1002],
  ['a text that is not UTF-8', frame(TEXT, Buffer.from([0xff])), 1007],
  ['a bad byte in an unfinished text', frame(0x01, Buffer.from([0xc0])), 1007],
  ['a message above the limit', frame(BINARY, Buffer.alloc(1001)), 1009],
] as const) {
  test(`${what} closes with ${code}, and the handler is told (RFC 6455 §7.1.7)`, async () => {
    const kept = keeping();
    const limits = { maxFrameBytes: 5000, maxMessageBytes: 1000, maxFragments: 10, maxInflateRatio: 10 };
    await using http = await startHttp(webSocketsOf(kept.handler, { limits }));
    const client = await rawWebSocket(http);
    client.send(bytes);
    assert.equal(closeCodeOf(await client.untilEnd()), code);
    assert.equal((await kept.closed).code, code);
    assert.equal((await http.observed('websocket-failed')).closeCode, code);
  });
}

test('a ping is answered with its payload, between the fragments of a message (RFC 6455 §5.5.2, §5.5.3)', async () => {
  await using http = await startHttp(webSocketsOf(ECHO));
  const client = await rawWebSocket(http);
  client.send(Buffer.concat([frame(0x01, 'fra'), frame(PING, 'still there?'), frame(0x80, 'gment')]));
  assert.equal(await client.untilText('fragment'), '\x8a\x0cstill there?\x81\x08fragment');
});

test('the server answers a close frame with its code and closes first (RFC 6455 §5.5.1, §7.1.1)', async () => {
  await using http = await startHttp(webSocketsOf(ECHO));
  const client = await rawWebSocket(http);
  client.send(frame(CLOSE, Buffer.from([0x0b, 0xb8])));
  assert.equal(await client.untilEnd(), '\x88\x02\x0b\xb8');
});

test('a fault closes with its code at once, and is told to the observers with its reason (RFC 6455 §7.1.7)', async () => {
  await using http = await startHttp(webSocketsOf(ECHO));
  const client = await rawWebSocket(http);
  client.send(Buffer.concat([frame(0x83, 'reserved'), frame(TEXT, 'unheard')]));
  const text = await client.untilEnd();
  assert.equal(closeCodeOf(text), 1002);
  const failed = await http.observed('websocket-failed');
  assert.equal(failed.closeCode, 1002);
  assert.ok(text.endsWith(failed.reason));
});

test('a client that leaves without a word is 1006 (RFC 6455 §7.1.5)', async () => {
  const kept = keeping();
  await using http = await startHttp(webSocketsOf(kept.handler));
  const client = await rawWebSocket(http);
  client.socket.destroy();
  assert.equal((await kept.closed).code, 1006);
});

test('close() sends code and reason, leaves out what comes afterwards, and waits for the answer (RFC 6455 §6.1, §7.1.2)', async () => {
  const messages: unknown[] = [];
  const kept = keeping({ message: (_socket, message) => void messages.push(message) });
  await using http = await startHttp(webSocketsOf(kept.handler));
  const client = await rawWebSocket(http);
  const socket = await kept.opened;
  socket.close(4000, 'bye');
  assert.equal(socket.send('too late'), false);
  await client.untilText('\x88\x05\x0f\xa0bye');
  client.send(Buffer.concat([frame(TEXT, 'unheard'), frame(CLOSE, Buffer.from([0x0f, 0xa0]))]));
  assert.equal(await client.untilEnd(), '\x88\x05\x0f\xa0bye');
  assert.equal((await kept.closed).code, 4000);
  assert.deepEqual(messages, []);
});

test('a close frame that is not answered ends the connection after closeTimeoutMs (RFC 6455 §7.2.2)', async () => {
  const kept = keeping();
  await using http = await startHttp(webSocketsOf(kept.handler, { closeTimeoutMs: 1 }), {
    server: { lingerTimeoutMs: 100 },
  });
  const client = await rawWebSocket(http);
  (await kept.opened).close();
  await client.untilEnd();
  assert.equal((await kept.closed).code, 1006);
});

test('a silent client is sent a ping, and given up with 1011 where it does not answer', async () => {
  const kept = keeping();
  const times = { pingIntervalMs: 1, idleTimeoutMs: 300, closeTimeoutMs: 1 };
  await using http = await startHttp(webSocketsOf(kept.handler, times), { server: { lingerTimeoutMs: 100 } });
  const client = await rawWebSocket(http);
  const text = await client.untilEnd();
  const close = text.indexOf('\x88');
  assert.ok(close > 0);
  assert.equal(text.slice(0, close).replaceAll('\x89\x00', ''), '');
  assert.equal(closeCodeOf(text.slice(close)), 1011);
});

test('a client that answers pings stays', async () => {
  const kept = keeping();
  await using http = await startHttp(webSocketsOf(kept.handler, { pingIntervalMs: 1, idleTimeoutMs: 400 }), {
    server: { lingerTimeoutMs: 100 },
  });
  const client = await rawWebSocket(http);
  for (let pings = 1; pings <= 8; pings += 1) {
    await client.untilText('\x89\x00', pings);
    client.send(frame(0x8a));
  }
  assert.ok((await kept.opened).isOpen);
});

test('a handler that throws closes with 1011, and the error is observed', async () => {
  await using http = await startHttp(
    webSocketsOf({
      message() {
        throw new Error('broken');
      },
    }),
  );
  const client = await Client.open(`ws://127.0.0.1:${http.port}/`);
  client.send('x');
  assert.equal((await client.closed).code, 1011);
  assert.match(String((await http.observed('internal-error')).error), /broken/);
});

test('a drain closes with 1001 and waits for the answer', async () => {
  const http = await startHttp(webSocketsOf(ECHO));
  const client = await Client.open(`ws://127.0.0.1:${http.port}/`);
  const disposed = http[Symbol.asyncDispose]();
  assert.equal((await client.closed).code, 1001);
  await disposed;
  assert.equal(http.server.connections, 0);
});
