// Whose DATA goes first: the `priority` field, PRIORITY_UPDATE and the scheduler (RFC 9218).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePriority } from '../../../src/protocol/http2/priority.ts';
import { Scheduler } from '../../../src/protocol/http2/scheduler.ts';
import { Http2Stream } from '../../../src/protocol/http2/stream.ts';
import { CODE, eachWay, frame, Peer, post, PREFACE, request, settings, TYPE, uint32 } from './peer.ts';

for (const [field, urgency, incremental] of [
  ['', 3, false],
  ['u=0', 0, false],
  ['u=7, i', 7, true],
  ['i,u=1', 1, true],
  ['i=?0', 3, false],
  ['i=?1;x=1, u=2;foo', 2, true],
  ['u=8', 3, false],
  ['u=-1', 3, false],
  ['u="1"', 3, false],
  ['u', 3, false],
  ['u=1, u=5', 5, false],
  ['i=1', 3, false],
  ['other=3, *x, u=4', 4, false],
  ['???', 3, false],
] as const) {
  test(`priority: ${field || '(empty)'} is urgency ${urgency}${incremental ? ', incremental' : ''} (RFC 9218 §4)`, () => {
    assert.deepEqual(parsePriority(field), { urgency, incremental });
  });
}

/** The streams of the DATA frames in the order in which they are sent, with three frames of data for each. */
function order(peer: Peer, ids: readonly number[]): number[] {
  // Head first for all, and a closed window of the connection, so that all wait.
  for (const id of ids) peer.connection.sendHead(peer.stream(id), 200, [], null, '', null);
  for (const id of ids) peer.connection.sendData(peer.stream(id), Buffer.alloc(3 * 16_384), true);
  peer.send(frame(TYPE.WINDOW_UPDATE, 0, 0, uint32(10_000_000)));
  return peer.frames(10_000_000).flatMap(({ type, id }) => (type === TYPE.DATA && id !== 1 ? [id] : []));
}

/** A peer whose window of the connection is used up, by stream 1. */
function blocked(...requests: readonly Buffer[]): Peer {
  const peer = Peer.ready({}, undefined, settings([4, 1_000_000])).send(request(1));
  peer.connection.sendResponse(peer.stream(1), 200, [], Buffer.alloc(65_535), '', null);
  peer.frames();
  return peer.send(...requests);
}

test('streams without a priority share, frame by frame', () => {
  assert.deepEqual(
    order(blocked(request(3), request(5), request(7)), [3, 5, 7]),
    [3, 5, 7, 3, 5, 7, 3, 5, 7],
  );
});
test('a lower urgency goes first (RFC 9218 §10)', () => {
  const peer = blocked(request(3, ['priority', 'u=5']), request(5, ['priority', 'u=1']), request(7));
  assert.deepEqual(order(peer, [3, 5, 7]), [5, 5, 5, 7, 7, 7, 3, 3, 3]);
});
test('incremental streams share, others go one after the other (RFC 9218 §10)', () => {
  const own = blocked(request(3, ['priority', 'u=3']), request(5, ['priority', 'u=3']));
  assert.deepEqual(order(own, [3, 5]), [3, 3, 3, 5, 5, 5]);
  const sharing = blocked(request(3, ['priority', 'i']), request(5, ['priority', 'i']));
  assert.deepEqual(order(sharing, [3, 5]), [3, 5, 3, 5, 3, 5]);
});
test('several priority fields are one dictionary (RFC 8941 §3.2)', () => {
  const peer = blocked(request(3, ['priority', 'u=6'], ['priority', 'i']), request(5, ['priority', 'u=5']));
  assert.deepEqual(order(peer, [3, 5]), [5, 5, 5, 3, 3, 3]);
});

function priorityUpdate(id: number, field: string): Buffer {
  return frame(TYPE.PRIORITY_UPDATE, 0, 0, Buffer.concat([uint32(id), Buffer.from(field)]));
}
test('PRIORITY_UPDATE changes the priority of an open stream, also one that waits (RFC 9218 §7.1)', () => {
  const peer = blocked(request(3), request(5), request(7));
  for (const id of [3, 5, 7]) peer.connection.sendHead(peer.stream(id), 200, [], null, '', null);
  for (const id of [3, 5, 7]) peer.connection.sendData(peer.stream(id), Buffer.alloc(20_000), true);
  peer.send(priorityUpdate(5, 'u=0'), priorityUpdate(3, 'u=7'));
  peer.send(frame(TYPE.WINDOW_UPDATE, 0, 0, uint32(1_000_000)));
  const ids = peer.frames().flatMap(({ type, id }) => (type === TYPE.DATA ? [id] : []));
  assert.deepEqual(ids, [5, 5, 7, 7, 3, 3]);
});
test('PRIORITY_UPDATE may come before the request, and outweighs its field (RFC 9218 §7.1)', () => {
  const early = [priorityUpdate(5, 'u=1'), priorityUpdate(5, 'u=0')];
  const peer = blocked(...early, request(3), request(5, ['priority', 'u=6']), priorityUpdate(1, 'u=1'));
  assert.deepEqual(order(peer, [3, 5]), [5, 5, 5, 3, 3, 3]);
});
test('priorities of idle streams and open streams may be maxConcurrentStreams together, one more is a connection error (RFC 9218 §7.1)', () => {
  const peer = Peer.ready({ maxConcurrentStreams: 3 }).send(post(1));
  peer.send(...[9, 7, 9].map((id) => priorityUpdate(id, 'u=0')), request(7), request(9));
  assert.deepEqual([peer.stream(7).urgency, peer.stream(9).urgency], [0, 0]);
  peer.send(priorityUpdate(11, 'u=0'));
  assert.equal(peer.faultCode, CODE.PROTOCOL_ERROR);
});
test('priorities of streams that were skipped do not count any more (RFC 9218 §7.1)', () => {
  const peer = Peer.ready({ maxConcurrentStreams: 2 });
  peer.send(priorityUpdate(1, 'u=0'), priorityUpdate(3, 'u=0'), request(5), priorityUpdate(7, 'u=0'));
  assert.equal(peer.faultCode, null);
});
test('a client that has not acknowledged the limit is only not listened to beyond it (RFC 9218 §7.1)', () => {
  const peer = new Peer({ maxConcurrentStreams: 2 }).send(PREFACE, frame(TYPE.SETTINGS, 0, 0));
  peer.send(...[11, 9, 7, 5].map((id) => priorityUpdate(id, 'u=0')), request(7), request(9));
  assert.deepEqual([peer.stream(7).urgency, peer.stream(9).urgency], [3, 0]);
  assert.equal(peer.faultCode, null);
});
test('a driver may set a priority, as a response does (RFC 9218 §8)', () => {
  const peer = blocked(request(3), request(5));
  peer.connection.prioritize(peer.stream(5), 'u=2');
  assert.deepEqual(order(peer, [3, 5]), [5, 5, 5, 3, 3, 3]);
});
for (const [name, bytes, code] of [
  ['PRIORITY_UPDATE on a stream', frame(TYPE.PRIORITY_UPDATE, 0, 1, uint32(1)), CODE.PROTOCOL_ERROR],
  [
    'PRIORITY_UPDATE shorter than 4 octets',
    frame(TYPE.PRIORITY_UPDATE, 0, 0, [0, 0, 1]),
    CODE.FRAME_SIZE_ERROR,
  ],
  ['PRIORITY_UPDATE of stream 0', priorityUpdate(0, ''), CODE.PROTOCOL_ERROR],
  ['PRIORITY_UPDATE of a stream not pushed yet', priorityUpdate(2, ''), CODE.PROTOCOL_ERROR],
] as const) {
  eachWay(`${name} is a connection error (RFC 9218 §7.1)`, (feed) => {
    assert.equal(Peer.ready({}, feed).send(post(1), bytes).faultCode, code);
  });
}

test('the ring of the scheduler keeps its order whatever is added and removed', () => {
  const scheduler = new Scheduler();
  const [a, b, c] = [1, 3, 5].map((id) => new Http2Stream(id, 0));
  assert.ok(a && b && c);
  assert.equal(scheduler.peek(), null);
  scheduler.remove(a);
  for (const stream of [a, b, c, b]) scheduler.add(stream);
  scheduler.remove(b);
  assert.equal(scheduler.peek(), a);
  scheduler.turn(a);
  assert.equal(scheduler.peek(), c);
  scheduler.remove(c);
  scheduler.prioritize(b, 6, false);
  assert.equal(scheduler.peek(), a);
  scheduler.prioritize(a, 7, false);
  scheduler.add(b);
  assert.equal(scheduler.peek(), b);
  scheduler.turn(b);
  scheduler.remove(b);
  scheduler.remove(a);
  assert.equal(scheduler.empty, true);
});
