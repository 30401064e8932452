// The life of streams: RFC 9113 §5.1, §5.4, §6.4, concurrency, and the graceful end (§6.8).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextState, StreamEvent, StreamState } from '../../../src/protocol/http2/stream-states.ts';
import {
  ACK,
  block,
  CODE,
  data,
  eachWay,
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
} from './peer.ts';

/** A peer whose requests are answered at once. */
function answering(options = {}): Peer {
  const peer = Peer.ready(options);
  peer.onHead = (stream) => void peer.connection.sendResponse(stream, 200, [], 'ok', '', null);
  return peer;
}

test('the table of states is that of the diagram (RFC 9113 §5.1)', () => {
  const S = StreamState;
  const E = StreamEvent;
  const allowed = new Map<string, number>([
    [`${S.IDLE} ${E.RECEIVE_HEADERS}`, S.OPEN],
    [`${S.IDLE} ${E.SEND_PUSH_PROMISE}`, S.RESERVED_LOCAL],
    [`${S.OPEN} ${E.RECEIVE_HEADERS}`, S.OPEN],
    [`${S.OPEN} ${E.RECEIVE_END}`, S.HALF_CLOSED_REMOTE],
    [`${S.OPEN} ${E.SEND_HEADERS}`, S.OPEN],
    [`${S.OPEN} ${E.SEND_END}`, S.HALF_CLOSED_LOCAL],
    [`${S.OPEN} ${E.RESET}`, S.CLOSED],
    [`${S.HALF_CLOSED_LOCAL} ${E.RECEIVE_HEADERS}`, S.HALF_CLOSED_LOCAL],
    [`${S.HALF_CLOSED_LOCAL} ${E.RECEIVE_END}`, S.CLOSED],
    [`${S.HALF_CLOSED_LOCAL} ${E.RESET}`, S.CLOSED],
    [`${S.HALF_CLOSED_REMOTE} ${E.SEND_HEADERS}`, S.HALF_CLOSED_REMOTE],
    [`${S.HALF_CLOSED_REMOTE} ${E.SEND_END}`, S.CLOSED],
    [`${S.HALF_CLOSED_REMOTE} ${E.RESET}`, S.CLOSED],
    [`${S.RESERVED_LOCAL} ${E.SEND_HEADERS}`, S.HALF_CLOSED_REMOTE],
    [`${S.RESERVED_LOCAL} ${E.RESET}`, S.CLOSED],
  ]);
  for (const state of Object.values(S)) {
    for (const event of Object.values(E)) {
      assert.equal(nextState(state, event), allowed.get(`${state} ${event}`) ?? null, `${state} ${event}`);
    }
  }
});

for (const [name, bytes] of Object.entries({
  'HEADERS on an even stream is a connection error (RFC 9113 §5.1.1)': [request(2)],
  'HEADERS on a lower stream that was skipped is a connection error (RFC 9113 §5.1.1)': [
    request(5),
    request(3),
  ],
  'the first stream may be skipped, and is then no more to be opened (RFC 9113 §5.1.1)': [
    request(3),
    request(1),
  ],
  'DATA on an idle stream is a connection error (RFC 9113 §5.1)': [data(1, 'x')],
  'RST_STREAM on a skipped stream is a connection error (RFC 9113 §5.1)': [
    request(5),
    frame(TYPE.RST_STREAM, 0, 3, uint32(8)),
  ],
  'WINDOW_UPDATE on a skipped stream is a connection error (RFC 9113 §5.1)': [
    request(5),
    frame(TYPE.WINDOW_UPDATE, 0, 3, uint32(8)),
  ],
})) {
  eachWay(name, (feed) => {
    const peer = Peer.ready({}, feed).send(...bytes);
    assert.equal(peer.faultCode, CODE.PROTOCOL_ERROR);
  });
}

eachWay('DATA after END_STREAM is a stream error STREAM_CLOSED (RFC 9113 §5.1, §6.1)', (feed) => {
  const peer = Peer.ready({}, feed).send(request(1), data(1, 'x'));
  assert.equal(peer.resetCode(1), CODE.STREAM_CLOSED);
  assert.deepEqual(peer.events, ['head 1', 'reset 1']);
});
eachWay('HEADERS after END_STREAM is a stream error STREAM_CLOSED (RFC 9113 §5.1)', (feed) => {
  const peer = Peer.ready({}, feed).send(request(1), request(1));
  assert.equal(peer.resetCode(1), CODE.STREAM_CLOSED);
});
for (const [name, late] of Object.entries({ DATA: data(1, 'x'), HEADERS: request(1) })) {
  test(`${name} on a stream closed by END_STREAM on both sides is a connection error STREAM_CLOSED (RFC 9113 §5.1)`, () => {
    const peer = answering().send(request(1), late);
    assert.equal(peer.faultCode, CODE.STREAM_CLOSED);
  });
  test(`${name} after RST_STREAM of the peer is a stream error STREAM_CLOSED (RFC 9113 §5.1)`, () => {
    const peer = Peer.ready().send(post(1), frame(TYPE.RST_STREAM, 0, 1, uint32(CODE.CANCEL)), late);
    assert.equal(peer.faultCode, null);
    assert.equal(peer.resetCode(1), CODE.STREAM_CLOSED);
  });
  test(`${name} on a stream that we have reset is ignored (RFC 9113 §5.1)`, () => {
    const peer = Peer.ready().send(post(1));
    peer.connection.sendReset(peer.stream(1), CODE.CANCEL as 8);
    peer.send(late, request(3));
    assert.equal(peer.faultCode, null);
    assert.deepEqual(peer.events, ['head 1', 'head 3']);
  });
}
test('WINDOW_UPDATE and RST_STREAM on a closed stream are ignored (RFC 9113 §5.1, §6.9)', () => {
  const peer = answering().send(
    request(1),
    frame(TYPE.WINDOW_UPDATE, 0, 1, uint32(5)),
    frame(TYPE.RST_STREAM, 0, 1, uint32(8)),
    request(3),
  );
  assert.equal(peer.faultCode, null);
  assert.deepEqual(peer.events, ['head 1', 'head 3']);
});

eachWay('RST_STREAM ends a stream, with any code, and nothing more is sent on it (RFC 9113 §6.4)', (feed) => {
  const peer = Peer.ready({}, feed).send(
    post(1),
    data(1, 'x'),
    frame(TYPE.RST_STREAM, 0, 1, uint32(0xfffffff0)),
  );
  assert.deepEqual(peer.seen.at(-1), { event: 'reset', id: 1, code: 0xfffffff0, fault: null });
  const { connection } = peer;
  const stream = peer.stream(1);
  assert.equal(stream.closed, true);
  peer.frames();
  connection.sendInform(stream, 103, ['link', '</a>']);
  connection.sendResponse(stream, 200, [], 'late', '', null);
  connection.sendHead(stream, 200, [], null, '', null);
  assert.equal(connection.sendData(stream, 'late', true), true);
  connection.sendEnd(stream, ['a', 'b']);
  connection.sendReset(stream, 8);
  connection.releaseData(stream, 1);
  assert.equal(connection.sendPush(stream, PUSHED), null);
  assert.deepEqual(peer.frames(), []);
  assert.equal(connection.streamCount, 0);
});

const PUSHED = { method: 'GET', scheme: 'https', authority: 'example.org', path: '/', fields: [] } as const;

test('maxConcurrentStreams streams are served, one more is refused with REFUSED_STREAM (RFC 9113 §5.1.2)', () => {
  const peer = Peer.ready({ maxConcurrentStreams: 2 });
  peer.send(request(1), post(3), request(5));
  assert.deepEqual(peer.events, ['head 1', 'head 3']);
  assert.equal(peer.resetCode(5), CODE.REFUSED_STREAM);
  // Half-closed ones count, closed ones do not.
  peer.connection.sendResponse(peer.stream(3), 200, [], '', '', null);
  peer.send(request(7));
  assert.equal(peer.resetCode(7), CODE.REFUSED_STREAM);
  peer.send(data(3, '', true), request(9));
  assert.deepEqual(peer.events.slice(2), ['end 3', 'head 9']);
});

test('more streams than slots, and streams that outlive thousands of others, are found again', () => {
  const peer = Peer.ready({ maxConcurrentStreams: 400 });
  for (let id = 1; id < 600; id += 2) peer.send(post(id));
  peer.onHead = (stream) => void peer.connection.sendResponse(stream, 200, [], 'ok', '', null);
  for (let id = 601; id < 3000; id += 2) peer.send(request(id));
  assert.equal(peer.connection.streamCount, 300);
  for (let id = 1; id < 600; id += 2) peer.send(data(id, `${id}`, true));
  const bodies = peer.seen.filter(({ event }) => event === 'data');
  assert.ok(bodies.length === 300 && bodies.every(({ id, text }) => text === `${id}`));
  for (let id = 1; id < 600; id += 2) peer.connection.sendResponse(peer.stream(id), 204, [], null, '', null);
  assert.equal(peer.connection.streamCount, 0);
  assert.equal(peer.faultCode, null);
});

test('only so many skipped ranges and resets are remembered', () => {
  const peer = Peer.ready();
  for (let n = 0; n < 40; n++) peer.send(request(1 + n * 4));
  // The oldest gap is forgotten: another code, but still an error.
  peer.send(request(3));
  assert.equal(peer.faultCode, CODE.STREAM_CLOSED);
  const other = Peer.ready({ cancelBudget: 1000 });
  for (let id = 1; id < 600; id += 2) other.send(request(id), frame(TYPE.RST_STREAM, 0, id, uint32(8)));
  other.send(data(599, ''));
  assert.equal(other.faultCode, null);
  other.send(data(1, ''));
  assert.equal(other.faultCode, CODE.STREAM_CLOSED);
});

eachWay(
  'a complete answer to an incomplete request leaves it half-closed, until its end (RFC 9113 §8.1)',
  (feed) => {
    const peer = Peer.ready({}, feed).send(post(1));
    peer.connection.sendResponse(peer.stream(1), 200, [], 'early', '', null);
    peer.send(data(1, 'abc'), data(1, 'd', true));
    assert.deepEqual(peer.events, ['head 1', 'data 1', 'data 1', 'end 1']);
    assert.equal(peer.stream(1).closed, true);
  },
);

test('a driver may answer and reset from inside an event', () => {
  const peer = Peer.ready();
  peer.onData = (stream) => {
    peer.connection.sendResponse(stream, 413, [], 'no', '', null);
    peer.connection.sendReset(stream, CODE.NO_ERROR as 0);
  };
  peer.send(post(1), data(1, 'abc', true), data(1, 'more'), request(3));
  assert.deepEqual(peer.events, ['head 1', 'data 1', 'head 3']);
  assert.deepEqual(
    peer.frames().map(({ type, flags, id }) => [type, flags, id]),
    [
      [TYPE.HEADERS, END_HEADERS, 1],
      [TYPE.DATA, END_STREAM, 1],
      [TYPE.RST_STREAM, 0, 1],
    ],
  );
});

// --- The end of the connection ---
test('a drain announces itself, waits for its PING, and serves what was sent before (RFC 9113 §6.8)', () => {
  const peer = Peer.ready().send(post(1));
  const { connection } = peer;
  connection.drain();
  const [goaway, ping] = peer.frames();
  assert.deepEqual([goaway?.type, goaway?.payload.readUInt32BE(0)], [TYPE.GOAWAY, 0x7fffffff]);
  assert.deepEqual([ping?.type, ping?.flags], [TYPE.PING, 0]);
  // Still accepted: it was on its way.
  peer.send(request(3));
  peer.send(frame(TYPE.PING, ACK, 0, ping?.payload ?? ''));
  const [final] = peer.frames();
  assert.deepEqual(
    [final?.type, final?.payload.readUInt32BE(0), final?.payload.readUInt32BE(4)],
    [TYPE.GOAWAY, 3, 0],
  );
  // Ignored, but decoded.
  peer.send(
    frame(TYPE.HEADERS, END_HEADERS, 5, Buffer.concat([block(['x', 'y']), Buffer.from([0x82])])),
    data(5, 'x'),
  );
  assert.deepEqual(peer.events, ['head 1', 'head 3']);
  assert.equal(connection.drained, false);
  peer.send(data(1, '', true));
  connection.sendResponse(peer.stream(1), 204, [], null, '', null);
  connection.sendResponse(peer.stream(3), 204, [], null, '', null);
  assert.equal(connection.drained, true);
  assert.equal(peer.faultCode, null);
});
test('a drain that is asked for again does not wait, and a third time does nothing', () => {
  const peer = Peer.ready();
  peer.connection.drain();
  peer.connection.drain();
  peer.connection.drain();
  assert.deepEqual(
    peer.frames().map(({ type }) => type),
    [TYPE.GOAWAY, TYPE.PING, TYPE.GOAWAY],
  );
  assert.equal(peer.connection.drained, true);
  // The PING's answer comes late, as that of somebody else's would.
  peer.send(frame(TYPE.PING, ACK, 0, uint32(0, 0xffffffff)));
  assert.deepEqual(peer.events, ['pong 4294967295']);
});
test('a fault after a drain names no later stream than the drain did (RFC 9113 §6.8)', () => {
  const peer = Peer.ready().send(request(1));
  peer.connection.drain();
  peer.connection.drain();
  peer.frames();
  peer.send(request(3), data(0, ''));
  assert.equal(peer.frames()[0]?.payload.readUInt32BE(0), 1);
  peer.connection.drain();
  assert.deepEqual(peer.frames(), []);
});
test('the driver can end a connection for a reason of its own', () => {
  const peer = new Peer();
  peer.frames();
  peer.connection.sendGoaway(4, 'settings were not acknowledged');
  peer.connection.sendGoaway(4, 'twice');
  const [goaway, ...others] = peer.frames();
  assert.deepEqual([goaway?.type, goaway?.payload.readUInt32BE(4), others.length], [TYPE.GOAWAY, 4, 0]);
  assert.equal(goaway?.payload.toString('latin1', 8), 'settings were not acknowledged');
  assert.deepEqual(peer.send(PREFACE).events, ['fault']);
});

// --- Upgrade from HTTP/1.1 ---
test('an upgraded request is stream 1, half-closed, under the settings it brought (RFC 7540 §3.2)', () => {
  const peer = new Peer();
  const stream = peer.connection.receiveUpgrade(settings([4, 3]), 'GET');
  assert.ok(stream);
  assert.equal(stream.id, 1);
  peer.frames();
  peer.connection.sendResponse(stream, 200, [], 'hello', '', null);
  peer.send(PREFACE, frame(TYPE.SETTINGS, 0, 0), request(3));
  assert.deepEqual(peer.events, ['head 3']);
  const body = peer.frames().filter(({ type }) => type === TYPE.DATA);
  assert.equal(body[0]?.payload.toString(), 'hel');
  peer.send(request(1));
  assert.equal(peer.resetCode(1), CODE.STREAM_CLOSED);
});
test('an upgrade with settings that are none ends the connection', () => {
  const cut = new Peer();
  assert.equal(cut.connection.receiveUpgrade(Buffer.alloc(5), 'GET'), null);
  assert.equal(cut.faultCode, CODE.PROTOCOL_ERROR);
  const bad = new Peer();
  assert.equal(bad.connection.receiveUpgrade(settings([2, 7]), 'GET'), null);
  assert.equal(bad.faultCode, CODE.PROTOCOL_ERROR);
});

test('the driver can list what is open, and see what is ready to be written', () => {
  const peer = Peer.ready({ maxConcurrentStreams: 200 });
  for (let id = 1; id < 300; id += 2) peer.send(request(id));
  const ids = peer.connection.streams.map(({ id }) => id).sort((a, b) => a - b);
  assert.deepEqual(
    ids,
    Array.from({ length: 150 }, (_, i) => 1 + i * 2),
  );
  assert.equal(peer.connection.outputBytes, 0);
  peer.connection.sendReset(peer.stream(1), 8);
  assert.equal(peer.connection.outputBytes, 13);
  peer.frames();
  assert.equal(peer.connection.outputBytes, 0);
});
test('options that the protocol does not allow are refused', () => {
  for (const options of [
    { maxFrameBytesReceived: 16_383 },
    { maxFrameBytesReceived: 16_777_216 },
    { maxFrameBytesSent: 1 },
    { initialStreamWindowBytes: -1 },
    { initialConnectionWindowBytes: 2 ** 31 },
    // What would go out as another number than it is.
    { maxConcurrentStreams: Number.POSITIVE_INFINITY },
    { maxHeaderListBytes: 2 ** 32 },
    { maxDecodeTableBytes: 0.5 },
    { pingBudget: Number.NaN },
    { maxGatheredBytes: 0 },
    { enableConnectProtocol: 1 as unknown as boolean },
  ]) {
    assert.throws(() => new Peer(options), RangeError);
  }
});
