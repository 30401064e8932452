// Server push: RFC 9113 §6.6, §8.4, and the states of promised streams (§5.1).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CODE, data, frame, Peer, request, settings, TYPE, uint32 } from './peer.ts';

function pushed(path: string): Parameters<Peer['connection']['sendPush']>[1] {
  return { method: 'GET', scheme: 'https', authority: 'example.org', path, fields: [] };
}

test('a push is promised on its parent and answered on its own stream (RFC 9113 §8.4)', () => {
  const peer = Peer.ready().send(request(1));
  const { connection } = peer;
  const stream = connection.sendPush(peer.stream(1), { ...pushed('/style.css'), fields: ['accept', '*/*'] });
  assert.ok(stream !== null && 'id' in stream);
  assert.equal(stream.id, 2);
  connection.sendResponse(stream, 200, [], 'body', '', null);
  connection.sendResponse(peer.stream(1), 200, [], 'page', '', null);
  const frames = peer.frames();
  assert.deepEqual(
    frames.map(({ type, id }) => [type, id]),
    [
      [TYPE.PUSH_PROMISE, 1],
      [TYPE.HEADERS, 2],
      [TYPE.DATA, 2],
      [TYPE.HEADERS, 1],
      [TYPE.DATA, 1],
    ],
  );
  assert.equal(frames[0]?.payload.readUInt32BE(0), 2);
  assert.equal(connection.streamCount, 0);
});
test('a pushed stream can be reset by the client, and has no request from it (RFC 9113 §8.4.2, §5.1)', () => {
  const peer = Peer.ready().send(request(1));
  const { connection } = peer;
  const first = connection.sendPush(peer.stream(1), pushed('/a'));
  const second = connection.sendPush(peer.stream(1), { ...pushed('/b'), method: 'HEAD' });
  assert.ok(first !== null && 'id' in first && second !== null && 'id' in second);
  peer.send(frame(TYPE.RST_STREAM, 0, 2, uint32(CODE.CANCEL)));
  assert.equal(first.closed, true);
  connection.sendResponse(second, 200, [], 'left out', '', null);
  assert.deepEqual(
    peer.frames().filter(({ type }) => type === TYPE.DATA),
    [],
  );
  const third = connection.sendPush(peer.stream(1), pushed('/c'));
  assert.ok(third !== null && 'id' in third);
  connection.sendHead(third, 200, [], null, '', null);
  peer.frames();
  peer.send(request(6));
  assert.equal(peer.resetCode(6), CODE.STREAM_CLOSED);
});
for (const [name, bytes] of Object.entries({ DATA: data(2, 'x'), HEADERS: request(2) })) {
  test(`${name} on a promised stream is a connection error (RFC 9113 §5.1)`, () => {
    const peer = Peer.ready().send(request(1));
    peer.connection.sendPush(peer.stream(1), pushed('/a'));
    peer.send(bytes);
    assert.equal(peer.faultCode, CODE.PROTOCOL_ERROR);
  });
}
test('WINDOW_UPDATE and PRIORITY are taken on a promised stream (RFC 9113 §5.1)', () => {
  const peer = Peer.ready({}, undefined, settings([4, 0])).send(request(1));
  const stream = peer.connection.sendPush(peer.stream(1), pushed('/a'));
  assert.ok(stream !== null && 'id' in stream);
  peer.send(frame(TYPE.WINDOW_UPDATE, 0, 2, uint32(3)), frame(TYPE.PRIORITY, 0, 2, [0, 0, 0, 1, 1]));
  peer.connection.sendResponse(stream, 200, [], 'abcd', '', null);
  assert.equal(
    peer
      .frames()
      .find(({ type }) => type === TYPE.DATA)
      ?.payload.toString(),
    'abc',
  );
  assert.equal(peer.faultCode, null);
});
test('promised streams have even numbers, each higher than the one before (RFC 9113 §5.1.1, §6.6)', () => {
  const peer = Peer.ready().send(request(1), request(3));
  for (const parent of [1, 3, 1]) peer.connection.sendPush(peer.stream(parent), pushed('/a'));
  const promises = peer.frames().map(({ id, payload }) => [id, payload.readUInt32BE(0)]);
  assert.deepEqual(promises, [
    [1, 2],
    [3, 4],
    [1, 6],
  ]);
});
test('nothing is pushed to a client that refuses it, on streams that are over, or beyond its limit (RFC 9113 §5.1.2, §6.5.2, §6.6, §6.8)', () => {
  const refusing = Peer.ready({}, undefined, settings([2, 0])).send(request(1));
  assert.equal(refusing.connection.sendPush(refusing.stream(1), pushed('/')), null);
  const limited = Peer.ready({}, undefined, settings([3, 1])).send(request(1));
  const stream = limited.connection.sendPush(limited.stream(1), pushed('/'));
  assert.ok(stream !== null && 'id' in stream);
  assert.equal(limited.connection.sendPush(limited.stream(1), pushed('/')), null);
  assert.equal(limited.connection.sendPush(stream, pushed('/')), null, 'on a pushed stream');
  const own = Peer.ready({ maxPushedStreams: 0 }).send(request(1));
  assert.equal(own.connection.sendPush(own.stream(1), pushed('/')), null);
  const leaving = Peer.ready().send(request(1), frame(TYPE.GOAWAY, 0, 0, uint32(0, 0)));
  assert.equal(leaving.connection.sendPush(leaving.stream(1), pushed('/')), null);
});
test('a push with a field that is none is refused, and not promised (RFC 9113 §8.4.1)', () => {
  const peer = Peer.ready().send(request(1));
  const result = peer.connection.sendPush(peer.stream(1), { ...pushed('/'), fields: ['a', 'b\n'] });
  assert.ok(result !== null && 'reason' in result);
  assert.deepEqual(peer.frames(), []);
});
