// Pausing and resuming a receiver, and what it keeps meanwhile.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { CLOSE, CONTINUATION, frame, PING, TEXT } from './client-frames.ts';
import { makeReceiver, Recorder } from './receiving.ts';

test('nothing is delivered while paused, and everything after, in order', () => {
  const recorder = new Recorder();
  const receiver = makeReceiver(recorder);
  receiver.pause();
  receiver.receive(frame(TEXT, 'one'));
  receiver.receive(frame(PING, 'two'));
  assert.deepEqual(recorder.said, []);
  assert.equal(receiver.bufferedBytes, 18);
  receiver.resume();
  assert.deepEqual(recorder.said, ['text one', 'ping 74776f']);
  assert.equal(receiver.bufferedBytes, 0);
});

test('a pause from an event holds the rest of the chunk back, in memory of our own', () => {
  const recorder = new Recorder();
  const receiver = makeReceiver(recorder);
  recorder.receiveText = (text) => {
    recorder.said.push(text);
    receiver.pause();
  };
  const chunk = Buffer.concat(['a', 'b', 'c'].map((text) => frame(TEXT, text)));
  receiver.receive(chunk);
  chunk.fill(0);
  assert.deepEqual(recorder.said, ['a']);
  receiver.resume();
  assert.deepEqual(recorder.said, ['a', 'b']);
  receiver.resume();
  receiver.resume();
  assert.deepEqual(recorder.said, ['a', 'b', 'c']);
});

test('pause and resume inside an event leave the order as it is', () => {
  const recorder = new Recorder();
  const receiver = makeReceiver(recorder);
  recorder.receivePing = () => {
    recorder.said.push('ping');
    receiver.pause();
    receiver.resume();
    recorder.said.push('pinged');
  };
  receiver.receive(Buffer.concat([frame(PING), frame(TEXT, 'after')]));
  assert.deepEqual(recorder.said, ['ping', 'pinged', 'text after']);
});

test('receive from an event is our own mistake', () => {
  const recorder = new Recorder();
  const receiver = makeReceiver(recorder);
  recorder.receivePing = () => receiver.receive(frame(PING));
  assert.throws(() => receiver.receive(frame(PING)), /from an event/);
});

test('an event that throws does not lose what follows', () => {
  const recorder = new Recorder();
  const receiver = makeReceiver(recorder);
  recorder.receivePing = () => {
    throw new Error('the handler failed');
  };
  assert.throws(() => receiver.receive(Buffer.concat([frame(PING), frame(TEXT, 'next')])), /handler failed/);
  receiver.resume();
  assert.deepEqual(recorder.said, ['text next']);
});

test('a close frame that waits behind a pause is delivered after it', () => {
  const recorder = new Recorder();
  const receiver = makeReceiver(recorder);
  receiver.pause();
  receiver.receive(Buffer.concat([frame(CLOSE), frame(TEXT, 'x')]));
  assert.equal(receiver.isEnded, false);
  receiver.resume();
  assert.deepEqual(recorder.said, ['close 1005 ']);
  assert.equal(receiver.isEnded, true);
});

test('property: however it is cut, paused and resumed, the same is said', () => {
  const bytes = Buffer.concat([
    frame(TEXT, 'hello, é'),
    frame(TEXT, 'frag', { isFinal: false }),
    frame(PING, 'between'),
    frame(CONTINUATION, 'ment'),
    frame(TEXT, 'x'.repeat(300)),
    frame(CLOSE, Buffer.of(3, 232)),
  ]);
  const expected = [
    'text hello, é',
    'ping 6265747765656e',
    'text fragment',
    `text ${'x'.repeat(300)}`,
    'close 1000 ',
  ];
  const step = fc.record({
    bytes: fc.integer({ min: 1, max: 60 }),
    pause: fc.boolean(),
    resume: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) => {
      const recorder = new Recorder();
      const receiver = makeReceiver(recorder);
      let position = 0;
      for (const { bytes: count, pause, resume } of steps) {
        if (pause) receiver.pause();
        receiver.receive(Buffer.from(bytes.subarray(position, position + count)));
        position = Math.min(bytes.length, position + count);
        if (resume) receiver.resume();
      }
      receiver.resume();
      receiver.receive(Buffer.from(bytes.subarray(position)));
      assert.deepEqual(recorder.said, expected);
    }),
  );
});
