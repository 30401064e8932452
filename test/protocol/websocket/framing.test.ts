// Frames as RFC 6455 §5.1 to §5.3 has them, in whatever pieces they come.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  BINARY,
  closePayload,
  CLOSE,
  CONTINUATION,
  frame,
  PING,
  PONG,
  RSV1,
  RSV2,
  RSV3,
  TEXT,
} from './client-frames.ts';
import { assertFaultAtLastByte, assertHeard, hear, makeReceiver, Recorder } from './receiving.ts';

const LARGE = { limits: { maxFrameBytes: 1 << 24, maxMessageBytes: 1 << 24 } };

describe('the length of a payload has 7, 16 or 64 bits (RFC 6455 §5.2)', () => {
  for (const length of [0, 1, 2, 3, 4, 5, 7, 8, 31, 32, 33, 63, 64, 65, 124, 125, 126, 127, 128, 300]) {
    test(`${length} bytes`, () => {
      const text = 'abcdefghijklmnopqrstuvwxyz'.repeat(12).slice(0, length);
      assertHeard(frame(TEXT, text), [`text ${text}`]);
      const data = Buffer.from(Array.from({ length }, (_, i) => (i * 7 + 200) & 0xff));
      assertHeard(frame(BINARY, data), [`binary ${data.toString('hex')}`]);
    });
  }
  for (const length of [65_535, 65_536, 65_537, 300_000]) {
    test(`${length} bytes`, () => {
      const data = Buffer.alloc(length, 'a long payload ');
      assert.deepEqual(hear([frame(BINARY, data)], LARGE), [`binary ${data.toString('hex')}`]);
      const bytes = frame(TEXT, data);
      const pieces: Buffer[] = [];
      for (let i = 0; i < bytes.length; i += 1447) pieces.push(bytes.subarray(i, i + 1447));
      assert.deepEqual(hear(pieces, LARGE), [`text ${data.toString('latin1')}`]);
    });
  }
});

describe('a length that is not in its shortest form is refused with 1002 (RFC 6455 §5.2)', () => {
  const fault = 'fault 1002 length-not-minimal';
  for (const [length, lengthBytes] of [
    [0, 2],
    [125, 2],
    [0, 8],
    [126, 8],
    [65_535, 8],
  ] as const) {
    test(`${length} in ${lengthBytes} bytes`, () => {
      const bytes = frame(BINARY, '', { lengthBytes, length: BigInt(length) });
      assertFaultAtLastByte(bytes.subarray(0, 2 + lengthBytes), fault);
    });
  }
});

test('a 64-bit length with its most significant bit set is refused with 1002 (RFC 6455 §5.2)', () => {
  const bytes = frame(BINARY, '', { lengthBytes: 8, length: 1n << 63n });
  assertFaultAtLastByte(bytes.subarray(0, 10), 'fault 1002 length-malformed');
});

test('a length above 2^53 is over every limit: 1009 (RFC 6455 §10.4)', () => {
  const bytes = frame(BINARY, '', { lengthBytes: 8, length: (1n << 63n) - 1n });
  assertFaultAtLastByte(bytes, 'fault 1009 frame-too-large');
});

describe('a frame that is not masked closes the connection with 1002 (RFC 6455 §5.1)', () => {
  for (const opcode of [TEXT, BINARY, CLOSE, PING, PONG]) {
    test(`opcode ${opcode}`, () => {
      const bytes = frame(opcode, '', { key: null });
      assertFaultAtLastByte(bytes.subarray(0, 2), 'fault 1002 mask-missing');
    });
  }
});

test('any key unmasks, with every rotation of it (RFC 6455 §5.3)', () => {
  const keys = [
    [0, 0, 0, 0],
    [255, 255, 255, 255],
    [1, 2, 3, 4],
    [0x80, 0, 0, 0x7f],
    [0, 0, 0, 0x80],
  ];
  const texts = ['a', 'ab', 'abc', 'abcd', 'abcdé', 'x'.repeat(61), `${'x'.repeat(62)}é`, 'é'.repeat(40)];
  for (const key of keys)
    for (const text of texts) assertHeard(frame(TEXT, text, { key: Buffer.from(key) }), [`text ${text}`]);
});

test('a payload is unmasked at every place in memory, and nothing beside it is touched', () => {
  const text = 'where it begins does not matter, nor where it ends: é';
  for (let offset = 0; offset < 5; offset++) {
    for (let before = 0; before < 4; before++) {
      const bytes = Buffer.concat([frame(TEXT, 'x'.repeat(before)), frame(TEXT, text), frame(TEXT, 'after')]);
      const memory = Buffer.alloc(offset + bytes.length + 5, 0xaa);
      const recorder = new Recorder();
      makeReceiver(recorder).receive(memory.subarray(offset, offset + bytes.copy(memory, offset)));
      assert.deepEqual(recorder.said, [`text ${'x'.repeat(before)}`, `text ${text}`, 'text after']);
      assert.deepEqual(memory.subarray(0, offset), Buffer.alloc(offset, 0xaa));
      assert.deepEqual(memory.subarray(offset + bytes.length), Buffer.alloc(5, 0xaa));
    }
  }
});

describe('reserved bits without an extension that defines them are refused with 1002 (RFC 6455 §5.2)', () => {
  const bits = [RSV1, RSV2, RSV3, RSV1 | RSV2, RSV1 | RSV3, RSV2 | RSV3, RSV1 | RSV2 | RSV3];
  for (const reserved of bits) {
    for (const opcode of [TEXT, BINARY, CLOSE, PING, PONG]) {
      test(`bits ${reserved.toString(2)} with opcode ${opcode}`, () => {
        const first = frame(opcode, '', { reserved }).subarray(0, 1);
        assertFaultAtLastByte(first, 'fault 1002 reserved-bits');
      });
    }
  }
});

describe('a reserved opcode is refused with 1002, final or not (RFC 6455 §5.2)', () => {
  for (const opcode of [3, 4, 5, 6, 7, 0xb, 0xc, 0xd, 0xe, 0xf]) {
    test(`opcode ${opcode}`, () => {
      for (const isFinal of [true, false]) {
        const first = frame(opcode, '', { isFinal }).subarray(0, 1);
        assertFaultAtLastByte(first, 'fault 1002 opcode-reserved');
      }
    });
  }
});

test('what came before a fault was delivered, and nothing is after it', () => {
  const bad = frame(3);
  const bytes = Buffer.concat([frame(TEXT, 'one'), frame(PING, 'p'), bad, frame(TEXT, 'two')]);
  assertHeard(bytes, ['text one', 'ping 70', 'fault 1002 opcode-reserved']);
});

test('many messages in one chunk are delivered in order', () => {
  const bytes = Buffer.concat(
    Array.from({ length: 60 }, (_, i) => frame(i % 2 === 0 ? TEXT : BINARY, `${i}`)),
  );
  const expected = Array.from({ length: 60 }, (_, i) =>
    i % 2 === 0 ? `text ${i}` : `binary ${Buffer.from(`${i}`).toString('hex')}`,
  );
  assertHeard(bytes, expected);
});

test('an unfinished frame says nothing', () => {
  for (const bytes of [frame(TEXT, 'abc'), frame(PING, 'abc'), frame(CLOSE, closePayload(1000))])
    for (let i = 0; i < bytes.length; i++) assert.deepEqual(hear([bytes.subarray(0, i)]), []);
  assert.deepEqual(hear([frame(TEXT, 'abc', { isFinal: false })]), []);
  assert.deepEqual(hear([frame(CONTINUATION).subarray(0, 0)]), []);
});
