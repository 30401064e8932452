// The same random conversations through two clients that share no code with howdah: node:http2, which checks every octet, and nghttp,
// which pads, splits heads into CONTINUATION frames and chooses windows and tables. Both must see what a model of the handler says.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type ClientHttp2Stream } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import * as fc from 'fast-check';
import type { Exchange } from '../../src/web/exchange.ts';
import { startHttp, type HttpFixture } from '../support/http-fixture.ts';

const execute = promisify(execFile);
const MAX_BODY = 200_000;
/** More than one conversation must be possible in the windows of each. */
const RUNS = 12;

interface Ask {
  readonly status: number;
  /** Octets of filler in the answer. */
  readonly size: number;
  /** In how many pieces it is made; 0: at once, with its length. */
  readonly pieces: number;
  /** Octets of the request's body; null: it is a GET. */
  readonly sent: number | null;
  /** The client leaves when it has the head. */
  readonly cancelled: boolean;
}

interface Conversation {
  readonly asks: readonly Ask[];
  readonly windowBits: number;
  readonly tableSize: number;
  readonly padding: number;
  readonly continuation: boolean;
}

const ASK: fc.Arbitrary<Ask> = fc.record({
  status: fc.constantFrom(200, 201, 404, 500),
  size: fc.oneof(fc.nat(100), fc.nat(70_000), fc.constantFrom(16_384, 65_535, 150_000)),
  pieces: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 9 })),
  sent: fc.oneof(fc.constant(null), fc.nat(100), fc.nat(MAX_BODY)),
  cancelled: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, fc.constant(true)),
});
const CONVERSATION: fc.Arbitrary<Conversation> = fc.record({
  asks: fc.array(ASK, { minLength: 1, maxLength: 20 }),
  windowBits: fc.integer({ min: 10, max: 20 }),
  tableSize: fc.constantFrom(0, 100, 4096, 65_536),
  padding: fc.constantFrom(0, 1, 100, 256),
  continuation: fc.boolean(),
});

const contentOf = (length: number): Buffer =>
  Buffer.alloc(length, 'the octets of a request, again and again; ');
const sumOf = (bytes: Buffer): string => createHash('sha1').update(bytes).digest('hex');
const pathOf = (ask: Ask, index: number): string => `/${index}?${ask.status},${ask.size},${ask.pieces}`;

/** What the handler answers to a path and a body. */
function answerTo(path: string, body: Buffer): { status: number; pieces: number; content: Buffer } {
  const [status = 0, size = 0, pieces = 0] = path
    .slice(path.indexOf('?') + 1)
    .split(',')
    .map(Number);
  const head = Buffer.from(`${path} ${body.length} ${sumOf(body)} `);
  return { status, pieces, content: Buffer.concat([head, Buffer.alloc(size, `${path}.`)]) };
}

async function* piecesOf(content: Buffer, count: number): AsyncGenerator<Buffer> {
  const length = Math.ceil(content.length / count);
  for (let at = 0; at < content.length; at += length) {
    yield content.subarray(at, at + length);
    await new Promise(setImmediate);
  }
}

function serve(exchange: Exchange): void {
  const { path, query } = exchange.head;
  exchange.collectBody(MAX_BODY, (body) => {
    const { status, pieces, content } = answerTo(`${path}?${query ?? ''}`, body);
    if (pieces === 0) exchange.respond({ status, fields: [], body: content });
    else exchange.respondStreamed({ status, fields: [], body: piecesOf(content, pieces) });
  });
}

async function throughNode(port: number, { asks, windowBits, tableSize }: Conversation): Promise<void> {
  const settings = { initialWindowSize: 2 ** windowBits, headerTableSize: tableSize, enablePush: false };
  const session = connect(`http://127.0.0.1:${port}`, { settings });
  try {
    await Promise.all(
      asks.map(async (ask, index) => {
        const path = pathOf(ask, index);
        const method = ask.sent === null ? 'GET' : 'POST';
        const stream: ClientHttp2Stream = session.request({ ':path': path, ':method': method });
        stream.on('error', () => {});
        const content = contentOf(ask.sent ?? 0);
        if (ask.sent !== null) stream.end(content);
        const [head] = (await once(stream, 'response')) as [{ ':status': number }];
        const expected = answerTo(path, content);
        assert.equal(head[':status'], expected.status);
        if (ask.cancelled) {
          stream.close(8);
          return;
        }
        const chunks: Buffer[] = [];
        for await (const chunk of stream) chunks.push(chunk as Buffer);
        assert.ok(Buffer.concat(chunks).equals(expected.content), path);
      }),
    );
  } finally {
    session.destroy();
  }
}

/** As nghttp writes sizes. */
function shortSize(bytes: number): string {
  return bytes < 1024 ? String(bytes) : `${bytes >> 10}K`;
}

async function throughNghttp(port: number, bodyFile: string, conversation: Conversation): Promise<void> {
  const { asks, windowBits, tableSize, padding, continuation } = conversation;
  // One file is sent with all requests.
  const sent = asks[0]?.sent ?? null;
  const content = contentOf(sent ?? 0);
  writeFileSync(bodyFile, content);
  const paths = asks.map(pathOf);
  const args =
    `--null-out --stat --no-dep --window-bits=${windowBits} --header-table-size=${tableSize}`.split(' ');
  args.push(`--padding=${padding}`);
  if (continuation) args.push('--continuation');
  if (sent !== null) args.push(`--data=${bodyFile}`);
  args.push(...paths.map((path) => `http://127.0.0.1:${port}${path}`));
  const { stdout } = await execute('nghttp', args, { timeout: 60_000 });
  const seen = new Map<string, string>();
  for (const [, code = '', size = '', path = ''] of stdout.matchAll(/ (\d{3}) +(\w+) (\/\S+)$/gm)) {
    seen.set(path, `${code} ${size}`);
  }
  const expected = paths.map((path) => {
    const { status, content: body } = answerTo(path, content);
    return [path, `${status} ${shortSize(body.length)}`] as const;
  });
  assert.deepEqual(seen, new Map(expected), stdout);
}

describe('random conversations', () => {
  const directory = mkdtempSync(join(tmpdir(), 'howdah-conversations-'));
  let http: HttpFixture;
  before(async () => {
    http = await startHttp(serve);
  });
  after(async () => {
    await http[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  test('node:http2 and nghttp see the answers that the handler’s model gives', async () => {
    await fc.assert(
      fc.asyncProperty(CONVERSATION, async (conversation) => {
        await throughNode(http.port, conversation);
        await throughNghttp(http.port, join(directory, 'body'), conversation);
      }),
      { numRuns: RUNS },
    );
    assert.deepEqual(
      http.observations.filter(({ kind }) => kind === 'internal-error' || kind === 'request-refused'),
      [],
    );
  });
});
