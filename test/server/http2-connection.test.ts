// What is peculiar to HTTP/2 over real sockets, in clear with prior knowledge, as node:http2's client sees it; what all
// protocols do alike is in cases.test.ts. The machine itself is tested
// in test/protocol/http2.
import assert from 'node:assert/strict';
import { connect, constants, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import { once } from 'node:events';
import { test } from 'node:test';
import type { Exchange } from '../../src/web/exchange.ts';
import { ACK, frame, PREFACE, request, TYPE, uint32 } from '../protocol/http2/peer.ts';
import { get, startHttp, type FixtureOptions, type HttpFixture } from '../support/http-fixture.ts';

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly trailers: IncomingHttpHeaders;
}

const text = (exchange: Exchange, body: string): void => {
  exchange.respond({ status: 200, fields: ['content-type', 'text/plain'], body });
};
const echo = (exchange: Exchange): void => {
  exchange.collectBody(1_000_000, (body) =>
    text(exchange, `${exchange.head.method} ${exchange.head.path} ${body.toString()}`),
  );
};

async function start(handle: (exchange: Exchange) => void, options: FixtureOptions = {}) {
  const http: HttpFixture = await startHttp(handle, options);
  const session = connect(`http://127.0.0.1:${http.port}`);
  session.on('error', () => {});
  return {
    http,
    session,
    async [Symbol.asyncDispose]() {
      session.destroy();
      await http[Symbol.asyncDispose]();
    },
  };
}

async function ask(
  session: ClientHttp2Session,
  path: string,
  { method = 'GET', headers = {}, body }: { method?: string; headers?: object; body?: string | Buffer } = {},
): Promise<Answer> {
  const stream = session.request({ ':path': path, ':method': method, ...headers });
  let trailers: IncomingHttpHeaders = {};
  stream.on('trailers', (fields: IncomingHttpHeaders) => (trailers = fields));
  const answered = once(stream, 'response') as Promise<[IncomingHttpHeaders & { ':status': number }]>;
  if (body === undefined) stream.end();
  else stream.end(body);
  const [headersReceived] = await answered;
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return {
    status: headersReceived[':status'],
    headers: headersReceived,
    body: Buffer.concat(chunks).toString('latin1'),
    trailers,
  };
}

test('streams run side by side: a slow one does not hold up the others', async () => {
  const slow: Exchange[] = [];
  await using h2 = await start((exchange) => {
    if (exchange.head.path === '/slow') slow.push(exchange);
    else echo(exchange);
  });
  const first = ask(h2.session, '/slow');
  const others = await Promise.all(['/1', '/2', '/3'].map((path) => ask(h2.session, path)));
  assert.deepEqual(
    others.map((answer) => answer.body),
    ['GET /1 ', 'GET /2 ', 'GET /3 '],
  );
  const [exchange] = slow;
  assert.ok(exchange);
  text(exchange, 'at last');
  assert.equal((await first).body, 'at last');
});

test('abort resets the stream and leaves the connection', async () => {
  await using h2 = await start((exchange) => {
    if (exchange.head.path === '/abort') exchange.abort();
    else echo(exchange);
  });
  const stream = h2.session.request({ ':path': '/abort' });
  await once(stream, 'close');
  assert.equal(stream.rstCode, constants.NGHTTP2_CANCEL);
  assert.equal((await ask(h2.session, '/next')).body, 'GET /next ');
});

test('an answer that fails half-way resets the stream with INTERNAL_ERROR', async () => {
  async function* body(): AsyncGenerator<Buffer> {
    yield Buffer.from('begun');
    await Promise.resolve();
    throw new Error('no more');
  }
  await using h2 = await start((exchange) =>
    exchange.respondStreamed({ status: 200, fields: [], body: body() }),
  );
  const stream = h2.session.request({ ':path': '/' });
  stream.resume();
  const [error] = (await once(stream, 'error')) as [Error];
  assert.match(error.message, /INTERNAL_ERROR/);
});

test('a stream that the client resets is told to the handler, and the others go on', async () => {
  const { promise: left, resolve } = Promise.withResolvers<void>();
  await using h2 = await start((exchange) => {
    if (exchange.head.path === '/leave') exchange.onClose(resolve);
    else echo(exchange);
  });
  const stream = h2.session.request({ ':path': '/leave' });
  stream.on('error', () => {});
  await ask(h2.session, '/before');
  stream.close(constants.NGHTTP2_CANCEL);
  await left;
  assert.equal((await ask(h2.session, '/after')).body, 'GET /after ');
});

test('draining sends GOAWAY, finishes the streams, and closes (RFC 9113 §6.8)', async () => {
  const waiting: Exchange[] = [];
  await using h2 = await start((exchange) => waiting.push(exchange));
  const answer = ask(h2.session, '/');
  while (waiting.length === 0) await new Promise(setImmediate);
  const goaway = once(h2.session, 'goaway');
  await h2.http.listener.suspend();
  const drained = h2.http.server.drain(10_000);
  await goaway;
  const [exchange] = waiting;
  assert.ok(exchange);
  text(exchange, 'last');
  assert.equal((await answer).body, 'last');
  await drained;
});

test('a client that sends GOAWAY has its streams finished, and is sent one before the end (RFC 9113 §6.8)', async () => {
  const waiting: Exchange[] = [];
  await using http = await startHttp((exchange) => waiting.push(exchange));
  const client = await http.connect();
  const settled = [frame(TYPE.SETTINGS, 0, 0), frame(TYPE.SETTINGS, ACK, 0)];
  client.send(Buffer.concat([PREFACE, ...settled, request(1), frame(TYPE.GOAWAY, 0, 0, uint32(0, 0))]));
  const ping = (await client.until((text) => text.includes('\x08\x06\x00\x00\x00\x00\x00'))).slice(-8);
  const [exchange] = waiting;
  assert.ok(exchange);
  text(exchange, 'last');
  await client.untilText('last');
  client.send(frame(TYPE.PING, ACK, 0, ping));
  assert.deepEqual(goawayCodes(await client.untilEnd()), [0, 0]);
});

test('a connection error is a GOAWAY with its code, and is observed (RFC 9113 §5.4.1)', async () => {
  await using http = await startHttp(echo);
  const client = await http.connect();
  client.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  client.send(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])); // SETTINGS
  client.send(Buffer.from([0, 0, 1, 0, 0, 0, 0, 0, 0, 0])); // DATA on stream 0
  const answer = Buffer.from(await client.untilEnd(), 'latin1');
  const goaway = answer.subarray(answer.indexOf(Buffer.from([7, 0, 0, 0, 0, 0])));
  assert.equal(goaway.readUInt32BE(10), constants.NGHTTP2_PROTOCOL_ERROR);
  assert.match((await http.observed('request-refused')).reason, /^HTTP\/2: /);
});

test('a client that says only half of the preface is ended, one that sends no settings too', async () => {
  await using http = await startHttp(echo, { server: { prefaceTimeoutMs: 100, requestTimeoutMs: 100 } });
  const half = await http.connect();
  half.send('PRI * HTTP/2.0\r\n\r\nSM');
  await half.untilEnd();
  const silent = await http.connect();
  silent.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  await silent.untilEnd();
});

/** Codes of the GOAWAY frames in what a server sent. */
function goawayCodes(text: string): number[] {
  const bytes = Buffer.from(text, 'latin1');
  const codes: number[] = [];
  for (let at = 0; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) {
    if (bytes[at + 3] === 7) codes.push(bytes.readUInt32BE(at + 13));
  }
  return codes;
}

const SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);

test('a client that does not acknowledge the settings in settingsTimeoutMs is told so (RFC 9113 §6.5.3)', async () => {
  await using http = await startHttp(echo, { server: { settingsTimeoutMs: 100, requestTimeoutMs: 1000 } });
  const client = await http.connect();
  client.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  client.send(SETTINGS);
  assert.deepEqual(goawayCodes(await client.untilEnd()), [constants.NGHTTP2_SETTINGS_TIMEOUT]);
});

test('a client that answers no PING gets the final GOAWAY after goawayInitialTimeoutMs (RFC 9113 §6.8)', async () => {
  await using http = await startHttp(echo, {
    server: { goawayInitialTimeoutMs: 100, lingerTimeoutMs: 100 },
  });
  const client = await http.connect();
  client.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  client.send(SETTINGS);
  await client.until((text) => text.length > 30);
  await http.listener.suspend();
  const drained = http.server.drain(60_000);
  assert.deepEqual(goawayCodes(await client.untilEnd()), [0, 0]);
  await drained;
});

test('what is not answered goawayCompleteTimeoutMs after the announcement is reset (RFC 9113 §6.8)', async () => {
  const { promise: left, resolve } = Promise.withResolvers<void>();
  const { promise: asked, resolve: receive } = Promise.withResolvers<void>();
  await using h2 = await start(
    (exchange) => {
      exchange.onClose(resolve);
      receive();
    },
    { server: { goawayCompleteTimeoutMs: 100, lingerTimeoutMs: 100 } },
  );
  const stream = h2.session.request({ ':path': '/' });
  stream.on('error', () => {});
  await asked;
  await h2.http.listener.suspend();
  const drained = h2.http.server.drain(60_000);
  await once(stream, 'close');
  assert.equal(stream.rstCode, constants.NGHTTP2_CANCEL);
  await left;
  await drained;
});

test('a client in clear that begins with HTTP/2 gets the preface of the server first (RFC 9113 §3.3, §3.4)', async () => {
  await using on = await start(echo);
  const client = await on.http.connect();
  client.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  const text = await client.until((text) => text.length >= 9);
  assert.equal(Buffer.from(text, 'latin1').toString('hex', 3, 9), '040000000000');
});

test('HTTP/1.1 and HTTP/2 are spoken on the same port', async () => {
  await using h2 = await start(echo);
  await ask(h2.session, '/two');
  const client = await h2.http.connect();
  client.send(get('/one'));
  await client.untilText('GET /one');
});

test('an idle connection is ended with GOAWAY', async () => {
  await using h2 = await start(echo, { server: { idleTimeoutMs: 150 } });
  const goaway = once(h2.session, 'goaway');
  await ask(h2.session, '/');
  await goaway;
});

test('a client that asks and never reads is not read from any more (RFC 9113 §5.2.2)', async () => {
  let asked = 0;
  await using http = await startHttp(
    (exchange) => {
      asked += 1;
      exchange.respond({ status: 200, fields: ['x-filler', 'f'.repeat(4000)], body: null });
    },
    { server: { idleTimeoutMs: 60_000 } },
  );
  const client = await http.connect();
  client.socket.pause();
  client.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  client.send(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])); // SETTINGS
  // GET / http, indexed, and a host as a literal.
  const block = Buffer.from([0x82, 0x84, 0x86, 0x41, 0x01, 0x68]);
  for (let id = 1; id < 60_000; id += 2) {
    const head = Buffer.from([0, 0, block.length, 1, 5, 0, 0, 0, 0]);
    head.writeUInt32BE(id, 5);
    client.send(Buffer.concat([head, block]));
  }
  let before = -1;
  while (asked !== before) {
    before = asked;
    for (let i = 0; i < 200; i += 1) await new Promise(setImmediate);
  }
  assert.ok(asked > 0 && asked < 29_000, `${asked} of 30000 requests were answered into nowhere`);
});
