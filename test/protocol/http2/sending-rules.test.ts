// What a server must and must not put on the wire, whatever it sends: RFC 9113 §4.1, §4.2, §4.3, §6.5.2, §8.2, §8.3.2.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HpackDecoder } from '../../../src/protocol/http2/hpack/decoder.ts';
import {
  ACK,
  data,
  END_HEADERS,
  END_STREAM,
  frame,
  Peer,
  post,
  PREFACE,
  request,
  settings,
  TYPE,
  uint32,
  type OutFrame,
} from './peer.ts';

/** The flags that a frame of the type may bear; those of padding and priority are never set by us. */
const FLAGS: Readonly<Record<number, number>> = {
  [TYPE.DATA]: END_STREAM,
  [TYPE.HEADERS]: END_STREAM | END_HEADERS,
  [TYPE.RST_STREAM]: 0,
  [TYPE.SETTINGS]: ACK,
  [TYPE.PUSH_PROMISE]: END_HEADERS,
  [TYPE.PING]: ACK,
  [TYPE.GOAWAY]: 0,
  [TYPE.WINDOW_UPDATE]: 0,
  [TYPE.CONTINUATION]: END_HEADERS,
};
const LONG = '{'.repeat(30_000);

/** A conversation in which the server has reason to send every type of frame that it knows. */
function everything(): OutFrame[] {
  const peer = new Peer();
  const { connection } = peer;
  peer.send(PREFACE, frame(TYPE.SETTINGS, 0, 0), frame(TYPE.SETTINGS, ACK, 0));
  peer.send(request(1), post(3), request(5), frame(TYPE.PING, 0, 0, '12345678'), data(3, 'x'.repeat(16_384)));
  peer.send(data(3, 'x'.repeat(16_384)), data(3, 'x'.repeat(16_384)));
  connection.releaseData(peer.stream(3), 3 * 16_384);
  const push = {
    method: 'GET',
    scheme: 'https',
    authority: 'a',
    path: '/',
    fields: ['x-long', LONG],
  } as const;
  const pushed = connection.sendPush(peer.stream(1), push);
  assert.ok(pushed !== null && 'id' in pushed);
  connection.sendInform(peer.stream(1), 103, ['Link', '</a>']);
  connection.sendHead(peer.stream(1), 200, ['X-Long', LONG], null, 'now', 'howdah');
  connection.sendData(peer.stream(1), Buffer.alloc(40_000), false);
  connection.sendEnd(peer.stream(1), ['X-Trailer', LONG]);
  connection.sendResponse(pushed, 200, [], 'pushed', '', null);
  connection.sendReset(peer.stream(5), 8);
  const frames = peer.frames();
  connection.drain();
  frames.push(...peer.frames());
  peer.send(data(0, 'a fault'));
  return [...frames, ...peer.frames()];
}

test('every type of frame is sent in the conversation of these tests', () => {
  const types = new Set(everything().map(({ type }) => type));
  assert.deepEqual(
    [...types].sort((a, b) => a - b),
    [0, 1, 3, 4, 5, 6, 7, 8, 9],
  );
});

test('no frame is sent with a flag that its type does not define, or with the reserved bit (RFC 9113 §4.1)', () => {
  for (const { type, flags, id } of everything()) {
    assert.equal(flags & ~(FLAGS[type] ?? -1), 0, `type ${type}`);
    assert.ok(id < 0x80000000);
  }
});

test('no frame is sent that is larger than the MAX_FRAME_SIZE of the client (RFC 9113 §4.2)', () => {
  for (const { payload } of everything()) assert.ok(payload.length <= 16_384);
  const peer = Peer.ready({ maxFrameBytesSent: 20_000 }, undefined, settings([5, 17_000])).send(
    request(1),
    request(3),
  );
  const { connection } = peer;
  const longest = (): number => Math.max(...peer.frames().map(({ payload }) => payload.length));
  connection.sendResponse(peer.stream(1), 200, ['x', LONG], Buffer.alloc(40_000), '', null);
  assert.equal(longest(), 17_000);
  // Lowered while a body waits.
  connection.sendResponse(peer.stream(3), 200, [], Buffer.alloc(60_000), '', null);
  peer.send(
    frame(TYPE.SETTINGS, 0, 0, settings([5, 16_384])),
    frame(TYPE.WINDOW_UPDATE, 0, 0, uint32(99_999)),
  );
  assert.equal(longest(), 16_384);
});

test('a field block is sent in frames that follow one another, the last with END_HEADERS (RFC 9113 §4.3, §6.10)', () => {
  let open: number | null = null;
  for (const { type, flags, id } of everything()) {
    if (open !== null) assert.deepEqual([type, id], [TYPE.CONTINUATION, open]);
    else assert.notEqual(type, TYPE.CONTINUATION);
    const block = type === TYPE.HEADERS || type === TYPE.PUSH_PROMISE || type === TYPE.CONTINUATION;
    if (block) open = (flags & END_HEADERS) === 0 ? id : null;
  }
  assert.equal(open, null);
});

test('every field name is sent in lower case, and every head but trailers has one :status, first (RFC 9113 §8.2, §8.3.2)', () => {
  const decoder = new HpackDecoder(4096);
  let block: Buffer[] = [];
  let promise = false;
  let heads = 0;
  for (const { type, flags, payload } of everything()) {
    if (type !== TYPE.HEADERS && type !== TYPE.PUSH_PROMISE && type !== TYPE.CONTINUATION) continue;
    if (type !== TYPE.CONTINUATION) promise = type === TYPE.PUSH_PROMISE;
    block.push(type === TYPE.PUSH_PROMISE ? payload.subarray(4) : payload);
    if ((flags & END_HEADERS) === 0) continue;
    const names: string[] = [];
    const bytes = Buffer.concat(block);
    assert.equal(decoder.decode(bytes, 0, bytes.length, { addField: (name) => void names.push(name) }), null);
    block = [];
    for (const name of names) assert.equal(name, name.toLowerCase());
    const pseudo = names.filter((name) => name.startsWith(':'));
    if (promise) assert.deepEqual(pseudo, [':method', ':scheme', ':authority', ':path']);
    else assert.deepEqual(pseudo, names[0] === 'x-trailer' ? [] : [':status']);
    assert.deepEqual(names.slice(0, pseudo.length), pseudo);
    heads += 1;
  }
  assert.equal(heads, 5);
});

test('the settings of a server do not have ENABLE_PUSH (RFC 9113 §6.5.2)', () => {
  const [own] = new Peer({
    maxDecodeTableBytes: 1,
    initialStreamWindowBytes: 1,
    maxFrameBytesReceived: 20_000,
  }).frames();
  const identifiers = Array.from({ length: (own?.payload.length ?? 0) / 6 }, (_, i) =>
    own?.payload.readUInt16BE(i * 6),
  );
  assert.ok(identifiers.length >= 6);
  assert.ok(!identifiers.includes(2));
});

test('settings are taken over in their order, each acknowledged once (RFC 9113 §6.5.3)', () => {
  const peer = Peer.ready();
  peer.send(frame(TYPE.SETTINGS, 0, 0, settings([4, 1], [4, 5], [1, 0], [1, 4096])), request(1));
  peer.connection.sendResponse(peer.stream(1), 200, [], 'twelve bytes', '', null);
  const [acknowledgement, head, body] = peer.frames();
  assert.deepEqual([acknowledgement?.type, acknowledgement?.flags], [TYPE.SETTINGS, ACK]);
  // The table was of size 0 for a while, which has to be said as well (RFC 7541 §4.2).
  assert.equal(head?.payload.toString('hex', 0, 4), '203fe11f');
  assert.equal(body?.payload.length, 5);
});

test('INITIAL_WINDOW_SIZE changes no window of the connection (RFC 9113 §6.9.2)', () => {
  const peer = Peer.ready({}, undefined, settings([4, 1_000_000])).send(request(1));
  peer.connection.sendResponse(peer.stream(1), 200, [], Buffer.alloc(100_000), '', null);
  const sent = peer
    .frames(1e9)
    .reduce((sum, { type, payload }) => sum + (type === TYPE.DATA ? payload.length : 0), 0);
  assert.equal(sent, 65_535);
});

test('an informational response has a status of 100 to 199, and never 101 (RFC 9113 §8.1, §8.6)', () => {
  const peer = Peer.ready().send(request(1));
  for (const status of [101, 99, 200]) {
    assert.equal(peer.connection.sendInform(peer.stream(1), status, [])?.name, ':status');
  }
  assert.deepEqual(peer.frames(), []);
  assert.equal(peer.connection.sendInform(peer.stream(1), 199, []), null);
});

test('a 205 has no content, and says so (RFC 9110 §15.3.6)', () => {
  const peer = Peer.ready().send(request(1), request(3));
  peer.connection.sendResponse(peer.stream(1), 205, [], 'some', '', null);
  peer.connection.sendHead(peer.stream(3), 205, [], null, '', null);
  assert.deepEqual(
    peer.frames().map(({ type, flags, id }) => [type, flags, id]),
    [1, 3].map((id) => [TYPE.HEADERS, END_HEADERS | END_STREAM, id]),
  );
});

test('a PING is answered before what waits to be sent (RFC 9113 §6.7)', () => {
  const peer = Peer.ready({}, undefined, settings([4, 1_000_000])).send(request(1));
  peer.send(frame(TYPE.WINDOW_UPDATE, 0, 0, uint32(1_000_000)));
  peer.connection.sendResponse(peer.stream(1), 200, [], Buffer.alloc(500_000), '', null);
  const before = peer.frames(16_384);
  assert.ok(before.length > 0 && peer.connection.queuedBytes > 0);
  peer.send(frame(TYPE.PING, 0, 0, '12345678'));
  const [first, second] = peer.frames();
  assert.deepEqual([first?.type, first?.flags], [TYPE.PING, ACK]);
  assert.equal(second?.type, TYPE.DATA);
});

test('error codes that nobody knows are as good as others (RFC 9113 §7)', () => {
  const peer = Peer.ready().send(request(1), request(3));
  peer.send(
    frame(TYPE.RST_STREAM, 0, 1, uint32(0xdeadbeef)),
    frame(TYPE.GOAWAY, 0, 0, uint32(0, 0xdeadbeef)),
  );
  assert.deepEqual(peer.events, ['head 1', 'head 3', 'reset 1', 'goaway']);
  peer.connection.sendResponse(peer.stream(3), 200, [], 'ok', '', null);
  assert.deepEqual(
    peer.frames().map(({ id }) => id),
    [3, 3],
  );
});

test('RST_STREAM is never answered with RST_STREAM, nor sent twice (RFC 9113 §5.4.2)', () => {
  const peer = Peer.ready().send(request(1), request(3));
  const reset = (id: number): Buffer => frame(TYPE.RST_STREAM, 0, id, uint32(8));
  peer.connection.sendReset(peer.stream(3), 8);
  peer.connection.sendReset(peer.stream(3), 8);
  peer.send(reset(1), reset(1), reset(3));
  assert.deepEqual(
    peer.frames().map(({ type, id }) => [type, id]),
    [[TYPE.RST_STREAM, 3]],
  );
});

test('a GOAWAY for an error names every stream that was told of, and the refused ones behind it are not served (RFC 9113 §8.7)', () => {
  const peer = Peer.ready({ maxConcurrentStreams: 2 }).send(request(1), request(3), request(5));
  assert.deepEqual(peer.events, ['head 1', 'head 3']);
  assert.equal(peer.resetCode(5), 7);
  peer.send(data(0, 'a fault'));
  assert.ok((peer.frames()[0]?.payload.readUInt32BE(0) ?? 0) >= 3);
});
