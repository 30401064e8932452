// Frames, the preface and header blocks: RFC 9113 §3.4, §4 and the rules of §6 on the shape of each frame.
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
  PADDED,
  Peer,
  post,
  PREFACE,
  PRIORITY,
  request,
  settings,
  TYPE,
  uint32,
} from './peer.ts';

/** Registers a test that some bytes, after the preface, are a connection error of the code. */
function refuses(name: string, code: number, ...bytes: readonly Buffer[]): void {
  eachWay(name, (feed) => {
    const peer = Peer.ready({}, feed);
    peer.send(...bytes);
    assert.equal(peer.faultCode, code, name);
    const goaway = peer.frames().filter((f) => f.type === TYPE.GOAWAY);
    assert.equal(goaway.length, 1);
    assert.equal(goaway[0]?.payload.readUInt32BE(4), code);
    // Nothing is received after it, and it is told once.
    peer.send(request(101));
    assert.equal(peer.events.filter((event) => event === 'fault').length, 1);
    assert.equal(peer.events.at(-1), 'fault');
  });
}

/** Registers a test that some bytes are a stream error of the code on stream `id`, and the connection goes on. */
function resets(name: string, code: number, id: number, ...bytes: readonly Buffer[]): void {
  eachWay(name, (feed) => {
    const peer = Peer.ready({}, feed);
    peer.send(...bytes);
    assert.equal(peer.faultCode, null);
    assert.equal(peer.resetCode(id), code);
    peer.send(request(99));
    assert.equal(peer.events.at(-1), 'head 99');
  });
}

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

// --- Header blocks (§4.3, §6.10) ---
const HALF = frame(TYPE.HEADERS, END_STREAM, 1, block(...GET).subarray(0, 20));
const REST = frame(TYPE.CONTINUATION, END_HEADERS, 1, block(...GET).subarray(20));
eachWay('a header block may be spread over CONTINUATION frames (RFC 9113 §6.10)', (feed) => {
  const peer = Peer.ready({}, feed).send(HALF, frame(TYPE.CONTINUATION, 0, 1), REST, request(3));
  assert.deepEqual(peer.events, ['head 1', 'head 3']);
  assert.equal(peer.heads()[0]?.authority, 'example.org');
});
refuses(
  'CONTINUATION without HEADERS is a connection error (RFC 9113 §6.10)',
  CODE.PROTOCOL_ERROR,
  frame(TYPE.CONTINUATION, END_HEADERS, 1, block(...GET)),
);
refuses(
  'CONTINUATION after END_HEADERS is a connection error (RFC 9113 §6.10)',
  CODE.PROTOCOL_ERROR,
  HALF,
  REST,
  REST,
);
refuses(
  'CONTINUATION on stream 0 is a connection error (RFC 9113 §6.10)',
  CODE.PROTOCOL_ERROR,
  HALF,
  frame(TYPE.CONTINUATION, END_HEADERS, 0),
);
refuses(
  'CONTINUATION of another stream is a connection error (RFC 9113 §4.3)',
  CODE.PROTOCOL_ERROR,
  HALF,
  frame(TYPE.CONTINUATION, END_HEADERS, 3),
);
for (const [name, other] of Object.entries({
  HEADERS: request(3),
  DATA: data(1, 'x'),
  PING: frame(TYPE.PING, 0, 0, '12345678'),
  'a frame of an unknown type': frame(0xfe, 0, 1),
})) {
  refuses(
    `${name} inside a header block is a connection error (RFC 9113 §4.3, §5.5, §6.2, §6.10, §8.1)`,
    CODE.PROTOCOL_ERROR,
    HALF,
    other,
  );
}
refuses(
  'a header block that cannot be decoded is a connection error (RFC 9113 §4.3)',
  CODE.COMPRESSION_ERROR,
  frame(TYPE.HEADERS, END_HEADERS, 1, [0xff, 0xff, 0xff]),
);
eachWay('the block of a refused stream is decoded all the same (RFC 9113 §4.3)', (feed) => {
  const peer = Peer.ready({ maxConcurrentStreams: 1 }, feed);
  const indexed = Buffer.concat([block(...GET), Buffer.from([0x40, 1, 0x61, 1, 0x62])]);
  peer.send(post(1), frame(TYPE.HEADERS, END_HEADERS, 3, indexed));
  assert.equal(peer.resetCode(3), CODE.REFUSED_STREAM);
  peer.send(data(1, '', true));
  peer.connection.sendResponse(peer.stream(1), 204, [], null, '', null);
  peer.send(frame(TYPE.HEADERS, END_HEADERS, 5, Buffer.concat([block(...GET), Buffer.from([0xbe])])));
  assert.deepEqual(peer.heads()[1]?.fields.slice(0, 2), ['a', 'b']);
});
