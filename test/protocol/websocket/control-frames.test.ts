// Pings, pongs and close frames as they are received (RFC 6455 §5.5, §7.4).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CLOSE, closePayload, frame, PING, PONG, TEXT } from './client-frames.ts';
import { assertFaultAtLastByte, assertHeard, makeReceiver, Recorder } from './receiving.ts';

test('pings and pongs bear up to 125 bytes of anything (RFC 6455 §5.5)', () => {
  for (const length of [0, 1, 4, 33, 124, 125]) {
    const payload = Buffer.from(Array.from({ length }, (_, i) => 255 - i));
    assertHeard(frame(PING, payload), [`ping ${payload.toString('hex')}`]);
    assertHeard(frame(PONG, payload), [`pong ${payload.toString('hex')}`]);
  }
});

test('a control frame of more than 125 bytes is refused with 1002 at its length (RFC 6455 §5.5)', () => {
  for (const opcode of [CLOSE, PING, PONG]) {
    for (const lengthBytes of [2, 8] as const) {
      const bytes = frame(opcode, '', { length: 126n, lengthBytes }).subarray(0, 2);
      assertFaultAtLastByte(bytes, 'fault 1002 control-too-long');
    }
  }
});

test('unsolicited pongs and many pings are delivered, each for itself (RFC 6455 §5.5.3)', () => {
  const bytes = Buffer.concat([
    frame(PONG, 'x'),
    ...Array.from({ length: 10 }, (_, i) => frame(PING, `${i}`)),
  ]);
  assertHeard(bytes, ['pong 78', ...Array.from({ length: 10 }, (_, i) => `ping 3${i}`)]);
});

test('a cut control frame is put together anew each time', () => {
  assertHeard(Buffer.concat([frame(PING, 'abcdef'), frame(PONG, 'xy'), frame(PING, '')]), [
    'ping 616263646566',
    'pong 7879',
    'ping ',
  ]);
});

describe('a close frame has no payload, or a code and a reason in UTF-8 (RFC 6455 §5.5.1)', () => {
  test('without a code it counts as 1005', () => {
    assertHeard(frame(CLOSE), ['close 1005 ']);
  });
  test('with a reason', () => {
    assertHeard(frame(CLOSE, closePayload(1000, 'bye é')), ['close 1000 bye é']);
    const reason = 'r'.repeat(123);
    assertHeard(frame(CLOSE, closePayload(1001, reason)), [`close 1001 ${reason}`]);
  });
  test('of one byte it is refused with 1002', () => {
    assertFaultAtLastByte(frame(CLOSE, 'x'), 'fault 1002 close-payload');
  });
  test('a reason that is not UTF-8 is refused with 1007', () => {
    for (const bad of [Buffer.of(0xff), Buffer.of(0xc3), Buffer.of(0xed, 0xa0, 0x80)]) {
      assertFaultAtLastByte(frame(CLOSE, closePayload(1000, bad)), 'fault 1007 text-not-utf8');
    }
  });
});

describe('close codes (RFC 6455 §7.4)', () => {
  const valid = [
    1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999,
  ];
  for (const code of valid) {
    test(`${code} is taken`, () => {
      assertHeard(frame(CLOSE, closePayload(code)), [`close ${code} `]);
    });
  }
  const invalid = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535];
  for (const code of invalid) {
    test(`${code} is refused with 1002`, () => {
      assertFaultAtLastByte(frame(CLOSE, closePayload(code, 'r')), 'fault 1002 close-code');
    });
  }
});

test('what follows a close frame is not looked at (RFC 6455 §5.5.1)', () => {
  const bytes = Buffer.concat([frame(CLOSE, closePayload(1000)), frame(TEXT, 'a'), frame(3), frame(PING)]);
  assertHeard(bytes, ['close 1000 ']);
  const recorder = new Recorder();
  const receiver = makeReceiver(recorder);
  receiver.receive(bytes);
  assert.equal(receiver.isEnded, true);
  assert.equal(receiver.bufferedBytes, 0);
  receiver.receive(frame(TEXT, 'b'));
  receiver.resume();
  assert.deepEqual(recorder.said, ['close 1000 ']);
});
