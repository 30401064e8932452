// The stream handler that compresses responses.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as zlib from 'node:zlib';
import { compress, type CompressOptions } from '../../src/server/compress.ts';
import type { CompressionChoice } from '../../src/server/command.ts';
import type { StreamHandlerFactory } from '../../src/server/stream-handler.ts';
import type { ExchangeHandler } from '../../src/web/exchange.ts';
import { requestHandler } from '../../src/web/request-handler.ts';
import { startHttp } from '../support/http-fixture.ts';
import { answerTo, TRANSPORTS, type Answer, type Question, type Transport } from './case-clients.ts';

const TEXT = 'All work and no play makes Jack a dull boy. '.repeat(100);
const [plainHttp, , h2c] = TRANSPORTS as [Transport, Transport, Transport, Transport];

const DECODERS: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  gzip: zlib.gunzipSync,
  br: zlib.brotliDecompressSync,
  zstd: zlib.zstdDecompressSync,
};

function decoded(answer: Answer): string {
  const bytes = Buffer.from(answer.body, 'latin1');
  const decode = DECODERS[String(answer.headers['content-encoding'])];
  return (decode === undefined ? bytes : decode(bytes)).toString();
}

async function ask(
  handle: ExchangeHandler,
  question: Question & { readonly path?: string } = {},
  options: CompressOptions = {},
  transport = plainHttp,
  inner: StreamHandlerFactory = requestHandler(handle),
): Promise<Answer> {
  await using http = await startHttp(handle, { handlers: [compress(options), inner] });
  const client = transport.connect(http.port);
  try {
    return await answerTo(client.ask(question.path ?? '/', question));
  } finally {
    client.close();
  }
}

const respond =
  (
    body: string | Buffer | null,
    fields: readonly string[] = ['content-type', 'text/plain'],
    status = 200,
  ): ExchangeHandler =>
  (exchange) =>
    exchange.respond({ status, fields, body });

const accept = (value: string): Question => ({ headers: { 'accept-encoding': value } });

describe('a whole response', () => {
  const chosen: readonly [accepted: string, coding: string | undefined][] = [
    ['gzip', 'gzip'],
    ['br', 'br'],
    ['zstd', 'zstd'],
    ['gzip, br, zstd', 'zstd'],
    ['gzip, deflate, br', 'br'],
    ['gzip;q=1, br;q=0.5', 'gzip'],
    ['gzip;q=0', undefined],
    ['identity', undefined],
    ['deflate', undefined],
    ['gzip;q=5', undefined],
    ['', undefined],
  ];
  for (const [accepted, coding] of chosen) {
    test(`to a client that accepts ${JSON.stringify(accepted)} is sent in ${coding ?? 'no coding'}`, async () => {
      const answer = await ask(respond(TEXT), accept(accepted));
      assert.equal(answer.headers['content-encoding'], coding);
      assert.equal(decoded(answer), TEXT);
      assert.equal(answer.headers['vary'], 'accept-encoding');
      assert.equal(answer.headers['content-length'], String(answer.body.length));
      if (coding !== undefined) assert.ok(answer.body.length < TEXT.length / 10);
    });
  }

  test('over HTTP/2, and of a megabyte, is the same', async () => {
    const large = Buffer.from(TEXT.repeat(300));
    const answer = await ask(respond(large), accept('gzip'), {}, h2c);
    assert.equal(answer.headers['content-encoding'], 'gzip');
    assert.equal(decoded(answer), large.toString());
  });

  test('is left as it is below the threshold of 300 bytes', async () => {
    const below = await ask(respond('x'.repeat(299)), accept('gzip'));
    assert.deepEqual([below.headers['content-encoding'], below.headers['vary']], [undefined, undefined]);
    const at = await ask(respond('x'.repeat(300)), accept('gzip'));
    assert.equal(at.headers['content-encoding'], 'gzip');
    const chosen = await ask(respond('x'.repeat(300)), accept('gzip'), { thresholdBytes: 301 });
    assert.equal(chosen.headers['content-encoding'], undefined);
  });

  test('is left as it is where that would make it no smaller', async () => {
    const noise = Buffer.from(Array.from({ length: 400 }, (_, i) => (i * 2_654_435_761) >>> 24));
    const answer = await ask(respond(noise), accept('gzip'));
    assert.equal(answer.headers['content-encoding'], undefined);
    assert.equal(answer.body, noise.toString('latin1'));
  });

  const untouched: readonly [why: string, fields: readonly string[], status?: number][] = [
    ['has a coding already', ['content-type', 'text/plain', 'Content-Encoding', 'gzip']],
    ['must not be transformed', ['content-type', 'text/plain', 'cache-control', 'max-age=1, No-Transform']],
    ['is a part', ['content-type', 'text/plain', 'content-range', 'bytes 0-4399/9999'], 206],
    ['is an image', ['content-type', 'image/png']],
    ['has no type', []],
    ['has a digest', ['content-type', 'text/plain', 'Content-Digest', 'sha-256=:x:']],
  ];
  for (const [why, fields, status] of untouched) {
    test(`that ${why} is left as it is`, async () => {
      const answer = await ask(respond(TEXT, fields, status), accept('gzip'));
      assert.equal(answer.body, TEXT);
      assert.equal(answer.headers['vary'], undefined);
    });
  }

  test('has a weak entity tag, and what it varied by before', async () => {
    const fields = ['Content-Type', 'application/json', 'ETag', '"v1"', 'Vary', 'Origin'];
    const answer = await ask(respond(TEXT, fields), accept('gzip'));
    assert.deepEqual([answer.headers['etag'], answer.headers['vary']], ['W/"v1"', 'Origin, accept-encoding']);
    const plain = await ask(respond(TEXT, fields));
    assert.deepEqual([plain.headers['etag'], plain.headers['vary']], ['"v1"', 'Origin, accept-encoding']);
    const any = await ask(respond(TEXT, ['content-type', 'text/css', 'vary', '*']), accept('gzip'));
    assert.deepEqual([any.headers['vary'], any.headers['content-encoding']], ['*', 'gzip']);
  });

  test('that is not modified has the entity tag of what it stands for', async () => {
    const notModified = respond(null, ['etag', '"v1"'], 304);
    assert.equal((await ask(notModified, accept('gzip'))).headers['etag'], 'W/"v1"');
    assert.equal((await ask(notModified)).headers['etag'], '"v1"');
  });

  test('to HEAD has the fields of GET', async () => {
    const answer = await ask(respond(TEXT), { ...accept('gzip'), method: 'HEAD' });
    assert.deepEqual([answer.status, answer.headers['content-encoding'], answer.body], [200, 'gzip', '']);
    assert.equal(answer.headers['content-length'], undefined);
  });

  test('is compressed with the codings, the levels and the types that were chosen', async () => {
    const one = await ask(respond(TEXT), accept('gzip, br'), { codings: ['gzip'] });
    assert.equal(one.headers['content-encoding'], 'gzip');
    const stored = await ask(respond(TEXT), accept('gzip'), { codings: ['gzip'], levels: { gzip: 0 } });
    assert.equal(stored.headers['content-encoding'], undefined, 'level 0 makes nothing smaller');
    const png = await ask(respond(TEXT, ['content-type', 'image/png']), accept('gzip'), {
      types: (type) => type === 'image/png',
    });
    assert.equal(png.headers['content-encoding'], 'gzip');
    assert.throws(() => compress({ codings: ['deflate' as 'gzip'] }), /"deflate".*zstd, br, gzip/);
  });
});

describe('a streamed response', () => {
  const pieces = (count: number, size: number): ExchangeHandler => {
    return (exchange) => {
      async function* body(): AsyncGenerator<Buffer> {
        for (let i = 0; i < count; i++) {
          await Promise.resolve();
          yield Buffer.alloc(size, 'abcdefgh');
        }
      }
      exchange.respondStreamed({ status: 200, fields: ['content-type', 'text/plain'], body: body() });
    };
  };

  for (const transport of [plainHttp, h2c]) {
    for (const coding of ['gzip', 'br', 'zstd']) {
      test(`is compressed as a stream, in ${coding} over ${transport.name}`, async () => {
        const answer = await ask(pieces(100, 65_536), accept(coding), {}, transport);
        assert.equal(answer.headers['content-encoding'], coding);
        assert.equal(answer.headers['content-length'], undefined);
        assert.equal(decoded(answer).length, 100 * 65_536);
        assert.ok(answer.body.length < 100_000, `${answer.body.length} bytes`);
      });
    }
  }

  /** What the client has decoded of the first piece before the second one is made. */
  async function firstPiece(options: CompressOptions, fields: string[]): Promise<string> {
    const second = Promise.withResolvers<undefined>();
    const handle: ExchangeHandler = (exchange) => {
      async function* body(): AsyncGenerator<Buffer> {
        yield Buffer.from('first');
        await second.promise;
        yield Buffer.from('second');
      }
      exchange.respondStreamed({ status: 200, fields, body: body() });
    };
    await using http = await startHttp(handle, { handlers: [compress(options), requestHandler(handle)] });
    const client = plainHttp.connect(http.port);
    const { source } = await client.ask('/', accept('gzip')).head();
    const unzip = source.pipe(zlib.createGunzip());
    let text = '';
    const got = new Promise<void>((resolve) => {
      unzip.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        resolve();
      });
    });
    const seen = Promise.withResolvers<string>();
    if (options.buffering === undefined || fields.includes('text/event-stream')) {
      await got;
      seen.resolve(text);
    } else {
      // The compressor has begun, and keeps what it was given: its header comes, and nothing else.
      source.once('data', () => setImmediate(() => setImmediate(() => seen.resolve(text))));
    }
    const first = await seen.promise;
    second.resolve(undefined);
    await new Promise((resolve) => unzip.once('end', resolve));
    assert.equal(text, 'firstsecond');
    client.close();
    return first;
  }

  test('is sent piece by piece, unless it may wait in the compressor', async () => {
    assert.equal(await firstPiece({}, ['content-type', 'text/plain']), 'first');
    assert.equal(await firstPiece({ buffering: true }, ['content-type', 'text/plain']), '');
    assert.equal(
      await firstPiece({ buffering: ({ fields }) => fields.includes('text/csv') }, [
        'content-type',
        'text/csv',
      ]),
      '',
    );
  });

  test('never waits where it is an event stream', async () => {
    assert.equal(await firstPiece({ buffering: true }, ['content-type', 'text/event-stream']), 'first');
  });

  test('of an announced length below the threshold is left as it is', async () => {
    async function* body(): AsyncGenerator<Buffer> {
      yield Buffer.from(await Promise.resolve('short'));
    }
    const answer = await ask((exchange) => {
      const fields = ['content-type', 'text/plain', 'content-length', '5'];
      exchange.respondStreamed({ status: 200, fields, body: body() });
    }, accept('gzip'));
    assert.deepEqual([answer.headers['content-encoding'], answer.body], [undefined, 'short']);
  });

  test('is held back by a client that does not read, as without compression', async () => {
    let made = 0;
    const noise = zlib.deflateRawSync(
      Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * i * 2_654_435_761) >>> 13)),
    );
    const handle: ExchangeHandler = (exchange) => {
      async function* body(): AsyncGenerator<Buffer> {
        for (; made < 2000; made++) {
          await Promise.resolve();
          yield noise.subarray(0, 65_536);
        }
      }
      exchange.respondStreamed({ status: 200, fields: ['content-type', 'text/plain'], body: body() });
    };
    await using http = await startHttp(handle, {
      handlers: [compress({ levels: { gzip: 1 } }), requestHandler(handle)],
    });
    const client = await http.connect();
    client.socket.pause();
    client.send('GET / HTTP/1.1\r\nhost: h\r\naccept-encoding: gzip\r\n\r\n');
    // What is made stops growing once the buffers of both ends are full.
    let before = -1;
    for (let same = 0; same < 500; same = made === before && made > 0 ? same + 1 : 0) {
      before = made;
      await new Promise(setImmediate);
    }
    assert.ok(made < 1000, `${made} pieces were made`);
    client.socket.resetAndDestroy();
    assert.equal((await http.observed('request-done')).end, 'client-left');
  });

  test('that fails half-way is reset', async () => {
    async function* body(): AsyncGenerator<Buffer> {
      yield Buffer.alloc(1000, 'a');
      await Promise.resolve();
      throw new Error('broken');
    }
    const fields = ['content-type', 'text/plain'];
    await assert.rejects(
      ask((exchange) => exchange.respondStreamed({ status: 200, fields, body: body() }), accept('gzip')),
    );
  });
});

describe('commands of other stream handlers', () => {
  const saying = (compression: CompressionChoice): StreamHandlerFactory => ({
    open: (_stream, _next) => ({
      init: () => [
        { kind: 'set-options', compression },
        { kind: 'response', status: 200, fields: ['content-type', 'text/plain'], body: 'x'.repeat(400) },
      ],
      data: () => null,
      end: () => null,
      info: () => null,
      terminate: () => {},
    }),
  });
  const codingOf = async (choice: CompressionChoice): Promise<unknown> =>
    (await ask(() => {}, accept('gzip'), {}, plainHttp, saying(choice))).headers['content-encoding'];

  test('choose for one response', async () => {
    assert.equal(await codingOf({}), 'gzip');
    assert.equal(await codingOf({ enabled: false }), undefined);
    assert.equal(await codingOf({ thresholdBytes: 401 }), undefined);
  });

  test('trailers follow the compressed data, stop ends it', async () => {
    const streaming = (ending: 'trailers' | 'stop'): StreamHandlerFactory => ({
      open: () => ({
        init: () => [
          { kind: 'headers', status: 200, fields: ['content-type', 'text/plain'] },
          { kind: 'data', data: Buffer.from(TEXT), last: false },
          ending === 'stop' ? { kind: 'stop' } : { kind: 'trailers', fields: ['x-sum', '1'] },
        ],
        data: () => null,
        end: () => null,
        info: () => null,
        terminate: () => {},
      }),
    });
    for (const ending of ['trailers', 'stop'] as const) {
      await using http = await startHttp(() => {}, { handlers: [compress(), streaming(ending)] });
      const client = await http.connect();
      client.send(
        'GET / HTTP/1.1\r\nhost: h\r\nte: trailers\r\naccept-encoding: gzip\r\nconnection: close\r\n\r\n',
      );
      const text = await client.untilEnd();
      assert.match(text, ending === 'stop' ? /\r\n0\r\n\r\n$/ : /\r\n0\r\nx-sum: 1\r\n\r\n$/);
    }
  });

  test('a second response while the first is compressed in another thread is dropped', async () => {
    const twice: StreamHandlerFactory = {
      open: () => ({
        init: () => [
          { kind: 'response', status: 200, fields: ['content-type', 'text/plain'], body: TEXT.repeat(20) },
          { kind: 'response', status: 500, fields: [], body: null },
        ],
        data: () => null,
        end: () => null,
        info: () => null,
        terminate: () => {},
      }),
    };
    const answer = await ask(() => {}, accept('gzip'), {}, plainHttp, twice);
    assert.equal(answer.status, 200);
    assert.equal(decoded(answer), TEXT.repeat(20));
  });
});
