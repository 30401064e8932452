// In-memory requests a second of the HTTP/2 machine, against a baseline that only finds the frames and answers each HEADERS
// with the same bytes: what no server could beat. In CPU time, because other processes disturb less of it. `node bench/micro/http2.ts [seconds]`
import { Http2Connection } from '../../src/protocol/http2/connection.ts';
import type { Http2Events } from '../../src/protocol/http2/events.ts';
import { CLIENT_PREFACE } from '../../src/protocol/http2/frame-reader.ts';
import { FrameType, putFrameHeader } from '../../src/protocol/http2/frames/frame.ts';
import { HpackEncoder } from '../../src/protocol/http2/hpack/encoder.ts';

const STREAMS = 32;
const ROUNDS = 7;
const seconds = Number(process.argv[2] ?? '0.4');
const DATE = 'Sun, 22 Nov 2026 03:25:00 GMT';

function frame(type: number, flags: number, id: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const bytes = Buffer.alloc(9 + payload.length);
  putFrameHeader(bytes, 0, payload.length, type, flags, id);
  payload.copy(bytes, 9);
  return bytes;
}

const PSEUDO = [':method', 'GET', ':scheme', 'http', ':authority', 'localhost:8080'];

/** Header blocks of requests as one client sends them: the path of the nth is `path(n)`. */
function makeBlocks(extra: readonly string[], path: (n: number) => string): (n: number) => Buffer {
  const encoder = new HpackEncoder(4096);
  const scratch = Buffer.alloc(8192);
  return (n) => {
    const fields = [...PSEUDO, ':path', path(n), ...extra];
    return Buffer.from(scratch.subarray(0, encoder.encode(scratch, 0, '', fields, -1, '', '')));
  };
}

function makeEvents(answer: (stream: Parameters<Http2Events['receiveHead']>[0]) => void): Http2Events {
  return {
    receiveHead(stream) {
      answer(stream);
    },
    receiveRefusedHead() {},
    receiveData() {},
    receiveEnd() {},
    receiveReset() {},
    receiveDrain() {},
    receiveGoaway() {},
    receivePong() {},
    receiveFault(fault) {
      throw new Error(fault.reason);
    },
  };
}

interface Variant {
  readonly name: string;
  /** Serves a chunk of STREAMS requests and takes the output. */
  run(chunk: Buffer): void;
  readonly block: (n: number) => Buffer;
  /** Chunks that are made before the time is taken. */
  readonly chunks: number;
  nextId: number;
  readonly rates: number[];
}

const sink = { bytes: 0 };

function machine(
  name: string,
  fields: () => string[],
  { extra = [], path = () => '/', body = 'Hello, world!' }: MachineOptions = {},
): Variant {
  const connection: Http2Connection = new Http2Connection(
    makeEvents((stream) => {
      connection.sendResponse(stream, 200, fields(), body, DATE, 'howdah');
    }),
  );
  // INITIAL_WINDOW_SIZE of 2^30.
  connection.receive(
    Buffer.concat([CLIENT_PREFACE, frame(FrameType.SETTINGS, 0, 0, Buffer.from([0, 4, 0x40, 0, 0, 0]))]),
  );
  connection.receive(frame(FrameType.SETTINGS, 1, 0));
  const block = makeBlocks(extra, path);
  connection.receive(frame(FrameType.HEADERS, 5, 1, block(0)));
  const increment = Buffer.alloc(4);
  increment.writeUInt32BE(body.length * STREAMS);
  const update = frame(FrameType.WINDOW_UPDATE, 0, 0, increment);
  const take = (): void => {
    while (connection.hasOutput) for (const piece of connection.takeOutput()) sink.bytes += piece.length;
  };
  connection.receive(update);
  take();
  return {
    name,
    run(chunk) {
      connection.receive(chunk);
      connection.receive(update);
      take();
    },
    block,
    chunks: body.length > 1000 ? 20 : 200,
    nextId: 3,
    rates: [],
  };
}

interface MachineOptions {
  readonly extra?: readonly string[];
  readonly path?: (n: number) => string;
  readonly body?: string | Buffer;
}

function baseline(): Variant {
  const block = makeBlocks([], () => '/');
  block(0);
  const head = block(1);
  const body = Buffer.from('Hello, world!');
  return {
    name: 'baseline: frame headers only, fixed answer',
    run(chunk) {
      const out = Buffer.allocUnsafeSlow(STREAMS * (18 + head.length + body.length));
      let at = 0;
      let position = 0;
      while (position < chunk.length) {
        const length =
          ((chunk[position] ?? 0) << 16) | ((chunk[position + 1] ?? 0) << 8) | (chunk[position + 2] ?? 0);
        const id = chunk.readUInt32BE(position + 5);
        putFrameHeader(out, at, head.length, FrameType.HEADERS, 4, id);
        at += 9 + head.copy(out, at + 9);
        putFrameHeader(out, at, body.length, FrameType.DATA, 1, id);
        at += 9 + body.copy(out, at + 9);
        position += 9 + length;
      }
      sink.bytes += at;
    },
    block,
    chunks: 200,
    nextId: 3,
    rates: [],
  };
}

function makeChunks(variant: Variant): Buffer[] {
  const chunks: Buffer[] = [];
  for (let n = 0; n < variant.chunks; n++) {
    const frames: Buffer[] = [];
    for (let i = 0; i < STREAMS; i++, variant.nextId += 2) {
      frames.push(frame(FrameType.HEADERS, 5, variant.nextId, variant.block(variant.nextId)));
    }
    chunks.push(Buffer.concat(frames));
  }
  return chunks;
}

const HEADERS_20 = Array.from({ length: 16 }, (_, i) => [`x-header-${i}`, `value number ${i}`]).flat();
const TYPE = ['content-type', 'text/plain'];
let counter = 0;
const variants = [
  baseline(),
  machine('plain text, fields of one array', () => TYPE),
  machine('plain text, new fields each time', () => [
    'content-type',
    'text/plain',
    'x-frame-options',
    'deny',
  ]),
  machine('another path each time', () => TYPE, { path: (n) => `/some/path/${n}?query=${n % 7}` }),
  machine('another etag each time', () => ['content-type', 'text/plain', 'etag', `"${counter++ % 100_000}"`]),
  machine('20 request headers', () => TYPE, { extra: HEADERS_20 }),
  machine('100 KB response', () => TYPE, { body: Buffer.alloc(102_400, 'x') }),
];

for (let round = 0; round < ROUNDS; round++) {
  for (const variant of variants) {
    let requests = 0;
    let elapsed = 0;
    while (elapsed < seconds * 1000) {
      const chunks = makeChunks(variant);
      const start = process.cpuUsage().user;
      for (const chunk of chunks) variant.run(chunk);
      elapsed += (process.cpuUsage().user - start) / 1000;
      requests += chunks.length * STREAMS;
    }
    variant.rates.push((requests / elapsed) * 1000);
  }
}
for (const variant of variants) {
  const sorted = variant.rates.toSorted((a, b) => a - b);
  const median = sorted[sorted.length >> 1] ?? 0;
  const best = sorted.at(-1) ?? 0;
  console.log(
    `${variant.name.padEnd(46)} ${Math.round(median).toLocaleString('en').padStart(12)} requests/s  ${(1e9 / median).toFixed(0).padStart(6)} ns, best ${(1e9 / best).toFixed(0)}`,
  );
}
