// Compressed messages as they are received (RFC 7692 §6, §7.2).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { constants, deflateRawSync } from 'node:zlib';
import type { DeflateCodec } from '../../../src/protocol/websocket/deflate-codec.ts';
import { FREE_INFLATED_BYTES } from '../../../src/protocol/websocket/limits.ts';
import type { DeflateParameters } from '../../../src/protocol/websocket/permessage-deflate.ts';
import { ZlibDeflateCodec } from '../../../src/server/websocket-deflate.ts';
import { BINARY, CLOSE, CONTINUATION, fragments, frame, PING, RSV1, RSV2, TEXT } from './client-frames.ts';
import { assertFaultAtLastByte, assertHeard, hear, type Setting } from './receiving.ts';

const PARAMETERS: DeflateParameters = {
  serverNoContextTakeover: false,
  clientNoContextTakeover: false,
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
};
const codec = (): DeflateCodec => new ZlibDeflateCodec(PARAMETERS);
const compressing: Setting = { codec };

/** A message's payload, compressed for itself. */
function deflate(data: Buffer | string): Buffer {
  return deflateRawSync(data, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
}

const compressed = (opcode: number, data: Buffer | string): Buffer =>
  frame(opcode, deflate(data), { reserved: RSV1 });

describe('the examples of RFC 7692 §7.2.3', () => {
  const hello = Buffer.from('f248cdc9c90700', 'hex');
  test('one compressed block (§7.2.3.1)', () => {
    assertHeard(frame(TEXT, hello, { reserved: RSV1 }), ['text Hello'], compressing);
  });
  test('in two fragments, the second without RSV1 (§7.2.3.1)', () => {
    const bytes = Buffer.concat(fragments(TEXT, [hello.subarray(0, 3), hello.subarray(3)], RSV1));
    assertHeard(bytes, ['text Hello'], compressing);
  });
  test('sharing the window with the message before (§7.2.3.2)', () => {
    const again = Buffer.from('f200110000', 'hex');
    const bytes = Buffer.concat([hello, again].map((payload) => frame(TEXT, payload, { reserved: RSV1 })));
    assertHeard(bytes, ['text Hello', 'text Hello'], compressing);
    const forgetful = { codec: () => new ZlibDeflateCodec({ ...PARAMETERS, clientNoContextTakeover: true }) };
    assertHeard(bytes, ['text Hello', 'fault 1007 deflate-malformed'], forgetful);
  });
  test('a block without compression (§7.2.3.3)', () => {
    const stored = Buffer.from('000500faff48656c6c6f00', 'hex');
    assertHeard(frame(TEXT, stored, { reserved: RSV1 }), ['text Hello'], compressing);
  });
  test('a block with BFINAL set (§7.2.3.4)', () => {
    const final = Buffer.from('f348cdc9c9070000', 'hex');
    assertHeard(frame(TEXT, final, { reserved: RSV1 }), ['text Hello'], compressing);
  });
  test('two blocks in a message (§7.2.3.5)', () => {
    const two = Buffer.from('f24805000000ffffcac9c90700', 'hex');
    assertHeard(frame(TEXT, two, { reserved: RSV1 }), ['text Hello'], compressing);
  });
  test('an empty message (§7.2.3.6)', () => {
    assertHeard(frame(TEXT, Buffer.of(0), { reserved: RSV1 }), ['text '], compressing);
    assertHeard(frame(BINARY, Buffer.of(0), { reserved: RSV1 }), ['binary '], compressing);
  });
});

test('messages with and without RSV1 may alternate (RFC 7692 §6)', () => {
  const bytes = Buffer.concat([
    compressed(TEXT, 'one'),
    frame(TEXT, 'two'),
    compressed(BINARY, 'three'),
    frame(BINARY, 'four'),
  ]);
  const expected = ['text one', 'text two', 'binary 7468726565', 'binary 666f7572'];
  assertHeard(bytes, expected, {
    codec: () => new ZlibDeflateCodec({ ...PARAMETERS, clientNoContextTakeover: true }),
  });
});

describe('RSV1 where it may not be is refused with 1002 (RFC 7692 §6)', () => {
  const fault = 'fault 1002 reserved-bits';
  test('on a control frame', () => {
    for (const opcode of [PING, CLOSE]) {
      assertFaultAtLastByte(frame(opcode, '', { reserved: RSV1 }).subarray(0, 1), fault, compressing);
    }
  });
  test('on a continuation', () => {
    const first = frame(TEXT, deflate('a'), { reserved: RSV1, isFinal: false });
    const second = frame(CONTINUATION, '', { reserved: RSV1 }).subarray(0, 1);
    assertFaultAtLastByte(Buffer.concat([first, second]), fault, compressing);
  });
  test('beside another reserved bit', () => {
    assertFaultAtLastByte(frame(TEXT, '', { reserved: RSV1 | RSV2 }).subarray(0, 1), fault, compressing);
  });
});

test('a compressed message may be cut anywhere, also into empty fragments, with control frames between', () => {
  const text = 'a text that is long enough, long enough, to refer to itself: é';
  const payload = deflate(text);
  for (let i = 0; i <= payload.length; i++) {
    const parts = fragments(TEXT, [payload.subarray(0, i), '', payload.subarray(i), ''], RSV1);
    const bytes = Buffer.concat(parts.flatMap((part) => [frame(PING), part]));
    const expected = ['ping ', 'ping ', 'ping ', 'ping ', `text ${text}`];
    assert.deepEqual(hear([bytes], compressing), expected);
    assert.deepEqual(hear([bytes.subarray(0, 30), bytes.subarray(30)], compressing), expected);
  }
});

test('compressed text is checked as text, and fails with the byte', () => {
  const fault = 'fault 1007 text-not-utf8';
  assertHeard(compressed(TEXT, Buffer.of(0x61, 0xff)), [fault], compressing);
  assertHeard(compressed(TEXT, Buffer.of(0x61, 0xc3)), [fault], compressing);
  assertHeard(compressed(BINARY, Buffer.of(0x61, 0xff)), ['binary 61ff'], compressing);
  // The first fragment is enough: zlib gives what it has.
  const bad = deflate(Buffer.concat([Buffer.from('x'.repeat(10)), Buffer.of(0xff)]));
  assert.deepEqual(hear([frame(TEXT, bad, { reserved: RSV1, isFinal: false })], compressing), [fault]);
});

test('data that is no DEFLATE is refused with 1007 (RFC 7692 §7.2.2)', () => {
  for (const payload of [Buffer.of(0xff, 0xff), Buffer.from('f248cdc9c9ff07ffff', 'hex'), Buffer.of(0x07)]) {
    const bytes = Buffer.concat([frame(BINARY, payload, { reserved: RSV1 }), frame(TEXT, 'x')]);
    assertHeard(bytes, ['fault 1007 deflate-malformed'], compressing);
  }
});

describe('a decompression bomb is refused with 1009 (RFC 7692 §8)', () => {
  const fault = 'fault 1009 inflated-too-large';
  test('by size: at the limit it is taken, one byte more is not', () => {
    const limits = { maxMessageBytes: 5000, maxInflateRatio: 2000 };
    const zeros = (length: number): Buffer => compressed(BINARY, Buffer.alloc(length));
    assertHeard(zeros(5000), [`binary ${'00'.repeat(5000)}`], { codec, limits });
    assertHeard(zeros(5001), [fault], { codec, limits });
    assertHeard(zeros(4_000_000), [fault], { codec, limits });
  });
  test('by size, over fragments', () => {
    const limits = { maxMessageBytes: 5000, maxInflateRatio: 2000 };
    const payload = deflate(Buffer.alloc(5001));
    const bytes = Buffer.concat(fragments(BINARY, [payload.subarray(0, 4), payload.subarray(4)], RSV1));
    assertHeard(bytes, [fault], { codec, limits });
  });
  test('by ratio, above what is free', () => {
    const limits = { maxMessageBytes: 10_000_000, maxInflateRatio: 100 };
    const free = Buffer.alloc(FREE_INFLATED_BYTES);
    assert.deepEqual(hear([compressed(BINARY, free)], { codec, limits }), [`binary ${free.toString('hex')}`]);
    assert.deepEqual(hear([compressed(BINARY, Buffer.alloc(FREE_INFLATED_BYTES + 1))], { codec, limits }), [
      fault,
    ]);
    assert.deepEqual(hear([compressed(BINARY, Buffer.alloc(9_000_000))], { codec, limits }), [fault]);
    const mixed = Buffer.concat(
      Array.from({ length: 4000 }, (_, i) => Buffer.from(`line ${i * 7919} of a log\n`)),
    );
    assert.ok(mixed.length > FREE_INFLATED_BYTES);
    assert.deepEqual(hear([compressed(TEXT, mixed)], { codec, limits }), [`text ${mixed.toString()}`]);
  });
  test('by ratio to what has come, not to what is announced', () => {
    const limits = { maxMessageBytes: 10_000_000, maxFrameBytes: 10_000_000, maxInflateRatio: 100 };
    const payload = deflate(Buffer.alloc(500_000));
    const bytes = frame(BINARY, Buffer.concat([payload, Buffer.alloc(100_000)]), { reserved: RSV1 });
    assert.deepEqual(hear([bytes.subarray(0, payload.length + 20)], { codec, limits }), [fault]);
  });
  test('each message counts for itself', () => {
    const limits = { maxMessageBytes: 5000, maxInflateRatio: 2000 };
    const payload = deflate(Buffer.alloc(5000, 'x'));
    const bytes = Buffer.concat([0, 1].map(() => frame(BINARY, payload, { reserved: RSV1 })));
    const said = `binary ${'78'.repeat(5000)}`;
    assertHeard(bytes, [said, said], { codec, limits });
  });
});

test('the limits of frames and messages hold for compressed bytes too', () => {
  const limits = { maxFrameBytes: 10, maxMessageBytes: 15 };
  const eleven = frame(BINARY, Buffer.alloc(11), { reserved: RSV1 });
  assertHeard(eleven, ['fault 1009 frame-too-large'], { codec, limits });
  const twice = Buffer.concat(fragments(BINARY, [Buffer.alloc(8), Buffer.alloc(8)], RSV1).slice(0, 2));
  const [said] = hear([twice], { codec, limits });
  assert.match(said ?? '', /^fault/);
});
