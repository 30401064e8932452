// Limits of sizes and windows, met exactly and passed by one, where neither a rule of the RFCs nor a flood has them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CODE, data, frame, Peer, post, PREFACE, request, settings, TYPE, uint32, ACK } from './peer.ts';
import type { OutFrame } from './peer.ts';

const LARGE_FRAME = 16_384;

function dataLengths(frames: readonly OutFrame[]): number[] {
  return frames.filter(({ type }) => type === TYPE.DATA).map(({ payload }) => payload.length);
}

function windowUpdate(id: number, increment: number): Buffer {
  return frame(TYPE.WINDOW_UPDATE, 0, id, uint32(increment));
}

/** DATA of so many octets in as many frames as it takes. */
function upload(id: number, bytes: number): Buffer {
  const frames: Buffer[] = [];
  for (let left = bytes; left > 0; left -= LARGE_FRAME) {
    frames.push(data(id, Buffer.alloc(Math.min(left, LARGE_FRAME))));
  }
  return Buffer.concat(frames);
}

test('a body of maxFrameBytesSent is one frame, one octet more is two', () => {
  const own = settings([4, 1_000_000], [5, 100_000]);
  for (const [bytes, lengths] of [
    [20_000, [20_000]],
    [20_001, [20_000, 1]],
  ] as const) {
    const peer = Peer.ready({ maxFrameBytesSent: 20_000 }, undefined, own).send(request(1));
    peer.connection.sendResponse(peer.stream(1), 200, [], Buffer.alloc(bytes), '', null);
    assert.deepEqual(dataLengths(peer.frames()), lengths);
  }
});

test('initialStreamWindowBytes may be sent on a stream before anything is read, one octet more is a stream error', () => {
  const peer = Peer.ready({ initialStreamWindowBytes: 100_000 }).send(post(1), post(3));
  peer.send(upload(1, 100_000), upload(3, 100_000));
  assert.deepEqual([peer.connection.streamCount, peer.faultCode], [2, null]);
  peer.send(data(3, 'x'));
  assert.equal(peer.resetCode(3), CODE.FLOW_CONTROL_ERROR);
  assert.deepEqual([peer.connection.streamCount, peer.faultCode], [1, null]);
});

test('initialConnectionWindowBytes may be sent before anything is read, one octet more is a connection error', () => {
  const options = { initialConnectionWindowBytes: 100_000 };
  const peer = Peer.ready(options).send(post(1), post(3));
  peer.send(upload(1, 50_000), upload(3, 50_000));
  assert.equal(peer.faultCode, null);
  peer.send(data(3, 'x'));
  assert.equal(peer.faultCode, CODE.FLOW_CONTROL_ERROR);
});

/** Uploads that are read at once, so that windows grow as far as they can; then what was given for the stream and the connection. */
function grown(peer: Peer, rounds: number): { stream: number; connection: number } {
  const given = { stream: 65_535, connection: 65_535 };
  for (let n = 0; n < rounds; n++) {
    peer.send(data(1, Buffer.alloc(LARGE_FRAME)));
    peer.connection.releaseData(peer.stream(1), LARGE_FRAME);
    given.stream -= LARGE_FRAME;
    given.connection -= LARGE_FRAME;
    for (const { type, id, payload } of peer.frames()) {
      if (type === TYPE.WINDOW_UPDATE) given[id === 0 ? 'connection' : 'stream'] += payload.readUInt32BE(0);
    }
  }
  return given;
}

test('a stream’s window grows to maxStreamWindowBytes: no more of it can lie unread', () => {
  const limit = 200_000;
  const peer = Peer.ready({ maxStreamWindowBytes: limit }).send(post(1));
  const { stream: left } = grown(peer, 100);
  // It is given back in halves, so that what is read and not given back yet is missing.
  assert.ok(left > limit / 2 && left <= limit, `${left}`);
  peer.send(upload(1, left));
  assert.equal(peer.connection.streamCount, 1);
  peer.send(data(1, 'x'));
  assert.equal(peer.resetCode(1), CODE.FLOW_CONTROL_ERROR);
});

test('the connection’s window grows to maxConnectionWindowBytes: no more of it can lie unread', () => {
  const limit = 200_000;
  const options = {
    initialConnectionWindowBytes: 65_535,
    maxConnectionWindowBytes: limit,
    maxStreamWindowBytes: 1_000_000,
  };
  const peer = Peer.ready(options).send(post(1));
  const { connection: left, stream } = grown(peer, 200);
  assert.ok(left > limit / 2 && left <= limit, `${left}`);
  assert.ok(stream > left + 1);
  peer.send(upload(1, left));
  assert.equal(peer.faultCode, null);
  peer.send(data(1, 'x'));
  assert.equal(peer.faultCode, CODE.FLOW_CONTROL_ERROR);
});

test('a sender goes on below maxConnectionBufferBytes, and waits from it on', () => {
  const options = { maxConnectionBufferBytes: 1500 };
  const peer = Peer.ready(options, undefined, settings([4, 0])).send(request(1), request(3));
  for (const id of [1, 3]) peer.connection.sendHead(peer.stream(id), 200, [], null, '', null);
  assert.equal(peer.connection.sendData(peer.stream(1), Buffer.alloc(900), false), true);
  assert.equal(peer.connection.sendData(peer.stream(3), Buffer.alloc(599), false), true);
  assert.equal(peer.connection.sendData(peer.stream(3), Buffer.alloc(1), false), false);
});

test('windows that are opened bit by bit do not make bodies grow beyond maxConnectionBufferBytes', () => {
  const [streams, piece, limit] = [20, 65_536, 500_000];
  const options = { maxConnectionBufferBytes: limit, windowUpdateBudget: 100_000 };
  const peer = Peer.ready(options, undefined, settings([4, 0])).send(windowUpdate(0, 100_000_000));
  const fill = (id: number): void => {
    while (peer.connection.sendData(peer.stream(id), Buffer.alloc(piece), false));
  };
  peer.onDrain = ({ id }) => fill(id);
  for (let n = 0; n < streams; n++) {
    const id = 1 + n * 2;
    peer.send(request(id));
    peer.connection.sendHead(peer.stream(id), 200, [], null, '', null);
    fill(id);
  }
  let most = 0;
  for (let round = 0; round < 50; round++) {
    for (let n = 0; n < streams; n++) peer.send(windowUpdate(1 + n * 2, LARGE_FRAME)).frames();
    most = Math.max(most, peer.connection.queuedBytes);
  }
  assert.equal(peer.faultCode, null);
  // Each stream that has nothing left may bring a piece, so that it does not wait for those that hold theirs back.
  assert.ok(most <= limit + streams * piece, `${most}`);
  // Whoever takes what is sent is served to the end, although others hold the buffer.
  for (let round = 0; round < 20; round++) {
    const sent = dataLengths(peer.send(windowUpdate(1, 4 * piece)).frames(10_000_000));
    assert.equal(
      sent.reduce((sum, length) => sum + length, 0),
      4 * piece,
    );
  }
});

test('output below maxGatheredBytes takes another frame, from it on none', () => {
  const frameBytes = 9 + LARGE_FRAME;
  for (const [limit, count] of [
    [frameBytes, 1],
    [frameBytes + 1, 2],
  ] as const) {
    const peer = Peer.ready({ maxGatheredBytes: limit }, undefined, settings([4, 0])).send(request(1));
    peer.connection.sendResponse(peer.stream(1), 200, [], Buffer.alloc(3 * LARGE_FRAME), '', null);
    peer.frames();
    peer.send(windowUpdate(1, 3 * LARGE_FRAME));
    assert.equal(dataLengths(peer.frames()).length, count);
  }
});

test('maxPushedStreams are promised, one more is not, until one is over', () => {
  const peer = Peer.ready({ maxPushedStreams: 2 }).send(request(1));
  const push = () =>
    peer.connection.sendPush(peer.stream(1), {
      method: 'GET',
      scheme: 'https',
      authority: 'a',
      path: '/',
      fields: [],
    });
  const [first, second] = [push(), push()];
  assert.ok(first !== null && 'id' in first);
  assert.ok(second !== null && 'id' in second);
  assert.equal(push(), null);
  peer.connection.sendResponse(first, 204, [], null, '', null);
  const third = push();
  assert.ok(third !== null && 'id' in third);
  assert.equal(push(), null);
});

test('a window of 0 is kept until the client has said that it knows of it', () => {
  const peer = new Peer({ initialStreamWindowBytes: 0 });
  peer.send(PREFACE, frame(TYPE.SETTINGS, 0, 0), post(1), data(1, 'x'));
  assert.equal(peer.connection.streamCount, 1);
  peer.send(frame(TYPE.SETTINGS, ACK, 0), data(1, 'x'));
  assert.equal(peer.resetCode(1), CODE.FLOW_CONTROL_ERROR);
});
