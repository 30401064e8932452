// Messages in several frames (RFC 6455 §5.4).
import { describe, test } from 'node:test';
import {
  BINARY,
  closePayload,
  CLOSE,
  CONTINUATION,
  fragments,
  frame,
  PING,
  PONG,
  TEXT,
} from './client-frames.ts';
import { assertFaultAtLastByte, assertHeard } from './receiving.ts';

const part = (opcode: number, payload: string): Buffer => frame(opcode, payload, { isFinal: false });

test('the fragments of a message are put together in order (RFC 6455 §5.4)', () => {
  assertHeard(Buffer.concat(fragments(TEXT, ['one ', 'two ', 'three'])), ['text one two three']);
  assertHeard(Buffer.concat(fragments(BINARY, ['a', 'b', 'c', 'd'])), ['binary 61626364']);
});

test('fragments may be empty: all, the first, the last, one between (RFC 6455 §5.2)', () => {
  assertHeard(Buffer.concat(fragments(TEXT, ['', '', ''])), ['text ']);
  assertHeard(Buffer.concat(fragments(BINARY, ['', '', ''])), ['binary ']);
  assertHeard(Buffer.concat(fragments(TEXT, ['', 'a', 'b'])), ['text ab']);
  assertHeard(Buffer.concat(fragments(TEXT, ['a', 'b', ''])), ['text ab']);
  assertHeard(Buffer.concat(fragments(BINARY, ['a', '', 'b'])), ['binary 6162']);
});

test('fragments of one byte make a message', () => {
  const text = 'byte by byte, é and 𝄞 too';
  assertHeard(
    Buffer.concat(
      fragments(
        TEXT,
        Array.from(Buffer.from(text), (byte) => Buffer.of(byte)),
      ),
    ),
    [`text ${text}`],
  );
});

test('long fragments make a message that is longer', () => {
  const payloads = ['a'.repeat(5000), 'b'.repeat(20_000), 'c'.repeat(3), 'd'.repeat(40_000)];
  assertHeard(Buffer.concat(fragments(TEXT, payloads)), [`text ${payloads.join('')}`]);
});

test('a message after a fragmented one starts anew', () => {
  const bytes = Buffer.concat([
    ...fragments(TEXT, ['é', 'b']),
    frame(TEXT, 'plain'),
    ...fragments(BINARY, ['c', 'd']),
  ]);
  assertHeard(bytes, ['text éb', 'text plain', 'binary 6364']);
});

test('control frames may come between fragments, and are delivered at once (RFC 6455 §5.4)', () => {
  const bytes = Buffer.concat([
    part(TEXT, 'on'),
    frame(PING, 'p1'),
    part(CONTINUATION, 'e '),
    frame(PONG, ''),
    frame(PING, 'p2'),
    frame(CONTINUATION, 'message'),
  ]);
  assertHeard(bytes, ['ping 7031', 'pong ', 'ping 7032', 'text one message']);
});

test('a control frame may come inside a character that is cut by fragments', () => {
  const [first, second] = [Buffer.of(0xf0, 0x9d), Buffer.of(0x84, 0x9e)];
  const bytes = Buffer.concat([
    frame(TEXT, first, { isFinal: false }),
    frame(PING, Buffer.of(0xff)),
    frame(CONTINUATION, second),
  ]);
  assertHeard(bytes, ['ping ff', 'text 𝄞']);
});

test('a close frame between fragments ends the message unsaid', () => {
  const bytes = Buffer.concat([part(TEXT, 'on'), frame(CLOSE, closePayload(1001)), frame(CONTINUATION, 'e')]);
  assertHeard(bytes, ['close 1001 ']);
});

describe('a continuation without a message is refused with 1002 (RFC 6455 §5.4)', () => {
  const fault = 'fault 1002 continuation-unexpected';
  for (const isFinal of [true, false]) {
    test(isFinal ? 'final' : 'not final', () => {
      assertFaultAtLastByte(frame(CONTINUATION, 'x', { isFinal }).subarray(0, 1), fault);
    });
  }
  test('after a whole message', () => {
    assertHeard(Buffer.concat([frame(TEXT, 'a'), frame(CONTINUATION, 'b')]), ['text a', fault]);
  });
  test('after a fragmented message', () => {
    const bytes = Buffer.concat([...fragments(TEXT, ['a', 'b']), frame(CONTINUATION, 'c')]);
    assertHeard(bytes, ['text ab', fault]);
  });
});

describe('a message inside a fragmented one is refused with 1002 (RFC 6455 §5.4)', () => {
  for (const opcode of [TEXT, BINARY]) {
    test(`opcode ${opcode}`, () => {
      const bytes = Buffer.concat([part(TEXT, 'a'), frame(opcode, 'b').subarray(0, 1)]);
      assertFaultAtLastByte(bytes, 'fault 1002 continuation-expected');
    });
  }
});

test('a fragmented control frame is refused with 1002 (RFC 6455 §5.5)', () => {
  for (const opcode of [CLOSE, PING, PONG]) {
    assertFaultAtLastByte(part(opcode, '').subarray(0, 1), 'fault 1002 control-fragmented');
  }
});
