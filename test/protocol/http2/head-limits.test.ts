// The sizes that heads and trailers may have, at the limit and one past it, and what is remembered of repeated heads.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { block, CODE, data, END_HEADERS, END_STREAM, frame, GET, Peer, post, request, TYPE } from './peer.ts';

type Field = readonly [string, string];

function trailers(id: number, ...fields: readonly Field[]): Buffer {
  return frame(TYPE.HEADERS, END_HEADERS | END_STREAM, id, block(...fields));
}

/** The size of GET as RFC 9113 §6.5.2 counts. */
const GET_BYTES = GET.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0);

test('a head of maxHeaderListBytes is served, one octet more is 431 (RFC 9113 §6.5.2)', () => {
  const limit = 300;
  const value = (bytes: number): string => 'v'.repeat(bytes - GET_BYTES - 33);
  const peer = Peer.ready({ maxHeaderListBytes: limit });
  peer.send(request(1, ['x', value(limit)]), request(3, ['x', value(limit + 1)]), request(5));
  assert.deepEqual(peer.events, ['head 1', 'refused 3', 'head 5']);
  assert.equal(peer.seen[1]?.refusal?.status, 431);
  // It can be answered.
  peer.connection.sendResponse(peer.stream(3), 431, [], 'too large', '', null);
  assert.deepEqual(
    peer.frames().map(({ type, id }) => [type, id]),
    [
      [TYPE.HEADERS, 3],
      [TYPE.DATA, 3],
    ],
  );
});

test('the body of a request that was refused is not told of', () => {
  const peer = Peer.ready({ maxHeaders: 4 });
  peer.send(post(1, ['a', 'b']), data(1, 'body'), trailers(1, ['x', 'y']));
  assert.deepEqual(peer.events, ['refused 1']);
  peer.connection.sendResponse(peer.stream(1), 431, [], null, '', null);
  assert.equal(peer.connection.streamCount, 0);
  assert.equal(peer.faultCode, null);
});

test('maxHeaders field lines are served, one more is 431', () => {
  const peer = Peer.ready({ maxHeaders: 6 });
  peer.send(request(1, ['a', '1'], ['b', '2']), request(3, ['a', '1'], ['b', '2'], ['c', '3']));
  assert.deepEqual(peer.events, ['head 1', 'refused 3']);
});

test('the lines that a client has split a cookie into count as one (RFC 9113 §8.2.3)', () => {
  const peer = Peer.ready({ maxHeaders: 6 });
  const crumbs = Array.from({ length: 50 }, (_, i): Field => ['cookie', `c${i}=1`]);
  peer.send(request(1, ['a', '1'], ...crumbs), request(3, ['a', '1'], ['b', '2'], ...crumbs));
  assert.deepEqual(peer.events, ['head 1', 'refused 3']);
  assert.equal(peer.heads()[0]?.fields.at(3)?.split('; ').length, 50);
});

test('a path of maxPathBytes is served, one octet more is 414', () => {
  const peer = Peer.ready({ maxPathBytes: 10 });
  const path = (text: string): Buffer => block(...GET.slice(0, 3), [':path', text]);
  peer.send(frame(TYPE.HEADERS, END_HEADERS | END_STREAM, 1, path('/234567890')));
  peer.send(frame(TYPE.HEADERS, END_HEADERS | END_STREAM, 3, path('/2345678901')));
  assert.deepEqual(peer.events, ['head 1', 'refused 3']);
  assert.equal(peer.seen[1]?.refusal?.status, 414);
});

test('trailers over the limits reset the stream', () => {
  const peer = Peer.ready({ maxHeaders: 4 });
  const five = ['a', 'b', 'c', 'd', 'e'].map((name): Field => [name, '1']);
  peer.send(post(1), trailers(1, ...five));
  assert.equal(peer.resetCode(1), CODE.ENHANCE_YOUR_CALM);
});

test('an HPACK bomb is decoded in bounded memory, and refused', () => {
  const peer = Peer.ready();
  const bomb = Buffer.concat([
    block(...GET),
    Buffer.from([0x40, 1, 0x61, 0x7f, 0x81, 0x1e]), // a value of 4096 - 32 - 1 - 62 octets
    Buffer.alloc(127 + 1 + 30 * 128, 'v'),
    Buffer.alloc(12_000, 0xbe),
  ]);
  assert.ok(bomb.length <= 16_384);
  peer.send(frame(TYPE.HEADERS, END_HEADERS | END_STREAM, 1, bomb));
  assert.deepEqual(peer.events, ['refused 1']);
  // The table is in step still.
  peer.send(
    frame(TYPE.HEADERS, END_HEADERS | END_STREAM, 3, Buffer.concat([block(...GET), Buffer.from([0xbe])])),
  );
  assert.equal(peer.heads()[0]?.fields[0], 'a');
});

test('a block of indices longer than is remembered is decoded each time', () => {
  const peer = Peer.ready();
  const long = Buffer.concat([block(...GET), Buffer.from([0x40, 1, 0x78, 1, 0x31])]);
  // 100 fields, of which the pseudo-fields are 4 indices.
  const many = Buffer.concat([Buffer.from([0x82, 0x87, 0x84, 0x41, 1, 0x61]), Buffer.alloc(90, 0xbf)]);
  const again = Buffer.concat([Buffer.from([0x82, 0x87, 0x84, 0xbe]), Buffer.alloc(90, 0xbf)]);
  peer.send(frame(TYPE.HEADERS, END_HEADERS | END_STREAM, 1, long));
  for (const [i, bytes] of [many, again, again].entries()) {
    peer.send(frame(TYPE.HEADERS, END_HEADERS | END_STREAM, 3 + i * 2, bytes));
  }
  const heads = peer.heads();
  assert.equal(heads.length, 4);
  assert.notEqual(heads[2], heads[3]);
  assert.deepEqual(heads[2], heads[3]);
});

test('equal heads may be one object, which cannot be changed; another table makes another head', () => {
  const peer = Peer.ready();
  const first = Buffer.from([0x82, 0x87, 0x84, 0x41, 1, 0x61, 0x40, 1, 0x78, 1, 0x31]);
  const again = Buffer.from([0x82, 0x87, 0x84, 0xbf, 0xbe]);
  const send = (id: number, bytes: Buffer, end = true): void => {
    peer.send(frame(TYPE.HEADERS, END_HEADERS | (end ? END_STREAM : 0), id, bytes));
  };
  send(1, first);
  send(3, again);
  send(5, again);
  send(7, again, false);
  // As long, and not the same.
  send(9, Buffer.from([0x83, 0x87, 0x84, 0xbf, 0xbe]));
  assert.equal(peer.heads()[4]?.method, 'POST');
  const heads = peer.heads();
  assert.equal(heads[1], heads[2]);
  assert.ok(Object.isFrozen(heads[1]) && Object.isFrozen(heads[1]?.fields));
  assert.deepEqual([heads[2]?.hasBody, heads[3]?.hasBody], [false, true]);
  // Insertions of the same kind shift the indices.
  send(11, Buffer.from([0x82, 0x87, 0x84, 0x41, 1, 0x62, 0x40, 1, 0x78, 1, 0x32]));
  send(13, again);
  assert.deepEqual([heads[2]?.authority, heads[2]?.fields[1]], ['a', '1']);
  assert.deepEqual([peer.heads()[6]?.authority, peer.heads()[6]?.fields[1]], ['b', '2']);
  // After an eviction the same octets are an error, remembered or not.
  send(15, Buffer.from([0x20, ...again]));
  assert.equal(peer.faultCode, CODE.COMPRESSION_ERROR);
});
