// Windows in both directions: RFC 9113 §5.2, §6.9.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReceiveWindow, SendWindow } from '../../../src/protocol/http2/flow-window.ts';
import {
  ACK,
  block,
  CODE,
  data,
  eachWay,
  END_HEADERS,
  END_STREAM,
  feedWhole,
  frame,
  PADDED,
  Peer,
  post,
  POST,
  PREFACE,
  request,
  settings,
  TYPE,
  uint32,
} from './peer.ts';
import type { OutFrame } from './peer.ts';

function dataBytes(frames: readonly OutFrame[], id?: number): number {
  return frames
    .filter((f) => f.type === TYPE.DATA && (id === undefined || f.id === id))
    .reduce((sum, f) => sum + f.payload.length, 0);
}
function updates(frames: readonly OutFrame[]): [number, number][] {
  return frames.filter((f) => f.type === TYPE.WINDOW_UPDATE).map((f) => [f.id, f.payload.readUInt32BE(0)]);
}
function windowUpdate(id: number, increment: number): Buffer {
  return frame(TYPE.WINDOW_UPDATE, 0, id, uint32(increment));
}
function initialWindow(bytes: number): Buffer {
  return frame(TYPE.SETTINGS, 0, 0, settings([4, bytes]));
}

// --- Sending ---
eachWay('no more DATA is sent than the window of the stream allows (RFC 9113 §5.2.1, §6.9.1)', (feed) => {
  const peer = Peer.ready({}, feed, settings([4, 10])).send(request(1));
  peer.connection.sendResponse(peer.stream(1), 200, [], 'x'.repeat(25), '', null);
  assert.equal(dataBytes(peer.frames()), 10);
  assert.equal(peer.connection.hasOutput, false);
  peer.send(windowUpdate(1, 10));
  assert.equal(peer.connection.hasOutput, true);
  assert.equal(dataBytes(peer.frames()), 10);
  peer.send(windowUpdate(1, 10));
  const [last] = peer.frames();
  assert.deepEqual([last?.payload.length, last?.flags], [5, END_STREAM]);
  assert.equal(peer.stream(1).closed, true);
});
eachWay('no more DATA is sent than the window of the connection allows (RFC 9113 §5.2.1, §6.9.1)', (feed) => {
  const peer = Peer.ready({}, feed, settings([4, 100_000])).send(request(1), request(3));
  peer.connection.sendResponse(peer.stream(1), 200, [], Buffer.alloc(65_530), '', null);
  peer.connection.sendResponse(peer.stream(3), 200, [], Buffer.alloc(10), '', null);
  assert.equal(dataBytes(peer.frames()), 65_535);
  assert.equal(peer.connection.queuedBytes, 5);
  peer.send(windowUpdate(0, 5));
  const frames = peer.frames();
  assert.deepEqual([dataBytes(frames, 1), frames.at(-1)?.flags], [5, END_STREAM]);
});
test('HEADERS, and an empty DATA frame that ends a stream, need no window (RFC 9113 §6.9.1)', () => {
  const peer = Peer.ready({}, undefined, settings([4, 0])).send(request(1), request(3));
  const { connection } = peer;
  connection.sendHead(peer.stream(1), 200, [], null, '', null);
  connection.sendData(peer.stream(1), '', true);
  connection.sendHead(peer.stream(3), 200, [], null, '', null);
  connection.sendEnd(peer.stream(3), ['x-sum', '1']);
  assert.deepEqual(
    peer.frames().map(({ type, flags }) => [type, flags]),
    [
      [TYPE.HEADERS, END_HEADERS],
      [TYPE.DATA, END_STREAM],
      [TYPE.HEADERS, END_HEADERS],
      [TYPE.HEADERS, END_HEADERS | END_STREAM],
    ],
  );
});
eachWay('a changed INITIAL_WINDOW_SIZE changes open windows, below zero too (RFC 9113 §6.9.2)', (feed) => {
  const peer = Peer.ready({}, feed, settings([4, 30])).send(request(1));
  peer.connection.sendResponse(peer.stream(1), 200, [], 'x'.repeat(50), '', null);
  assert.equal(dataBytes(peer.frames()), 30);
  peer.send(initialWindow(10));
  assert.equal(peer.stream(1).sendWindow.available, -20);
  peer.send(windowUpdate(1, 20));
  assert.equal(dataBytes(peer.frames()), 0);
  peer.send(windowUpdate(1, 1));
  assert.equal(dataBytes(peer.frames()), 1);
  // It does not touch the window of the connection.
  peer.send(initialWindow(29));
  assert.equal(dataBytes(peer.frames()), 19);
  // A window that closes while data waits for its turn.
  peer.send(request(3));
  peer.connection.sendHead(peer.stream(3), 200, [], null, '', null);
  peer.connection.sendData(peer.stream(3), Buffer.alloc(100), true);
  peer.send(initialWindow(0));
  assert.equal(dataBytes(peer.frames()), 0);
});
eachWay(
  'INITIAL_WINDOW_SIZE that makes a window overflow is a connection error (RFC 9113 §6.9.2)',
  (feed) => {
    const peer = Peer.ready({}, feed).send(request(1), windowUpdate(1, 0x7fffffff - 65_535));
    assert.equal(peer.faultCode, null);
    peer.send(initialWindow(65_536));
    assert.equal(peer.faultCode, CODE.FLOW_CONTROL_ERROR);
  },
);
eachWay('a window of the connection over 2^31-1 is a connection error (RFC 9113 §6.9.1)', (feed) => {
  const peer = Peer.ready({}, feed).send(windowUpdate(0, 0x7fffffff - 65_535));
  assert.equal(peer.faultCode, null);
  peer.send(windowUpdate(0, 1));
  assert.equal(peer.faultCode, CODE.FLOW_CONTROL_ERROR);
});
eachWay('a window of a stream over 2^31-1 is a stream error (RFC 9113 §6.9.1)', (feed) => {
  const peer = Peer.ready({}, feed).send(request(1), windowUpdate(1, 0x7fffffff - 65_535));
  assert.equal(peer.resetCode(1), null);
  peer.send(windowUpdate(1, 1));
  assert.equal(peer.resetCode(1), CODE.FLOW_CONTROL_ERROR);
  assert.equal(peer.faultCode, null);
});
eachWay(
  'DATA frames are no larger than MAX_FRAME_SIZE, nor than maxFrameBytesSent (RFC 9113 §4.2)',
  (feed) => {
    for (const [theirs, ours, largest] of [
      [16_384, 50_000, 16_384],
      [60_000, 50_000, 50_000],
      [60_000, 16_384, 16_384],
    ] as const) {
      const peer = Peer.ready({ maxFrameBytesSent: ours }, feed, settings([5, theirs])).send(request(1));
      peer.connection.sendResponse(peer.stream(1), 200, [], Buffer.alloc(60_000), '', null);
      const sizes = peer
        .frames()
        .flatMap(({ type, payload }) => (type === TYPE.DATA ? [payload.length] : []));
      assert.equal(sizes[0], largest);
      assert.equal(Math.max(...sizes), largest);
    }
  },
);
test('a body of many pieces arrives whole and in order', () => {
  const peer = Peer.ready().send(request(1), windowUpdate(0, 1_000_000), windowUpdate(1, 1_000_000));
  const { connection } = peer;
  const pieces = Array.from({ length: 300 }, (_, i) => Buffer.alloc((i * 37) % 9000, `${i % 10}`));
  connection.sendHead(peer.stream(1), 200, [], null, '', null);
  for (const piece of pieces) connection.sendData(peer.stream(1), piece, false);
  connection.sendData(peer.stream(1), '', true);
  const frames: OutFrame[] = [];
  while (connection.hasOutput) frames.push(...peer.frames(20_000));
  const received = Buffer.concat(
    frames.filter(({ type }) => type === TYPE.DATA).map(({ payload }) => payload),
  );
  const sent = Buffer.concat(pieces);
  assert.ok(sent.length > 500_000);
  peer.send(windowUpdate(0, 1_000_000), windowUpdate(1, 1_000_000));
  const rest = peer.frames(10_000_000).map(({ payload }) => payload);
  assert.ok(Buffer.concat([received, ...rest]).equals(sent));
  assert.equal(peer.stream(1).closed, true);
});
test('a sender is asked to wait at maxStreamBufferBytes, and told when to go on', () => {
  const peer = Peer.ready({ maxStreamBufferBytes: 1000 }, undefined, settings([4, 0])).send(request(1));
  const stream = peer.stream(1);
  const { connection } = peer;
  connection.sendHead(stream, 200, [], null, '', null);
  assert.equal(connection.sendData(stream, Buffer.alloc(999), false), true);
  assert.equal(connection.sendData(stream, Buffer.alloc(1), false), false);
  peer.send(windowUpdate(1, 499)).frames();
  assert.ok(!peer.events.includes('drain 1'));
  peer.onDrain = () => void connection.sendData(stream, 'more', true);
  peer.send(windowUpdate(1, 1)).frames();
  assert.ok(peer.events.includes('drain 1'));
  assert.equal(connection.queuedBytes, 504);
  const frames = peer.send(windowUpdate(1, 504)).frames();
  assert.deepEqual([dataBytes(frames), frames.at(-1)?.flags, stream.closed], [504, END_STREAM, true]);
});
test('a sender is asked to wait at maxConnectionBufferBytes, over all streams', () => {
  const options = { maxStreamBufferBytes: 1000, maxConnectionBufferBytes: 1500 };
  const peer = Peer.ready(options, undefined, settings([4, 0])).send(request(1), request(3));
  const { connection } = peer;
  for (const id of [1, 3]) connection.sendHead(peer.stream(id), 200, [], null, '', null);
  assert.equal(connection.sendData(peer.stream(1), Buffer.alloc(900), false), true);
  assert.equal(connection.sendData(peer.stream(3), Buffer.alloc(600), false), false);
  // A reset stream gives back what it queued.
  connection.sendReset(peer.stream(3), 8);
  assert.equal(connection.queuedBytes, 900);
});
test('output is gathered up to maxGatheredBytes, and the rest when asked for again', () => {
  const peer = Peer.ready({ maxGatheredBytes: 20_000 }, undefined, settings([4, 100_000])).send(request(1));
  peer.connection.sendResponse(peer.stream(1), 200, [], Buffer.alloc(60_000), '', null);
  assert.equal(dataBytes(peer.frames()), 32_768);
  assert.equal(dataBytes(peer.frames(1)), 16_384);
  assert.equal(dataBytes(peer.frames()), 60_000 - 3 * 16_384);
});

// --- Receiving ---
eachWay('more DATA than the window of the stream is a stream error (RFC 9113 §6.9.1)', (feed) => {
  const peer = Peer.ready({}, feed).send(post(1));
  for (let n = 0; n < 4; n++) peer.send(data(1, Buffer.alloc(16_383)));
  peer.send(data(1, Buffer.alloc(3)));
  assert.equal(peer.resetCode(1), null);
  peer.send(data(1, 'x'));
  assert.equal(peer.resetCode(1), CODE.FLOW_CONTROL_ERROR);
  assert.equal(peer.faultCode, null);
});
test('more DATA than the window of the connection is a connection error (RFC 9113 §6.9.1)', () => {
  const peer = Peer.ready({ initialConnectionWindowBytes: 0 });
  for (const id of [1, 3, 5, 7]) peer.send(post(id), data(id, Buffer.alloc(16_383)));
  peer.send(post(9), data(9, 'abc'));
  assert.equal(peer.faultCode, null);
  peer.send(data(9, 'd'));
  assert.equal(peer.faultCode, CODE.FLOW_CONTROL_ERROR);
});
test('padding counts, and is given back at once (RFC 9113 §6.9.1)', () => {
  const options = { initialConnectionWindowBytes: 65_535, maxStreamWindowBytes: 65_535 };
  const peer = Peer.ready(options).send(post(1));
  const padded = frame(TYPE.DATA, PADDED, 1, Buffer.concat([Buffer.from([255, 0x78]), Buffer.alloc(255)]));
  for (let n = 0; n < 300; n++) peer.send(padded);
  assert.equal(peer.faultCode, null);
  const given = updates(peer.frames());
  const total = (id: number): number => given.filter((u) => u[0] === id).reduce((sum, u) => sum + u[1], 0);
  assert.ok(total(1) >= 32_768 && total(1) <= 300 * 256);
  assert.ok(total(0) >= 32_768);
});
test('windows are given back as the reader reads, in few updates (RFC 9113 §6.9)', () => {
  const peer = Peer.ready({
    maxStreamWindowBytes: 65_535,
    initialConnectionWindowBytes: 65_535,
    maxConnectionWindowBytes: 65_535,
  });
  peer.send(post(1));
  for (let n = 0; n < 6; n++) peer.send(data(1, Buffer.alloc(10_000)));
  assert.deepEqual(updates(peer.frames()), []);
  peer.connection.releaseData(peer.stream(1), 30_000);
  assert.deepEqual(updates(peer.frames()), []);
  peer.connection.releaseData(peer.stream(1), 10_000);
  assert.deepEqual(updates(peer.frames()), [
    [1, 40_000],
    [0, 40_000],
  ]);
  peer.send(data(1, Buffer.alloc(10_000), true));
  // The request is over: only the connection has use for it.
  peer.connection.releaseData(peer.stream(1), 30_000);
  peer.connection.releaseData(peer.stream(1), 3000);
  assert.deepEqual(updates(peer.frames()), [[0, 33_000]]);
});
test('a window grows where the reader keeps up, to its maximum and no further', () => {
  const window = new ReceiveWindow(1000, 3000);
  const increments: number[] = [];
  for (let n = 0; n < 13; n++) {
    assert.equal(window.receive(500), true);
    const increment = window.release(500);
    if (increment > 0) increments.push(increment);
  }
  // Twice it grows by 1000: at half of 1000, then at half of 2000.
  assert.deepEqual(increments, [1500, 2000, 1500, 1500, 1500]);
  assert.equal(window.available, 3000 - 500);
});
test('a window does not grow where octets lie unread', () => {
  const window = new ReceiveWindow(1000, 3000);
  window.receive(1000);
  assert.equal(window.release(500), 500);
});
test('no window can be asked to grow over 2^31-1', () => {
  const window = new ReceiveWindow(0x7fffffff, 0xffffffff);
  window.receive(0x7fffffff);
  assert.equal(window.release(0x7fffffff), 0x7fffffff);
  assert.equal(new SendWindow(1).grow(0x7fffffff), false);
});
test('what nobody will read is given back: on streams that are reset, closed or gone (RFC 9113 §5.1, §6.9)', () => {
  const peer = Peer.ready({ initialConnectionWindowBytes: 65_535 });
  for (let n = 0; n < 20; n++) {
    const id = 1 + n * 2;
    peer.send(post(id), data(id, Buffer.alloc(9000)));
    peer.connection.sendReset(peer.stream(id), 8);
    // On its way when it was reset.
    peer.send(data(id, Buffer.alloc(9000)));
  }
  assert.equal(peer.faultCode, null);
  assert.ok(updates(peer.frames()).every(([id]) => id === 0));
});
test('a smaller or larger initial window binds the peer once it has acknowledged it (RFC 9113 §6.5.3, §6.9.3)', () => {
  for (const bytes of [10, 100_000]) {
    const peer = new Peer({ initialStreamWindowBytes: bytes }, feedWhole);
    peer.send(PREFACE, frame(TYPE.SETTINGS, 0, 0), post(1), data(1, Buffer.alloc(8)));
    assert.equal(peer.stream(1).receiveWindow?.available, 65_535 - 8);
    peer.send(frame(TYPE.SETTINGS, ACK, 0), frame(TYPE.SETTINGS, ACK, 0));
    assert.equal(peer.stream(1).receiveWindow?.available, bytes - 8);
    peer.send(frame(TYPE.HEADERS, END_HEADERS, 3, block(...POST)));
    assert.equal(peer.stream(3).receiveWindow?.available, bytes);
  }
});
test('the server preface raises the window of the connection (RFC 9113 §6.9.2)', () => {
  assert.deepEqual(updates(new Peer({ initialConnectionWindowBytes: 100_000 }).frames()), [[0, 34_465]]);
  assert.deepEqual(updates(new Peer({ initialConnectionWindowBytes: 1 }).frames()), []);
});

// --- Stalled streams ---
test('a stream whose body does not move for stalledTimeoutMs is reset', () => {
  const peer = Peer.ready({ stalledTimeoutMs: 1000 }, undefined, settings([4, 10])).send(
    request(1),
    request(3),
  );
  const { connection } = peer;
  connection.tick(0);
  connection.sendResponse(peer.stream(1), 200, [], 'x'.repeat(25), '', null);
  peer.frames();
  connection.tick(500);
  connection.tick(1499);
  peer.send(windowUpdate(1, 1)).frames();
  connection.tick(1500); // It moved.
  connection.tick(2499);
  assert.equal(connection.streamCount, 2);
  connection.tick(2500);
  assert.deepEqual(peer.events.slice(2), ['reset 1']);
  assert.equal(peer.resetCode(1), CODE.CANCEL);
  assert.equal(connection.queuedBytes, 0);
  connection.tick(100_000);
  assert.equal(connection.streamCount, 1);
});
test('a stream that waits for its turn is not stalled as long as another one moves (RFC 9218 §10)', () => {
  const peer = Peer.ready({ stalledTimeoutMs: 1000 }, undefined, settings([4, 1_000_000])).send(
    request(1, ['priority', 'u=3']),
    request(3, ['priority', 'u=3']),
  );
  const { connection } = peer;
  for (const id of [1, 3]) connection.sendResponse(peer.stream(id), 200, [], Buffer.alloc(200_000), '', null);
  peer.frames();
  for (let nowMs = 0; nowMs <= 10_000; nowMs += 500) {
    connection.tick(nowMs);
    // The window of the connection is what holds both back.
    peer.send(windowUpdate(0, 10)).frames();
  }
  assert.equal(connection.streamCount, 2);
  connection.tick(10_500);
  connection.tick(11_500);
  assert.equal(connection.streamCount, 0);
});
test('a stream whose windows are open waits for the writer, and is not stalled', () => {
  const peer = Peer.ready({ stalledTimeoutMs: 1000 }, undefined, settings([4, 1_000_000]));
  const { connection } = peer.send(request(1));
  connection.sendResponse(peer.stream(1), 200, [], Buffer.alloc(40_000), '', null);
  for (let nowMs = 0; nowMs <= 10_000; nowMs += 500) connection.tick(nowMs);
  assert.equal(connection.streamCount, 1);
});
test('before all has left that was written, no stream is taken for stalled', () => {
  const peer = Peer.ready({ stalledTimeoutMs: 1000 }, undefined, settings([4, 10])).send(request(1));
  const { connection } = peer;
  connection.sendResponse(peer.stream(1), 200, [], 'x'.repeat(25), '', null);
  peer.frames();
  for (let nowMs = 0; nowMs <= 10_000; nowMs += 500) connection.tick(nowMs, false);
  connection.tick(10_500);
  connection.tick(11_499);
  assert.equal(connection.streamCount, 1);
  connection.tick(11_500);
  assert.equal(connection.streamCount, 0);
});
test('a stalledTimeoutMs of 0 waits for ever', () => {
  const peer = Peer.ready({ stalledTimeoutMs: 0 }, undefined, settings([4, 0])).send(request(1));
  peer.connection.sendResponse(peer.stream(1), 200, [], 'x', '', null);
  peer.connection.tick(0);
  peer.connection.tick(1e9);
  peer.connection.tick(2e9);
  assert.equal(peer.connection.streamCount, 1);
});

test('a stream that is fed as fast as it sends is not stalled', () => {
  const peer = Peer.ready({ stalledTimeoutMs: 1000 }, undefined, settings([4, 10])).send(request(1));
  const { connection } = peer;
  connection.sendHead(peer.stream(1), 200, [], null, '', null);
  connection.sendData(peer.stream(1), 'x'.repeat(25), false);
  peer.frames();
  for (let n = 0; n < 10; n++) {
    connection.tick(n * 900);
    peer.send(windowUpdate(1, 5)).frames();
    connection.sendData(peer.stream(1), 'fives', false);
    assert.equal(connection.queuedBytes, 15);
  }
  assert.equal(connection.streamCount, 1);
});
test('what is discarded is given back, and not told of, to the end', () => {
  const peer = Peer.ready({ initialConnectionWindowBytes: 65_535 }).send(post(1), data(1, 'told'));
  peer.connection.discardData(peer.stream(1));
  for (let n = 0; n < 20; n++) peer.send(data(1, Buffer.alloc(16_000)));
  assert.equal(peer.faultCode, null);
  assert.ok(updates(peer.frames()).length < 20);
  peer.send(data(1, '', true));
  assert.deepEqual(peer.events, ['head 1', 'data 1']);
  peer.connection.sendResponse(peer.stream(1), 413, [], null, '', null);
  assert.equal(peer.connection.streamCount, 0);
});
