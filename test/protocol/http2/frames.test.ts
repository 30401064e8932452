// Each type of frame: the rules of RFC 9113 §6 on its shape.
import assert from 'node:assert/strict';
import { refuses, resets } from './fault-cases.ts';
import {
  ACK,
  block,
  CODE,
  data,
  eachWay,
  END_HEADERS,
  END_STREAM,
  frame,
  GET,
  PADDED,
  Peer,
  post,
  PRIORITY,
  request,
  settings,
  TYPE,
  uint32,
} from './peer.ts';

// --- DATA (§6.1) ---
refuses('DATA on stream 0 is a connection error (RFC 9113 §6.1)', CODE.PROTOCOL_ERROR, data(0, 'x'));
refuses(
  'padding as long as the payload is a connection error (RFC 9113 §6.1)',
  CODE.PROTOCOL_ERROR,
  post(1),
  frame(TYPE.DATA, PADDED, 1, [3, 1, 2]),
);
refuses(
  'a padded frame without a pad length is a connection error (RFC 9113 §4.2)',
  CODE.FRAME_SIZE_ERROR,
  post(1),
  frame(TYPE.DATA, PADDED, 1),
);
eachWay('padding is taken off DATA (RFC 9113 §6.1)', (feed) => {
  const peer = Peer.ready({}, feed);
  peer.send(post(1), frame(TYPE.DATA, PADDED | END_STREAM, 1, [2, 0x68, 0x69, 0, 0]));
  assert.deepEqual(peer.events, ['head 1', 'data 1', 'end 1']);
  assert.equal(peer.seen[1]?.text, 'hi');
  // Padding alone is no data.
  peer.send(post(3), frame(TYPE.DATA, PADDED | END_STREAM, 3, [2, 0, 0]));
  assert.deepEqual(peer.events.slice(3), ['head 3', 'end 3']);
});

// --- HEADERS (§6.2) ---
refuses(
  'HEADERS on stream 0 is a connection error (RFC 9113 §6.2)',
  CODE.PROTOCOL_ERROR,
  frame(TYPE.HEADERS, END_HEADERS, 0, block(...GET)),
);
refuses(
  'HEADERS with too much padding is a connection error (RFC 9113 §6.2)',
  CODE.PROTOCOL_ERROR,
  frame(TYPE.HEADERS, END_HEADERS | PADDED, 1, [9, 0x82]),
);
refuses(
  'HEADERS too short for their priority are a connection error (RFC 9113 §4.2)',
  CODE.FRAME_SIZE_ERROR,
  frame(TYPE.HEADERS, END_HEADERS | PRIORITY, 1, [0, 0, 0, 1]),
);
eachWay('padding and priority are taken off HEADERS (RFC 9113 §6.2)', (feed) => {
  const padded = Buffer.concat([Buffer.from([1, 0, 0, 0, 3, 16]), block(...GET), Buffer.from([0])]);
  const flags = END_HEADERS | END_STREAM | PADDED | PRIORITY;
  assert.deepEqual(Peer.ready({}, feed).send(frame(TYPE.HEADERS, flags, 1, padded)).events, ['head 1']);
});

// --- PRIORITY (§6.3) ---
refuses(
  'PRIORITY on stream 0 is a connection error (RFC 9113 §6.3)',
  CODE.PROTOCOL_ERROR,
  frame(TYPE.PRIORITY, 0, 0, [0, 0, 0, 1, 1]),
);
resets(
  'PRIORITY of another length than 5 is a stream error (RFC 9113 §6.3)',
  CODE.FRAME_SIZE_ERROR,
  1,
  post(1),
  frame(TYPE.PRIORITY, 0, 1, [0, 0, 0, 1]),
);
refuses(
  'a stream error on an idle stream is a connection error, since RST_STREAM must not be sent there (RFC 9113 §6.4)',
  CODE.FRAME_SIZE_ERROR,
  frame(TYPE.PRIORITY, 0, 1, [0, 0, 0, 1]),
);
eachWay('PRIORITY may come in any state, and changes nothing (RFC 9113 §5.1, §5.3.2)', (feed) => {
  const priority = (id: number): Buffer => frame(TYPE.PRIORITY, 0, id, [0, 0, 0, 1, 1]);
  const peer = Peer.ready({}, feed);
  peer.onHead = (stream) => void peer.connection.sendResponse(stream, 204, [], null, '', null);
  peer.send(priority(1), request(1), priority(1), request(3), priority(9));
  assert.deepEqual(peer.events, ['head 1', 'head 3']);
});

// --- RST_STREAM (§6.4) ---
refuses(
  'RST_STREAM on stream 0 is a connection error (RFC 9113 §6.4)',
  CODE.PROTOCOL_ERROR,
  frame(TYPE.RST_STREAM, 0, 0, uint32(8)),
);
refuses(
  'RST_STREAM on an idle stream is a connection error (RFC 9113 §6.4)',
  CODE.PROTOCOL_ERROR,
  frame(TYPE.RST_STREAM, 0, 1, uint32(8)),
);
refuses(
  'RST_STREAM of another length than 4 is a connection error (RFC 9113 §6.4)',
  CODE.FRAME_SIZE_ERROR,
  post(1),
  frame(TYPE.RST_STREAM, 0, 1, [0, 0, 8]),
);

// --- SETTINGS (§6.5) ---
refuses(
  'SETTINGS on a stream is a connection error (RFC 9113 §6.5)',
  CODE.PROTOCOL_ERROR,
  frame(TYPE.SETTINGS, 0, 1, settings([1, 1])),
);
refuses(
  'SETTINGS of a length that is no multiple of 6 is a connection error (RFC 9113 §6.5)',
  CODE.FRAME_SIZE_ERROR,
  frame(TYPE.SETTINGS, 0, 0, [0, 1, 0, 0, 0]),
);
refuses(
  'an acknowledgement of SETTINGS with a payload is a connection error (RFC 9113 §6.5)',
  CODE.FRAME_SIZE_ERROR,
  frame(TYPE.SETTINGS, ACK, 0, settings([1, 1])),
);
for (const [name, identifier, value, code] of [
  ['ENABLE_PUSH other than 0 and 1', 2, 2, CODE.PROTOCOL_ERROR],
  ['INITIAL_WINDOW_SIZE over 2^31-1', 4, 0x80000000, CODE.FLOW_CONTROL_ERROR],
  ['MAX_FRAME_SIZE under 2^14', 5, 16_383, CODE.PROTOCOL_ERROR],
  ['MAX_FRAME_SIZE over 2^24-1', 5, 16_777_216, CODE.PROTOCOL_ERROR],
  ['NO_RFC7540_PRIORITIES other than 0 and 1', 9, 2, CODE.PROTOCOL_ERROR],
  ['a changed NO_RFC7540_PRIORITIES', 9, 1, CODE.PROTOCOL_ERROR],
] as const) {
  const section = identifier === 9 ? 'RFC 9218 §2.1' : 'RFC 9113 §6.5.2';
  refuses(
    `${name} is a connection error (${section})`,
    code,
    frame(TYPE.SETTINGS, 0, 0, settings([identifier, value])),
  );
}
eachWay('settings at their bounds, and unknown ones, are taken (RFC 9113 §6.5.2)', (feed) => {
  const peer = Peer.ready({}, feed);
  const values = settings(
    [1, 0],
    [2, 0],
    [3, 0],
    [4, 0x7fffffff],
    [5, 16_384],
    [5, 16_777_215],
    [6, 1],
    [8, 1],
    [9, 0],
    [99, 5],
  );
  peer.send(frame(TYPE.SETTINGS, 0, 0, values));
  assert.deepEqual(
    peer.frames().map(({ type, flags }) => [type, flags]),
    [[TYPE.SETTINGS, ACK]],
  );
});

// --- PUSH_PROMISE (§6.6, §8.4) ---
refuses(
  'PUSH_PROMISE from a client is a connection error (RFC 9113 §8.4)',
  CODE.PROTOCOL_ERROR,
  post(1),
  frame(TYPE.PUSH_PROMISE, END_HEADERS, 1, Buffer.concat([uint32(2), block(...GET)])),
);

eachWay(
  'of several errors the first is reported, and nothing after it is looked at (RFC 9113 §5.4)',
  (feed) => {
    const peer = Peer.ready({}, feed);
    peer.send(frame(TYPE.PING, 0, 0, '1234567'), data(0, 'x'), request(1), data(1, 'x'));
    const codes = peer.frames().map(({ type, payload }) => [type, payload.readUInt32BE(4)]);
    assert.deepEqual(codes, [[TYPE.GOAWAY, CODE.FRAME_SIZE_ERROR]]);
    assert.deepEqual(peer.events, ['fault']);
  },
);

// --- PING (§6.7) ---
refuses(
  'PING on a stream is a connection error (RFC 9113 §6.7)',
  CODE.PROTOCOL_ERROR,
  frame(TYPE.PING, 0, 1, '12345678'),
);
refuses(
  'PING of another length than 8 is a connection error (RFC 9113 §6.7)',
  CODE.FRAME_SIZE_ERROR,
  frame(TYPE.PING, 0, 0, '1234567'),
);
eachWay('PING is answered with the same payload, and an answer is not (RFC 9113 §6.7)', (feed) => {
  const peer = Peer.ready({}, feed);
  peer.connection.sendPing(7);
  const [own] = peer.frames();
  assert.equal(own?.type, TYPE.PING);
  peer.send(frame(TYPE.PING, 0, 0, '\x00\xff345678'), frame(TYPE.PING, ACK, 0, own.payload));
  assert.deepEqual(
    peer.frames().map(({ type, flags, payload }) => [type, flags, payload.toString('latin1')]),
    [[TYPE.PING, ACK, '\x00\xff345678']],
  );
  assert.deepEqual(peer.seen, [{ event: 'pong', id: 7 }]);
});

// --- GOAWAY (§6.8) ---
refuses(
  'GOAWAY on a stream is a connection error (RFC 9113 §6.8)',
  CODE.PROTOCOL_ERROR,
  frame(TYPE.GOAWAY, 0, 1, uint32(0, 0)),
);
refuses(
  'GOAWAY shorter than 8 octets is a connection error (RFC 9113 §4.2)',
  CODE.FRAME_SIZE_ERROR,
  frame(TYPE.GOAWAY, 0, 0, uint32(0)),
);
eachWay('GOAWAY is told of, with the beginning of its debug data (RFC 9113 §6.8)', (feed) => {
  const peer = Peer.ready({}, feed);
  peer.send(frame(TYPE.GOAWAY, 0, 0, Buffer.concat([uint32(4, 2), Buffer.alloc(300, 'd')])), request(1));
  assert.deepEqual(peer.events, ['goaway 4', 'head 1']);
  assert.equal(peer.seen[0]?.code, 2);
  assert.equal(peer.seen[0]?.text, 'd'.repeat(256));
});

// --- WINDOW_UPDATE (§6.9) ---
refuses(
  'WINDOW_UPDATE of another length than 4 is a connection error (RFC 9113 §6.9)',
  CODE.FRAME_SIZE_ERROR,
  frame(TYPE.WINDOW_UPDATE, 0, 0, [0, 0, 1]),
);
refuses(
  'WINDOW_UPDATE of 0 for the connection is a connection error (RFC 9113 §6.9)',
  CODE.PROTOCOL_ERROR,
  frame(TYPE.WINDOW_UPDATE, 0, 0, uint32(0)),
);
resets(
  'WINDOW_UPDATE of 0 for a stream is a stream error (RFC 9113 §6.9)',
  CODE.PROTOCOL_ERROR,
  1,
  post(1),
  frame(TYPE.WINDOW_UPDATE, 0, 1, uint32(0)),
);
refuses(
  'WINDOW_UPDATE on an idle stream is a connection error (RFC 9113 §5.1)',
  CODE.PROTOCOL_ERROR,
  frame(TYPE.WINDOW_UPDATE, 0, 1, uint32(5)),
);
