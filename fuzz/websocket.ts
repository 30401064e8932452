// Fuzzes the WebSocket receiver: mutated frames must say the same whole, cut and byte by byte, and never throw.
//
//   node fuzz/websocket.ts [--seconds 10] [--seed N]
//
// Exits 1 at the first difference or throw, having printed the input in hex. Not a search by coverage: it mutates a corpus
// that reaches every state.
import { isDeepStrictEqual } from 'node:util';
import { constants, deflateRawSync } from 'node:zlib';
import type { WebSocketLimits } from '../src/protocol/websocket/limits.ts';
import { DEFAULT_DEFLATE_POLICY } from '../src/protocol/websocket/permessage-deflate.ts';
import { ZlibDeflateCodec } from '../src/server/websocket-deflate.ts';
import {
  BINARY,
  CLOSE,
  closePayload,
  fragments,
  frame,
  PING,
  PONG,
  RSV1,
  TEXT,
} from '../test/protocol/websocket/client-frames.ts';
import { bytewise, hear, type Said, type Setting } from '../test/protocol/websocket/receiving.ts';
import { pick, random, seconds, seed } from './support/fuzz-run.ts';

const deflate = (text: string): Buffer =>
  deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);

const CORPUS: readonly Buffer[] = [
  frame(TEXT, 'hello, é and 𝄞'),
  frame(TEXT, 'x'.repeat(140)),
  frame(BINARY, Buffer.alloc(40, 0xff)),
  frame(PING, 'ping'),
  frame(PONG),
  frame(CLOSE, closePayload(1000, 'bye é')),
  frame(CLOSE),
  Buffer.concat(fragments(TEXT, ['fr', 'é', '', 'ment'])),
  Buffer.concat(fragments(BINARY, ['a'.repeat(50), 'b'.repeat(80)])),
  frame(TEXT, deflate('compressed, compressed, compressed: é'), { reserved: RSV1 }),
  frame(BINARY, deflate('z'.repeat(900)), { reserved: RSV1 }),
  Buffer.concat(
    fragments(TEXT, [deflate('in two parts').subarray(0, 5), deflate('in two parts').subarray(5)], RSV1),
  ),
  frame(TEXT, Buffer.from('f348cdc9c9070000', 'hex'), { reserved: RSV1 }),
];
/** Unmasked, so that mutated payloads are not all noise. */
const KEYS: readonly Buffer[] = [Buffer.alloc(4), Buffer.of(1, 2, 3, 4), Buffer.of(0xff, 0x80, 0, 0x7f)];

function makeFrame(): Buffer {
  if (random(3) > 0) return pick(CORPUS);
  const payload = Buffer.from(Array.from({ length: random(12) }, () => random(256)));
  const lengthBytes = pick([0, 0, 0, 2, 8] as const);
  const reserved = pick([0, 0, RSV1]);
  return frame(pick([0, 1, 2, 8, 9, 10, random(16)]), payload, {
    isFinal: random(3) > 0,
    key: pick(KEYS),
    reserved,
    ...(lengthBytes === 0 ? {} : { lengthBytes }),
  });
}

function mutate(bytes: Buffer): Buffer {
  const at = random(bytes.length + 1);
  const to = Math.min(bytes.length, at + random(8));
  switch (random(6)) {
    case 0:
      return Buffer.concat([bytes.subarray(0, at), makeFrame(), bytes.subarray(at)]);
    case 1:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(to)]);
    case 2:
      return Buffer.concat([bytes.subarray(0, at), Buffer.of(random(256)), bytes.subarray(at + 1)]);
    case 3:
      return Buffer.concat([bytes.subarray(0, to), bytes.subarray(at)]);
    default:
      return Buffer.concat([bytes, makeFrame()]);
  }
}

function cut(bytes: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  for (let position = 0; position < bytes.length;) {
    const length = 1 + random(30);
    pieces.push(bytes.subarray(position, position + length));
    position += length;
  }
  return pieces;
}

/**
 * Where compressed data has several faults, the pieces decide which of them is met first: zlib gives no output for a piece that
 * is malformed. That there is one, and what was said before, is the same.
 */
function comparable(said: readonly Said[]): readonly Said[] {
  return said.map((line) =>
    /text-not-utf8|deflate-malformed|inflated-too-large/.test(line) ? 'fault' : line,
  );
}

/** Small, so that they are met; all within what may inflate freely, since the ratio is held against what has come so far. */
function makeLimits(): Partial<WebSocketLimits> {
  return pick([
    {},
    { maxFrameBytes: 60 },
    { maxMessageBytes: 60 },
    { maxFragments: 2 },
    { maxMessageBytes: 500 },
  ]);
}

let runs = 0;
let bytes: Buffer = Buffer.alloc(0);
const end = performance.now() + seconds * 1000;
try {
  while (performance.now() < end) {
    bytes = makeFrame();
    for (let i = random(8); i > 0; i--) bytes = mutate(bytes);
    const limits = makeLimits();
    const isCompressing = random(2) === 0;
    const codec = (): ZlibDeflateCodec => new ZlibDeflateCodec(DEFAULT_DEFLATE_POLICY);
    const setting: Setting = isCompressing ? { limits, codec } : { limits };
    const read = (pieces: Uint8Array[]): readonly Said[] => comparable(hear(pieces, setting));
    const whole = read([bytes]);
    for (const said of [read(cut(bytes)), read(bytewise(bytes))]) {
      if (isDeepStrictEqual(said, whole)) continue;
      throw new Error(`whole it says ${JSON.stringify(whole)}, in pieces ${JSON.stringify(said)}`);
    }
    runs++;
  }
  console.log(`${runs} inputs, seed ${seed}: no difference`);
} catch (error) {
  console.error(`seed ${seed}, input ${bytes.toString('hex')}`);
  console.error(error);
  process.exitCode = 1;
}
