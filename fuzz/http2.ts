// Fuzzes the HTTP/2 machine and HPACK: mutated conversations, with pushes among their answers, must come to the same whole, cut and byte by byte, never throw,
// and leave the machine's books in order; random blocks must not upset the decoder; what the encoder writes must be read.
//
//   node fuzz/http2.ts [--seconds 10] [--seed N]
//
// Exits 1 at the first failure, having printed the input in hexadecimal. Not a search by coverage: it mutates a corpus of
// frames that reaches every state.
import assert from 'node:assert/strict';
import { HpackDecoder } from '../src/protocol/http2/hpack/decoder.ts';
import { HpackEncoder } from '../src/protocol/http2/hpack/encoder.ts';
import type { Http2Stream } from '../src/protocol/http2/stream.ts';
import {
  ACK,
  block,
  data,
  END_HEADERS,
  END_STREAM,
  feedBytes,
  feedWhole,
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
} from '../test/protocol/http2/peer.ts';
import type { Feed, OutFrame, Seen } from '../test/protocol/http2/peer.ts';
import { pick, random, seconds, seed } from './support/fuzz-run.ts';

const MAX_PUSHED = 2;
/** Promises made in all runs. */
let pushes = 0;

const INDEXED = Buffer.from([0x40, 3, 0x78, 0x2d, 0x61, 1, 0x62]);

/** A frame of any kind, mostly in order, for a stream of low number. */
function makeFrame(): Buffer {
  const id = 1 + random(12);
  const odd = id | 1;
  switch (random(20)) {
    case 0:
    case 1:
    case 2:
      return request(odd, ['priority', pick(['u=0', 'u=7, i', 'x'])]);
    case 3:
    case 4:
      return post(odd, ['content-length', `${random(30)}`]);
    case 5:
      return post(odd);
    case 6:
    case 7:
    case 8:
      return data(odd, 'x'.repeat(random(30)), random(3) === 0);
    case 9:
      return frame(TYPE.DATA, PADDED, odd, [random(5), 1, 2, 3]);
    case 10:
      return frame(TYPE.HEADERS, END_HEADERS | END_STREAM, odd, Buffer.concat([block(...GET), INDEXED]));
    case 11:
      return frame(
        TYPE.HEADERS,
        END_HEADERS | END_STREAM,
        odd,
        Buffer.concat([block(...GET), Buffer.from([0xbe])]),
      );
    case 12: {
      const whole = block(...GET, ['a', 'b']);
      const cut = random(whole.length);
      const first = frame(TYPE.HEADERS, random(2), odd, whole.subarray(0, cut));
      return Buffer.concat([first, frame(TYPE.CONTINUATION, END_HEADERS, odd, whole.subarray(cut))]);
    }
    case 13:
      return frame(TYPE.HEADERS, END_HEADERS | END_STREAM, odd, block(['x-trailer', '1']));
    case 14:
      return frame(TYPE.RST_STREAM, 0, pick([odd, id]), uint32(random(15)));
    case 15:
      return frame(
        TYPE.SETTINGS,
        pick([0, 0, ACK]),
        0,
        pick([
          settings(),
          settings([4, random(200)]),
          settings([1, random(9000)]),
          settings([2, random(2)]),
          settings([3, random(4)]),
        ]),
      );
    case 16:
      return frame(TYPE.PING, random(2), 0, uint32(0, random(3)));
    case 17:
      return frame(
        TYPE.WINDOW_UPDATE,
        0,
        pick([0, id]),
        uint32(random(3) === 0 ? random(2 ** 31) : random(100)),
      );
    case 18:
      return frame(TYPE.PRIORITY_UPDATE, 0, 0, Buffer.concat([uint32(id), Buffer.from('u=1')]));
    default:
      return pick([
        frame(TYPE.PRIORITY, 0, id, [0, 0, 0, 1, 9]),
        frame(TYPE.GOAWAY, 0, 0, uint32(0, 0)),
        frame(0x77, 1, id, 'unknown'),
        frame(TYPE.HEADERS, END_HEADERS | PRIORITY, odd, Buffer.concat([Buffer.alloc(5), block(...GET)])),
      ]);
  }
}

function makeConversation(): Buffer {
  const frames = [
    PREFACE,
    frame(TYPE.SETTINGS, 0, 0, settings([4, 20 + random(100)])),
    frame(TYPE.SETTINGS, ACK, 0),
  ];
  for (let n = random(40); n >= 0; n--) frames.push(makeFrame());
  const bytes = Buffer.concat(frames);
  // Half of them are left in order: a mutation mostly ends the connection.
  for (let n = random(2) * random(4); n > 0; n--) bytes[random(bytes.length)] = random(256);
  return bytes;
}

/** What a conversation comes to, with a driver whose answers depend on nothing but the request. */
function converse(bytes: Buffer, feed: Feed): { seen: Seen[]; output: OutFrame[] } {
  const peer = new Peer(
    {
      maxConcurrentStreams: 4,
      initialStreamWindowBytes: 100,
      maxFrameBytesReceived: 16_384,
      maxPushedStreams: MAX_PUSHED,
    },
    feed,
  );
  const { connection } = peer;
  const pushed: Http2Stream[] = [];
  const push = (parent: Http2Stream, field: string): void => {
    const promised = connection.sendPush(parent, {
      method: 'GET',
      scheme: 'https',
      authority: 'a',
      path: `/${parent.id}`,
      fields: ['x-pushed', field],
    });
    if (promised === null) return;
    if ('reason' in promised) {
      assert.ok(field.includes('\n'));
      return;
    }
    assert.equal(promised.id, (pushed.at(-1)?.id ?? 0) + 2);
    pushed.push(promised);
  };
  peer.onHead = (stream, head) => {
    const length = (stream.id % 100) * 7;
    // Promises are answered at once, later, half, or never; one of them cannot be made.
    if (stream.id % 6 !== 3) push(stream, stream.id === 11 ? 'a\nb' : 'x'.repeat(stream.id % 100));
    const last = pushed.at(-1);
    if (last !== undefined && stream.id % 3 === 0) {
      connection.sendHead(last, 200, [], null, '', null);
      connection.sendData(last, Buffer.alloc(length), false);
      if (stream.id === 3) connection.sendEnd(last, []);
    } else if (last !== undefined && stream.id === 7) {
      connection.sendResponse(last, 200, [], 'p'.repeat(length), 'now', 'fuzz');
    }
    if (stream.id % 6 === 1)
      connection.sendResponse(stream, 200, ['x-a', head.path], 'y'.repeat(length), 'now', 'fuzz');
    else if (stream.id % 6 === 3) {
      connection.sendHead(stream, 200, ['etag', `${stream.id}`], null, '', null);
      connection.sendData(stream, Buffer.alloc(length), false);
      connection.sendEnd(stream, ['x-sum', 'z']);
    } else if (!head.hasBody) connection.sendReset(stream, 8);
  };
  peer.onData = (stream, piece) => {
    connection.releaseData(stream, piece.length);
    if (piece.length === 13) connection.sendResponse(stream, 413, [], 'too much', '', null);
  };
  peer.send(bytes);
  const output: OutFrame[] = [];
  while (connection.hasOutput) output.push(...peer.frames(300));
  const all = [...peer.streams.values(), ...pushed];
  const open = pushed.filter(({ closed }) => !closed).length;
  pushes += pushed.length;
  assert.ok(connection.queuedBytes >= 0 && connection.streamCount >= 0);
  assert.ok(connection.streamCount <= 4 + open && open <= MAX_PUSHED);
  for (const stream of all) if (stream.closed) assert.equal(stream.queuedBytes, 0);
  // Everything that is left can be ended, and then the books are empty.
  for (const stream of all) connection.sendReset(stream, 0);
  assert.deepEqual([connection.queuedBytes, connection.streamCount], [0, refusedLeft(peer)]);
  return { seen: peer.seen.map(withoutData), output };
}

/** Streams of refused heads are open until the driver answers; none are refused here. */
function refusedLeft(peer: Peer): number {
  return peer.seen.filter(({ event }) => event === 'refused').length;
}

function withoutData(seen: Seen): Seen {
  return seen.fault === undefined || seen.fault === null ? seen : { ...seen, fault: { ...seen.fault } };
}

function fuzzConversation(): Buffer {
  const bytes = makeConversation();
  const whole = attempt(bytes, () => converse(bytes, feedWhole));
  const cut = random(bytes.length);
  attempt(bytes, () => {
    assert.deepEqual(converse(bytes, feedBytes), whole);
    const halves: Feed = (all, receive) => {
      receive(all.subarray(0, cut));
      receive(all.subarray(cut));
    };
    assert.deepEqual(converse(bytes, halves), whole);
  });
  return bytes;
}

/** Random octets, mostly of the shapes that a block has. */
function fuzzDecoder(): Buffer {
  const pieces: Buffer[] = [];
  for (let n = random(12); n >= 0; n--) {
    const text = Buffer.from(Array.from({ length: random(6) }, () => random(256)));
    const start = pick([0x00, 0x10, 0x20, 0x40, 0x80, 0xbe, 0x41, 0x0f, 0xff]) + random(2);
    pieces.push(Buffer.from([start & 0xff, pick([text.length, 0x80 | text.length, random(256)])]), text);
  }
  const bytes = Buffer.concat(pieces);
  attempt(bytes, () => {
    const decoder = new HpackDecoder(256);
    for (let n = 0; n < 3; n++) {
      let fields = 0;
      const error = decoder.decode(bytes, 0, bytes.length, { addField: () => void fields++ });
      assert.ok(decoder.table.size <= 256 && fields <= bytes.length);
      if (error !== null) return;
    }
  });
  return bytes;
}

/** An encoder and a decoder that live through many blocks and changes of size. */
function fuzzRoundTrip(): void {
  const encoder = new HpackEncoder(pick([0, 100, 4096]));
  const decoder = new HpackDecoder(4096);
  const target = Buffer.alloc(65_536);
  for (let n = 0; n < 30; n++) {
    if (random(5) === 0) encoder.setMaxTableSize(pick([0, 64, 300, 4096]));
    const fields: string[] = [];
    for (let i = random(8); i > 0; i--) {
      const value = Array.from({ length: random(40) }, () => String.fromCharCode(0x21 + random(94))).join('');
      fields.push(
        pick(['date', 'server', 'x-a', 'x-b', 'set-cookie', 'etag', `x-${random(50)}`]),
        pick([value, 'same', '']),
      );
    }
    if (random(10) === 0) fields.push('x-bad', 'a\nb');
    const end = encoder.encode(target, 0, pick(['200', '404', '418']), fields, -1, '', '');
    assert.equal(end < 0, fields.includes('x-bad'));
    if (end < 0) continue;
    assert.ok(end <= encoder.maxBlockBytes(fields));
    const lines: string[] = [];
    const error = decoder.decode(target, 0, end, { addField: (name, value) => void lines.push(name, value) });
    assert.equal(error, null);
    assert.deepEqual(lines.slice(2), fields);
  }
}

function attempt<T>(input: Buffer, run: () => T): T {
  try {
    return run();
  } catch (error) {
    console.log(`seed ${seed}, input ${input.toString('hex')}`);
    throw error;
  }
}

const until = Date.now() + seconds * 1000;
let runs = 0;
let octets = 0;
for (; Date.now() < until; runs++) {
  octets += fuzzConversation().length + fuzzDecoder().length;
  if (runs % 4 === 0) attempt(Buffer.alloc(0), fuzzRoundTrip);
}
assert.ok(runs < 100 || pushes > runs / 2, `${pushes} promises in ${runs} runs`);
console.log(`${runs} runs, ${octets} octets, ${pushes} promises, seed ${seed}: no failure`);
