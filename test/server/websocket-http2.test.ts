// WebSockets over streams of HTTP/2 (RFC 8441), with node:http2's client as the peer.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { test } from 'node:test';
import { startHttp, type FixtureOptions, type HttpFixture } from '../support/http-fixture.ts';
import type { ExchangeHandler } from '../../src/web/exchange.ts';
import { closeCodeOf, ECHO, frame, keeping, webSocketsOf } from './websocket-fixture.ts';

async function start(handle: ExchangeHandler, options: FixtureOptions = {}) {
  const http: HttpFixture = await startHttp(handle, options);
  const session: ClientHttp2Session = connect(`http://127.0.0.1:${http.port}`);
  session.on('error', () => {});
  await once(session, 'remoteSettings');
  return {
    http,
    session,
    async [Symbol.asyncDispose]() {
      session.destroy();
      await http[Symbol.asyncDispose]();
    },
  };
}

class Tunnel {
  readonly stream: ClientHttp2Stream;
  text = '';
  readonly status: Promise<number>;
  readonly ended: Promise<void>;
  readonly #waiting = new Set<() => void>();

  constructor(session: ClientHttp2Session, fields: object = {}) {
    this.stream = session.request(
      {
        ':method': 'CONNECT',
        ':protocol': 'websocket',
        ':scheme': 'http',
        ':path': '/chat',
        ':authority': 'h',
        'sec-websocket-version': '13',
        ...fields,
      },
      { endStream: false },
    );
    this.stream.on('error', () => {});
    this.status = once(this.stream, 'response').then(([head]) =>
      Number((head as object)[':status' as never]),
    );
    this.ended = once(this.stream, 'close').then(() => {});
    this.stream.on('data', (chunk: Buffer) => {
      this.text += chunk.toString('latin1');
      for (const look of this.#waiting) look();
    });
  }

  until(ready: (text: string) => boolean): Promise<string> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!ready(this.text)) return;
        this.#waiting.delete(look);
        resolve(this.text);
      };
      this.#waiting.add(look);
      look();
    });
  }
}

test('an extended CONNECT is offered, answered with 200, and carries frames both ways (RFC 8441 §3, §5)', async () => {
  const kept = keeping(ECHO);
  await using h2 = await start(webSocketsOf(kept.handler));
  const tunnel = new Tunnel(h2.session);
  assert.equal(await tunnel.status, 200);
  assert.equal(h2.session.remoteSettings.enableConnectProtocol, true);
  tunnel.stream.write(frame(0x81, 'over'));
  tunnel.stream.write(Buffer.concat([frame(0x01, 'h'), frame(0x89, 'p'), frame(0x80, '2')]));
  assert.equal(await tunnel.until((text) => text.endsWith('h2')), '\x81\x04over\x8a\x01p\x81\x02h2');
  tunnel.stream.end(frame(0x88, Buffer.from([0x03, 0xe8])));
  await tunnel.ended;
  assert.equal(closeCodeOf(tunnel.text.slice(-4)), 1000);
  assert.equal(tunnel.stream.rstCode, constants.NGHTTP2_NO_ERROR);
  assert.equal((await kept.closed).code, 1000);
});

test('several WebSockets and requests share a connection', async () => {
  await using h2 = await start((exchange) => {
    if (exchange.head.method === 'GET') exchange.respond({ status: 200, fields: [], body: 'plain' });
    else webSocketsOf(ECHO)(exchange);
  });
  const tunnels = Array.from({ length: 5 }, () => new Tunnel(h2.session));
  for (const [i, { stream }] of tunnels.entries()) stream.write(frame(0x81, `number ${i}`));
  const plain = h2.session.request({ ':path': '/' });
  let body = '';
  for await (const chunk of plain) body += String(chunk);
  assert.equal(body, 'plain');
  for (const [i, tunnel] of tunnels.entries()) await tunnel.until((text) => text.endsWith(`number ${i}`));
});

test('a stream that is reset is a client that left: 1006, and the others go on (RFC 8441 §5)', async () => {
  const kept = keeping();
  let first = true;
  await using h2 = await start((exchange) => {
    webSocketsOf(first ? kept.handler : ECHO)(exchange);
    first = false;
  });
  const gone = new Tunnel(h2.session);
  await gone.status;
  const other = new Tunnel(h2.session);
  await other.status;
  gone.stream.close(constants.NGHTTP2_CANCEL);
  assert.equal((await kept.closed).code, 1006);
  other.stream.write(frame(0x81, 'here'));
  await other.until((text) => text.endsWith('here'));
});

test('a fault closes the stream with its code, not the connection', async () => {
  await using h2 = await start(webSocketsOf(ECHO), { server: { lingerTimeoutMs: 100 } });
  const bad = new Tunnel(h2.session);
  await bad.status;
  bad.stream.write(frame(0x83));
  await bad.ended;
  assert.equal(closeCodeOf(bad.text), 1002);
  const good = new Tunnel(h2.session);
  assert.equal(await good.status, 200);
});

test('a handshake of another version is a 400, and other protocols are the application’s (RFC 8441 §5)', async () => {
  await using h2 = await start(webSocketsOf(ECHO));
  assert.equal(await new Tunnel(h2.session, { 'sec-websocket-version': '12' }).status, 400);
  assert.equal(await new Tunnel(h2.session, { ':protocol': 'other' }).status, 404);
});

test('a drain closes with 1001, and the connection ends with it', async () => {
  const h2 = await start(webSocketsOf(ECHO));
  const tunnel = new Tunnel(h2.session);
  await tunnel.status;
  const disposed = h2.http[Symbol.asyncDispose]();
  await tunnel.until((text) => text.startsWith('\x88'));
  assert.equal(closeCodeOf(tunnel.text), 1001);
  tunnel.stream.end(frame(0x88, Buffer.from([0x03, 0xe9])));
  await disposed;
  assert.equal(h2.http.server.connections, 0);
});

test('a client that does not read holds its own sending up, and loses nothing', async () => {
  const kept = keeping(ECHO);
  await using h2 = await start(webSocketsOf(kept.handler));
  const tunnel = new Tunnel(h2.session);
  await tunnel.status;
  const socket = await kept.opened;
  tunnel.stream.pause();
  const message = frame(0x82, Buffer.alloc(60_000, 'm'));
  const count = 100;
  for (let i = 0; i < count; i += 1) tunnel.stream.write(message);
  while (socket.writable) await new Promise((resolve) => setImmediate(resolve));
  // One message may go over.
  assert.ok(socket.unsentBytes < 65_536 + 2 * 60_000, String(socket.unsentBytes));
  tunnel.stream.resume();
  await tunnel.until((text) => text.length === count * (60_000 + 4));
});

test('a client that ends its stream while the handler has paused has all that it sent handled', async () => {
  const got: unknown[] = [];
  const kept = keeping({
    message(socket, message) {
      got.push(message);
      socket.pause();
    },
  });
  await using h2 = await start(webSocketsOf(kept.handler));
  const tunnel = new Tunnel(h2.session);
  assert.equal(await tunnel.status, 200);
  tunnel.stream.write(Buffer.concat([frame(0x81, 'a'), frame(0x81, 'b')]));
  const socket = await kept.opened;
  while (got.length === 0) await new Promise(setImmediate);
  tunnel.stream.end(frame(0x81, 'c'));
  let closed = false;
  void kept.closed.then(() => (closed = true));
  for (const count of [1, 2, 3]) {
    while (got.length < count) await new Promise(setImmediate);
    for (let i = 0; i < 50; i += 1) await new Promise(setImmediate);
    assert.equal(closed, false);
    socket.resume();
  }
  assert.equal((await kept.closed).code, 1006);
  assert.deepEqual(got, ['a', 'b', 'c']);
});
