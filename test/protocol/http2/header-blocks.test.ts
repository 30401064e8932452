// Header blocks in HEADERS and CONTINUATION frames: RFC 9113 §4.3, §6.10.
import assert from 'node:assert/strict';
import { refuses } from './fault-cases.ts';
import {
  block,
  CODE,
  data,
  eachWay,
  END_HEADERS,
  END_STREAM,
  frame,
  GET,
  Peer,
  post,
  request,
  TYPE,
} from './peer.ts';

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
