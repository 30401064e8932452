// The preface and frames as such: RFC 9113 §3.4, §4. The shape of each type is in frames.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ACK,
  block,
  CODE,
  data,
  eachWay,
  END_HEADERS,
  END_STREAM,
  feedBytes,
  frame,
  GET,
  Peer,
  post,
  PREFACE,
  request,
  settings,
  TYPE,
  uint32,
} from './peer.ts';

test('the server preface is SETTINGS, before anything was received (RFC 9113 §3.4)', () => {
  const [first] = new Peer().frames();
  assert.equal(first?.type, TYPE.SETTINGS);
  assert.equal(first.flags, 0);
});

eachWay('the client preface and SETTINGS are acknowledged (RFC 9113 §3.4, §6.5.3)', (feed) => {
  const peer = new Peer({}, feed);
  peer.frames();
  assert.equal(peer.connection.prefaceReceived, false);
  peer.send(PREFACE, frame(TYPE.SETTINGS, 0, 0, settings([3, 10])));
  assert.equal(peer.connection.prefaceReceived, true);
  assert.deepEqual(
    peer.frames().map(({ type, flags }) => [type, flags]),
    [[TYPE.SETTINGS, ACK]],
  );
  assert.equal(peer.connection.settingsAcknowledged, false);
  peer.send(frame(TYPE.SETTINGS, ACK, 0));
  assert.equal(peer.connection.settingsAcknowledged, true);
});

for (const [name, bytes] of Object.entries({
  'another preface': Buffer.from('GET / HTTP/1.1\r\nhost: a\r\n\r\n'),
  'a preface that goes wrong at its end': Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r!'),
  'a first frame other than SETTINGS': Buffer.concat([PREFACE, request(1)]),
  'a first frame that acknowledges SETTINGS': Buffer.concat([PREFACE, frame(TYPE.SETTINGS, ACK, 0)]),
})) {
  eachWay(`${name} is a connection error (RFC 9113 §3.4)`, (feed) => {
    const peer = new Peer({}, feed).send(bytes);
    assert.equal(peer.faultCode, CODE.PROTOCOL_ERROR);
  });
}

test('a conversation is the same wherever it is cut in two', () => {
  const bytes = Buffer.concat([
    PREFACE,
    frame(TYPE.SETTINGS, 0, 0, settings([4, 70_000])),
    frame(TYPE.SETTINGS, ACK, 0),
    post(1, ['content-length', '5']),
    data(1, 'he'),
    frame(TYPE.PING, 0, 0, '12345678'),
    data(1, 'llo'),
    frame(TYPE.HEADERS, END_STREAM, 1, block(['x-sum', '1']).subarray(0, 4)),
    frame(TYPE.CONTINUATION, END_HEADERS, 1, block(['x-sum', '1']).subarray(4)),
    request(3),
    frame(TYPE.GOAWAY, 0, 0, Buffer.concat([uint32(0, 0), Buffer.from('bye')])),
  ]);
  const whole = new Peer().send(bytes);
  assert.deepEqual(whole.events, ['head 1', 'data 1', 'data 1', 'end 1', 'head 3', 'goaway']);
  const output = whole.frames();
  for (let cut = 1; cut < bytes.length; cut++) {
    const peer = new Peer().send(bytes.subarray(0, cut)).send(bytes.subarray(cut));
    assert.deepEqual(peer.seen, whole.seen, `cut at ${cut}`);
    assert.deepEqual(peer.frames(), output, `cut at ${cut}`);
  }
  const trickled = new Peer({}, feedBytes).send(bytes);
  assert.deepEqual(trickled.seen, whole.seen);
});

test('what is received is delivered unchanged at the maximum frame size, and one octet more refused (RFC 9113 §4.2)', () => {
  const peer = Peer.ready();
  peer.send(post(1), data(1, Buffer.alloc(16_384, 'x')));
  assert.equal(peer.seen.at(-1)?.text?.length, 16_384);
  // Before its payload has come.
  peer.send(data(1, Buffer.alloc(16_385)).subarray(0, 9));
  assert.equal(peer.faultCode, CODE.FRAME_SIZE_ERROR);
});

test('a larger maxFrameBytesReceived is announced and kept to (RFC 9113 §6.5.2)', () => {
  const peer = new Peer({ maxFrameBytesReceived: 20_000 });
  assert.match(peer.frames()[0]?.payload.toString('hex') ?? '', /000500004e20/);
  peer.send(PREFACE, frame(TYPE.SETTINGS, 0, 0), post(1), data(1, Buffer.alloc(20_000)));
  assert.equal(peer.faultCode, null);
  peer.send(data(1, Buffer.alloc(20_001)));
  assert.equal(peer.faultCode, CODE.FRAME_SIZE_ERROR);
});

eachWay('the reserved bit of a stream id is ignored (RFC 9113 §4.1)', (feed) => {
  const bytes = request(1);
  bytes[5] = 0x80;
  assert.deepEqual(Peer.ready({}, feed).send(bytes).events, ['head 1']);
});

eachWay('frames of unknown types are ignored (RFC 9113 §4.1, §5.5)', (feed) => {
  const peer = Peer.ready({}, feed).send(frame(0xfe, 0xff, 7, 'whatever'), request(1));
  assert.deepEqual(peer.events, ['head 1']);
  assert.equal(peer.faultCode, null);
});

eachWay('unknown and unused flags are ignored (RFC 9113 §4.1)', (feed) => {
  const peer = Peer.ready({}, feed);
  peer.send(frame(TYPE.PING, 0xfe, 0, '12345678'), frame(TYPE.HEADERS, 0xd5, 1, block(...GET)));
  assert.deepEqual(peer.events, ['head 1']);
});
