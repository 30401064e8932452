// Clients that ask for much and take little: what they can make the server hold is bounded, and does not last.
import assert from 'node:assert/strict';
import { constants } from 'node:http2';
import { test } from 'node:test';
import type { Exchange } from '../../src/web/exchange.ts';
import { ACK, frame, PREFACE, request, settings, TYPE, uint32 } from '../protocol/http2/peer.ts';
import { startHttp, type HttpFixture } from '../support/http-fixture.ts';

const PIECE = 16_384;
const STREAM_BUFFER = 4 * PIECE;
const CONNECTION_BUFFER = 20 * PIECE;
const STREAMS = 50;

interface Endless {
  readonly http: HttpFixture;
  /** Octets made so far, for all streams. */
  readonly made: () => number;
  /** Bodies that are being made. */
  readonly running: () => number;
}

/** Answers each request with a body that does not end, as long as somebody takes it. */
async function start(stalledTimeoutMs: number): Promise<Endless & AsyncDisposable> {
  let made = 0;
  let running = 0;
  async function* endless(): AsyncGenerator<Buffer> {
    running += 1;
    try {
      for (;;) {
        made += PIECE;
        yield Buffer.alloc(PIECE);
        await new Promise(setImmediate);
      }
    } finally {
      running -= 1;
    }
  }
  const handle = (exchange: Exchange): void =>
    exchange.respondStreamed({ status: 200, fields: [], body: endless() });
  const { DEFAULT_OPTIONS } = await import('../../src/protocol/http2/options.ts');
  const http2 = {
    ...DEFAULT_OPTIONS,
    maxStreamBufferBytes: STREAM_BUFFER,
    maxConnectionBufferBytes: CONNECTION_BUFFER,
    stalledTimeoutMs,
  };
  const http = await startHttp(handle, { server: { http2 } });
  return {
    http,
    made: () => made,
    running: () => running,
    [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
  };
}

/** Resolves with the number when it has not changed over many turns of the loop. */
async function settled(read: () => number): Promise<number> {
  for (let before = -1; ;) {
    for (let i = 0; i < 300; i += 1) await new Promise(setImmediate);
    const now = read();
    if (now === before) return now;
    before = now;
  }
}

const ASKED = Buffer.concat(Array.from({ length: STREAMS }, (_, i) => request(1 + i * 2)));

test('windows held at 0 stop the bodies at the buffers of stream and connection, and stalledTimeoutMs ends them', async () => {
  await using server = await start(300);
  const client = await server.http.connect();
  client.send(Buffer.concat([PREFACE, frame(TYPE.SETTINGS, 0, 0, settings([4, 0])), ASKED]));
  const made = await settled(server.made);
  assert.ok(made >= CONNECTION_BUFFER, `${made}`);
  // Whoever comes when the connection has enough still brings a piece.
  assert.ok(made <= CONNECTION_BUFFER + STREAMS * PIECE, `${made}`);
  await client.until(() => server.running() === 0);
  const bytes = Buffer.from(client.text, 'latin1');
  const cancel = Buffer.concat([frame(TYPE.RST_STREAM, 0, 1, uint32(constants.NGHTTP2_CANCEL))]);
  assert.ok(bytes.includes(cancel));
});

test('a window that is opened by one octet at a time is no way to keep a body for long', async () => {
  await using server = await start(60_000);
  const client = await server.http.connect();
  client.send(Buffer.concat([PREFACE, frame(TYPE.SETTINGS, 0, 0, settings([4, 0])), request(1)]));
  const update = frame(TYPE.WINDOW_UPDATE, 0, 1, uint32(1));
  for (let i = 0; i < 1100; i += 1) client.send(update);
  const text = await client.untilEnd();
  const goaway = Buffer.from(text, 'latin1');
  const at = goaway.lastIndexOf(Buffer.from([TYPE.GOAWAY, 0, 0, 0, 0, 0]));
  assert.equal(goaway.readUInt32BE(at + 10), constants.NGHTTP2_ENHANCE_YOUR_CALM);
  await settled(server.running).then((running) => assert.equal(running, 0));
});

test('a client that opens its windows and does not read its socket stops the bodies as well', async () => {
  await using server = await start(60_000);
  const client = await server.http.connect();
  client.socket.pause();
  const open = [
    frame(TYPE.SETTINGS, 0, 0, settings([4, 0x7fffffff])),
    frame(TYPE.WINDOW_UPDATE, 0, 0, uint32(0x7fff0000)),
  ];
  client.send(Buffer.concat([PREFACE, ...open, ASKED]));
  const made = await settled(server.made);
  // Beside our buffers, those of the two sockets in the system: some MB, whatever is asked for.
  assert.ok(made < 24_000_000, `${made}`);
  const before = client.socket.bytesRead;
  client.socket.resume();
  await client.until(() => server.made() > made && client.socket.bytesRead > before);
});

test('a client that takes an answer slowly but steadily gets all of it, also where it is the last', async (context) => {
  // Time goes by when the test says so.
  context.mock.timers.enable({ apis: ['setInterval', 'Date'], now: Date.now() });
  const { DEFAULT_OPTIONS } = await import('../../src/protocol/http2/options.ts');
  const body = Buffer.alloc(48_000_000, 'z');
  // All of it is one write.
  const http2 = { ...DEFAULT_OPTIONS, maxGatheredBytes: 2 * body.length };
  await using http = await startHttp((exchange) => exchange.respond({ status: 200, fields: [], body }), {
    server: { http2, idleTimeoutMs: 60_000, lingerTimeoutMs: 1000 },
  });
  for (const last of [false, true]) {
    const client = await http.connect();
    client.send(
      Buffer.concat([
        PREFACE,
        frame(TYPE.SETTINGS, 0, 0, settings([4, 0x7fffffff])),
        frame(TYPE.SETTINGS, ACK, 0),
        frame(TYPE.WINDOW_UPDATE, 0, 0, uint32(0x7fff0000)),
        request(1),
        ...(last ? [frame(TYPE.GOAWAY, 0, 0, Buffer.alloc(8))] : []),
      ]),
    );
    // More than the buffers of the system hold, so that some of it has left the server since the last time.
    for (let bytes = 12_000_000; bytes < body.length; bytes += 12_000_000) {
      await client.until((text) => text.length > bytes);
      if (last && bytes > 12_000_000) client.socket.end();
      client.socket.pause();
      context.mock.timers.tick(40_000);
      client.socket.resume();
    }
    await client.until((text) => text.length > body.length);
  }
});
