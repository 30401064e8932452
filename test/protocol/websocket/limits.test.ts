// The limits of a receiver: at the limit all is well, one over it fails the connection as soon as it is known.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  DEFAULT_WEBSOCKET_LIMITS,
  MAX_TEXT_BYTES,
  type WebSocketLimits,
} from '../../../src/protocol/websocket/limits.ts';
import { BINARY, CONTINUATION, fragments, frame, PING, TEXT } from './client-frames.ts';
import { assertFaultAtLastByte, assertHeard, hear, makeReceiver, Recorder } from './receiving.ts';

const headerOf = (bytes: Buffer, payload: number): Buffer => bytes.subarray(0, bytes.length - payload);

describe('maxFrameBytes', () => {
  const setting = { limits: { maxFrameBytes: 200 } };
  test('a frame of so many bytes is taken', () => {
    assertHeard(frame(TEXT, 'x'.repeat(200)), [`text ${'x'.repeat(200)}`], setting);
  });
  test('a frame of one more is refused with 1009 at its header', () => {
    const bytes = headerOf(frame(BINARY, 'x'.repeat(201)), 201);
    assertFaultAtLastByte(bytes, 'fault 1009 frame-too-large', setting);
  });
  test('so is a continuation', () => {
    const second = headerOf(frame(CONTINUATION, 'x'.repeat(201)), 201);
    const bytes = Buffer.concat([frame(TEXT, 'a', { isFinal: false }), second]);
    assertFaultAtLastByte(bytes, 'fault 1009 frame-too-large', setting);
  });
  test('it does not concern control frames', () => {
    assertHeard(frame(PING, 'ab'), ['ping 6162'], { limits: { maxFrameBytes: 1 } });
  });
});

describe('maxMessageBytes', () => {
  const setting = { limits: { maxMessageBytes: 300 } };
  test('a message of so many bytes is taken, in one frame or more', () => {
    const [a, b] = ['a'.repeat(100), 'b'.repeat(200)];
    assertHeard(frame(TEXT, a + b), [`text ${a}${b}`], setting);
    assertHeard(Buffer.concat(fragments(TEXT, [a, b])), [`text ${a}${b}`], setting);
  });
  test('a frame that makes it one more is refused with 1009 at its header', () => {
    const whole = headerOf(frame(TEXT, 'x'.repeat(301)), 301);
    assertFaultAtLastByte(whole, 'fault 1009 message-too-large', setting);
    const first = frame(BINARY, 'x'.repeat(100), { isFinal: false });
    const second = headerOf(frame(CONTINUATION, 'x'.repeat(201)), 201);
    assertFaultAtLastByte(Buffer.concat([first, second]), 'fault 1009 message-too-large', setting);
  });
  test('each message counts for itself', () => {
    const text = 'x'.repeat(300);
    assertHeard(
      Buffer.concat([frame(TEXT, text), frame(TEXT, text)]),
      [`text ${text}`, `text ${text}`],
      setting,
    );
  });
});

describe('maxFragments', () => {
  const setting = { limits: { maxFragments: 4 } };
  test('a message of so many frames is taken', () => {
    const bytes = Buffer.concat([
      ...fragments(TEXT, ['a', 'b', 'c', 'd']),
      ...fragments(TEXT, ['', '', '', '']),
    ]);
    assertHeard(bytes, ['text abcd', 'text '], setting);
  });
  test('one more, also an empty one, is refused with 1008', () => {
    const bytes = Buffer.concat(fragments(TEXT, ['', '', '', '', '']));
    assertFaultAtLastByte(bytes, 'fault 1008 too-many-fragments', setting);
  });
  test('control frames between are not fragments', () => {
    const [a, b, c, d] = fragments(BINARY, ['1', '2', '3', '4']) as [Buffer, Buffer, Buffer, Buffer];
    const ping = frame(PING);
    const bytes = Buffer.concat([a, ping, b, ping, c, ping, d]);
    assertHeard(bytes, ['ping ', 'ping ', 'ping ', 'binary 31323334'], setting);
  });
});

test('a flood of fragments of one byte ends at the limit, and keeps what it sent at most twice', () => {
  const recorder = new Recorder();
  const receiver = makeReceiver(recorder);
  receiver.receive(frame(BINARY, 'x', { isFinal: false }));
  const next = frame(CONTINUATION, 'x', { isFinal: false });
  for (let sent = 1; sent < DEFAULT_WEBSOCKET_LIMITS.maxFragments; sent++)
    receiver.receive(Buffer.from(next));
  assert.deepEqual(recorder.said, []);
  assert.equal(receiver.messageBytes, DEFAULT_WEBSOCKET_LIMITS.maxFragments);
  receiver.receive(Buffer.from(next));
  assert.deepEqual(recorder.said, ['fault 1008 too-many-fragments']);
  assert.equal(receiver.messageBytes, 0);
});

test('an announced length takes no memory of its size', () => {
  const limits = { maxFrameBytes: MAX_TEXT_BYTES, maxMessageBytes: MAX_TEXT_BYTES };
  const before = process.memoryUsage().arrayBuffers;
  const receivers = Array.from({ length: 64 }, () => makeReceiver(new Recorder(), { limits }));
  const bytes = headerOf(frame(BINARY, '', { length: 500_000_000n }), 0);
  for (const receiver of receivers) receiver.receive(Buffer.concat([bytes, Buffer.alloc(100)]));
  assert.ok(process.memoryUsage().arrayBuffers - before < 64 * 100_000);
  for (const receiver of receivers) assert.equal(receiver.messageBytes, 100);
});

test('what is received of a message is not kept after a fault', () => {
  const recorder = new Recorder();
  const receiver = makeReceiver(recorder);
  receiver.receive(Buffer.concat([frame(BINARY, 'x'.repeat(5000), { isFinal: false }), frame(BINARY)]));
  assert.deepEqual(recorder.said, ['fault 1002 continuation-expected']);
  assert.equal(receiver.messageBytes, 0);
  assert.equal(receiver.bufferedBytes, 0);
});

test('a limit below one, above what a text can be, or none is our own mistake', () => {
  const bad: Partial<WebSocketLimits>[] = [
    { maxFrameBytes: 0 },
    { maxMessageBytes: MAX_TEXT_BYTES + 1 },
    { maxFragments: Number.NaN },
    { maxInflateRatio: -1 },
  ];
  for (const limits of bad) assert.throws(() => makeReceiver(new Recorder(), { limits }), RangeError);
  assert.deepEqual(hear([frame(TEXT, 'x')], { limits: { maxMessageBytes: MAX_TEXT_BYTES } }), ['text x']);
});
