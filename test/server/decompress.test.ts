// The stream handler that decompresses request bodies.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as zlib from 'node:zlib';
import { decompress, type DecompressOptions } from '../../src/server/decompress.ts';
import type { Exchange, ExchangeHandler } from '../../src/web/exchange.ts';
import { requestHandler } from '../../src/web/request-handler.ts';
import { startHttp } from '../support/http-fixture.ts';
import { answerTo, TRANSPORTS, type Answer, type Headers, type Transport } from './case-clients.ts';

const [plainHttp, , h2c] = TRANSPORTS as [Transport, Transport, Transport, Transport];

/** Letters without a pattern: a quarter of their size when compressed. */
function letters(count: number): Buffer {
  let state = 1;
  return Buffer.from(
    Array.from({ length: count }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return 97 + (state >>> 29);
    }),
  );
}

const TEXT = letters(200_000);

/** Answers with the size of the body and what is left of the fields. */
const measure: ExchangeHandler = (exchange) => {
  exchange.collectBody(10_000_000, (body) => answer(exchange, body));
};
const answer = (exchange: Exchange, body: Buffer): void => {
  const { fields, contentLength } = exchange.head;
  const names = fields.filter((_, i) => i % 2 === 0).filter((name) => name.startsWith('content-'));
  const same = body.equals(TEXT) ? 'same' : String(body.length);
  exchange.respond({ status: 200, fields: [], body: `${same} ${names.join()} ${contentLength}` });
};

async function send(
  body: Buffer | string,
  headers: Headers,
  options: DecompressOptions = {},
  transport = plainHttp,
  handle = measure,
): Promise<Answer> {
  await using http = await startHttp(handle, { handlers: [decompress(options), requestHandler(handle)] });
  const client = transport.connect(http.port);
  try {
    return await answerTo(client.ask('/', { method: 'POST', headers, body }));
  } finally {
    client.close();
  }
}

const CODINGS: Readonly<Record<string, (body: Buffer) => Buffer>> = {
  gzip: zlib.gzipSync,
  'X-Gzip': zlib.gzipSync,
  deflate: zlib.deflateSync,
  br: zlib.brotliCompressSync,
  zstd: zlib.zstdCompressSync,
  'deflate, GZIP': (body) => zlib.gzipSync(zlib.deflateSync(body)),
  'identity, gzip': zlib.gzipSync,
};

describe('a request body', () => {
  for (const transport of [plainHttp, h2c]) {
    for (const [coding, encode] of Object.entries(CODINGS)) {
      test(`in ${coding} is what was encoded, over ${transport.name}`, async () => {
        const headers = { 'content-encoding': coding, 'content-type': 'text/plain' };
        const { body } = await send(encode(TEXT), headers, {}, transport);
        assert.equal(body, 'same content-type null');
      });
    }
  }

  test('of several gzip members is all of them (RFC 1952 §2.2)', async () => {
    const halves = [TEXT.subarray(0, 1000), TEXT.subarray(1000)].map((half) => zlib.gzipSync(half));
    const { body } = await send(Buffer.concat(halves), { 'content-encoding': 'gzip' });
    assert.match(body, /^same/);
  });

  test('without a coding, or in "identity", is left as it is', async () => {
    assert.equal(
      (await send(TEXT, { 'content-length': TEXT.length })).body,
      `same content-length ${TEXT.length}`,
    );
    const headers = { 'content-encoding': 'identity', 'content-length': TEXT.length };
    assert.match((await send(TEXT, headers)).body, /^same/);
  });

  test('of nothing is nothing, and a request without one is left alone', async () => {
    assert.match((await send(zlib.gzipSync(''), { 'content-encoding': 'gzip' })).body, /^0 /);
    await using http = await startHttp(measure, { handlers: [decompress(), requestHandler(measure)] });
    const client = await http.connect();
    client.send('GET / HTTP/1.1\r\nhost: h\r\ncontent-encoding: nonsense\r\n\r\n');
    assert.match(await client.untilText('\r\n\r\n0 '), /^HTTP\/1.1 200/);
  });

  test('is decompressed as it is read, with back-pressure', async () => {
    let biggest = 0;
    const handle: ExchangeHandler = (exchange) => {
      void (async () => {
        const chunks: Buffer[] = [];
        for await (const chunk of exchange.bodyStream()) {
          chunks.push(chunk);
          biggest = Math.max(biggest, chunk.length);
          await new Promise(setImmediate);
        }
        answer(exchange, Buffer.concat(chunks));
      })();
    };
    const { body } = await send(zlib.gzipSync(TEXT), { 'content-encoding': 'gzip' }, {}, plainHttp, handle);
    assert.match(body, /^same/);
    assert.ok(biggest <= 65_536, `a piece of ${biggest} bytes`);
  });

  test('that comes byte by byte is the same', async () => {
    await using http = await startHttp(measure, { handlers: [decompress(), requestHandler(measure)] });
    const client = await http.connect();
    const bytes = zlib.gzipSync('hello');
    client.send(
      `POST / HTTP/1.1\r\nhost: h\r\ncontent-encoding: gzip\r\ncontent-length: ${bytes.length}\r\n\r\n`,
    );
    for (const byte of bytes) {
      client.send(Buffer.of(byte));
      await new Promise(setImmediate);
    }
    assert.match(await client.untilText('null'), /\r\n\r\n5 {2}null$/);
  });

  test('is not asked for before the handler asks (RFC 9110 §10.1.1)', async () => {
    const ready = Promise.withResolvers<undefined>();
    const handle: ExchangeHandler = (exchange) => void ready.promise.then(() => measure(exchange));
    await using http = await startHttp(handle, { handlers: [decompress(), requestHandler(handle)] });
    const client = await http.connect();
    const bytes = zlib.gzipSync('hello');
    client.send(
      `POST / HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-encoding: gzip\r\ncontent-length: ${bytes.length}\r\n\r\n`,
    );
    await new Promise(setImmediate);
    assert.equal(client.text, '');
    ready.resolve(undefined);
    await client.untilText('100 Continue\r\n\r\n');
    client.send(bytes);
    assert.match(await client.untilText('null'), /\r\n\r\n5 {2}null$/);
  });
});

describe('refused is', () => {
  for (const coding of ['compress', 'nonsense', 'gzip, nonsense', 'gzip, gzip, gzip', 'gzip gzip']) {
    test(`the coding ${coding}: 415 and what is known (RFC 9110 §15.5.16)`, async () => {
      const { status, headers, body } = await send(zlib.gzipSync(TEXT), { 'content-encoding': coding });
      assert.deepEqual([status, headers['accept-encoding']], [415, 'zstd, br, gzip, deflate']);
      assert.match(body, /content coding is not known/);
    });
  }

  const malformed: readonly [what: string, body: Buffer, coding: string][] = [
    ['what is not in its coding', Buffer.from('plain text'), 'gzip'],
    ['what is cut off', zlib.gzipSync(TEXT).subarray(0, -10), 'gzip'],
    ['what is cut off, in br', zlib.brotliCompressSync(TEXT).subarray(0, -10), 'br'],
    ['what is cut off, in zstd', zlib.zstdCompressSync(TEXT).subarray(0, -10), 'zstd'],
    ['what is not in the second of its codings', zlib.gzipSync('plain text'), 'deflate, gzip'],
    ['what goes on after its end', Buffer.concat([zlib.deflateSync(TEXT), Buffer.from('!')]), 'deflate'],
    ['what goes on after its end, in gzip', Buffer.concat([zlib.gzipSync(TEXT), Buffer.from('!')]), 'gzip'],
    ['what goes on after its end, in zstd', Buffer.concat([zlib.zstdCompressSync(TEXT), TEXT]), 'zstd'],
    ['a wrong checksum', Buffer.concat([zlib.gzipSync(TEXT).subarray(0, -8), Buffer.alloc(8)]), 'gzip'],
  ];
  for (const [what, body, coding] of malformed) {
    test(`${what}: 400`, async () => {
      const answered = await send(body, { 'content-encoding': coding });
      assert.equal(answered.status, 400);
      assert.match(answered.body, /not what its content-encoding says/);
    });
  }

  const bomb = zlib.gzipSync(Buffer.alloc(20_000_000));
  test('what is out of proportion: 413', async () => {
    assert.equal((await send(bomb, { 'content-encoding': 'gzip' })).status, 413);
    const zeros = zlib.gzipSync(Buffer.alloc(65_536));
    assert.equal((await send(zeros, { 'content-encoding': 'gzip' })).status, 200, 'but not what is small');
  });

  test('what is larger than allowed: 413; what is as large is not', async () => {
    const body = zlib.gzipSync(TEXT);
    const headers = { 'content-encoding': 'gzip' };
    assert.equal((await send(body, headers, { maxBytes: TEXT.length })).status, 200);
    assert.equal((await send(body, headers, { maxBytes: TEXT.length - 1 })).status, 413);
    assert.equal((await send(bomb, headers, { maxRatio: Infinity })).status, 413, 'the limit of the handler');
  });

  test('what is found malformed after the answer began: the connection is reset', async () => {
    const handle: ExchangeHandler = (exchange) => {
      async function* body(): AsyncGenerator<Buffer> {
        yield Buffer.from('begun');
        for await (const chunk of exchange.bodyStream()) yield chunk;
      }
      exchange.respondStreamed({ status: 200, fields: [], body: body() });
    };
    const cut = zlib.gzipSync(TEXT).subarray(0, -10);
    await assert.rejects(send(cut, { 'content-encoding': 'gzip' }, {}, plainHttp, handle));
  });
});
