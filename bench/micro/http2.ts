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

/** The header block of a request as a client sends it the first time and then again. */
function requestBlocks(extra: readonly string[]): [Buffer, Buffer] {
  const encoder = new HpackEncoder(4096);
  const scratch = Buffer.alloc(8192);
  const fields = [
    ':method',
    'GET',
    ':scheme',
    'http',
    ':authority',
    'localhost:8080',
    ':path',
    '/',
    ...extra,
  ];
  const encode = (): Buffer =>
    Buffer.from(scratch.subarray(0, encoder.encode(scratch, 0, '', fields, -1, '', '')));
  return [encode(), encode()];
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
  readonly blocks: [Buffer, Buffer];
  nextId: number;
  readonly rates: number[];
}

const sink = { bytes: 0 };

function machine(name: string, extra: readonly string[], fields: () => string[], body: string): Variant {
  const connection: Http2Connection = new Http2Connection(
    makeEvents((stream) => {
      connection.sendResponse(stream, 200, fields(), body, DATE, 'howdah');
    }),
  );
  connection.receive(CLIENT_PREFACE);
  connection.receive(frame(FrameType.SETTINGS, 0, 0));
  connection.receive(frame(FrameType.SETTINGS, 1, 0));
  const blocks = requestBlocks(extra);
  connection.receive(frame(FrameType.HEADERS, 5, 1, blocks[0]));
  connection.takeOutput();
  const increment = Buffer.alloc(4);
  increment.writeUInt32BE(body.length * STREAMS);
  const update = frame(FrameType.WINDOW_UPDATE, 0, 0, increment);
  return {
    name,
    run(chunk) {
      connection.receive(chunk);
      connection.receive(update);
      for (const piece of connection.takeOutput()) sink.bytes += piece.length;
    },
    blocks,
    nextId: 3,
    rates: [],
  };
}

function baseline(): Variant {
  const blocks = requestBlocks([]);
  const head = Buffer.from(blocks[1]);
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
    blocks,
    nextId: 3,
    rates: [],
  };
}

function makeChunks(variant: Variant, count: number): Buffer[] {
  const chunks: Buffer[] = [];
  for (let n = 0; n < count; n++) {
    const frames: Buffer[] = [];
    for (let i = 0; i < STREAMS; i++, variant.nextId += 2) {
      frames.push(frame(FrameType.HEADERS, 5, variant.nextId, variant.blocks[1]));
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
  machine('plain text, fields of one array', [], () => TYPE, 'Hello, world!'),
  machine(
    'plain text, new fields each time',
    [],
    () => ['content-type', 'text/plain', 'x-frame-options', 'deny'],
    'Hello, world!',
  ),
  machine(
    'plain text, another etag each time',
    [],
    () => ['content-type', 'text/plain', 'etag', `"${counter++ % 100_000}"`],
    'Hello, world!',
  ),
  machine('20 request headers', HEADERS_20, () => TYPE, 'Hello, world!'),
];

for (let round = 0; round < ROUNDS; round++) {
  for (const variant of variants) {
    let requests = 0;
    let elapsed = 0;
    while (elapsed < seconds * 1000) {
      const chunks = makeChunks(variant, 200);
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
