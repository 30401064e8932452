// Frames as a server sends them (RFC 6455 §5, §7), and the closing handshake from its side.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ByteWriter } from '../../../src/protocol/http/byte-writer.ts';
import type { DeflateCodec } from '../../../src/protocol/websocket/deflate-codec.ts';
import { MAX_COPIED_PAYLOAD_BYTES } from '../../../src/protocol/websocket/frame-writer.ts';
import { prepareBinary, prepareText } from '../../../src/protocol/websocket/prepared-message.ts';
import {
  DEFAULT_SENDER_OPTIONS,
  WebSocketSender,
  type WebSocketSenderOptions,
} from '../../../src/protocol/websocket/sender.ts';
import { BINARY, CLOSE, closePayload, frame, PING, PONG, RSV1, TEXT } from './client-frames.ts';

interface Sending {
  readonly sender: WebSocketSender;
  /** What was written since it was last asked. */
  readonly sent: () => Buffer;
}

/** Stands for compression: what it is given between brackets. */
const brackets: DeflateCodec = {
  inflate: () => 'malformed',
  deflate: (bytes, isEnd) => Buffer.concat([Buffer.from('['), bytes, Buffer.from(isEnd ? ']' : '')]),
  windowBits: 12,
  deflateAlone: (bytes) => Buffer.from(`(${bytes.length})`),
  startAfresh() {},
  close() {},
};

function makeSending(
  options: Partial<WebSocketSenderOptions> = {},
  codec: DeflateCodec | null = null,
): Sending {
  const out = new ByteWriter();
  const sender = new WebSocketSender(out, codec, { ...DEFAULT_SENDER_OPTIONS, ...options });
  return { sender, sent: () => out.take() ?? Buffer.alloc(0) };
}

const plain = (opcode: number, payload: Uint8Array | string = '', reserved = 0): Buffer =>
  frame(opcode, payload, { key: null, reserved });

const plainFragments = (opcode: number, payloads: string[], reserved = 0): Buffer =>
  Buffer.concat(
    payloads.map((payload, i) =>
      frame(i === 0 ? opcode : 0, payload, {
        key: null,
        isFinal: i === payloads.length - 1,
        reserved: i === 0 ? reserved : 0,
      }),
    ),
  );

describe('a server does not mask, and writes each length in its shortest form (RFC 6455 §5.1, §5.2)', () => {
  for (const length of [
    0, 1, 41, 42, 43, 125, 126, 127, 5000, 21_000, 21_842, 21_843, 65_535, 65_536, 200_000,
  ]) {
    test(`${length} bytes`, () => {
      const { sender, sent } = makeSending();
      const text = 'x'.repeat(length);
      assert.equal(sender.sendText(text), true);
      assert.deepEqual(sent(), plain(TEXT, text));
      assert.equal(sender.sendBinary(Buffer.from(text)), true);
      assert.deepEqual(sent(), plain(BINARY, text));
    });
  }
});

describe('a text is sent as UTF-8, whatever its length becomes', () => {
  const texts = [
    'é',
    'é'.repeat(62),
    'é'.repeat(63),
    '€'.repeat(41),
    '€'.repeat(42),
    '€'.repeat(125),
    '€'.repeat(126),
    '𝄞'.repeat(62),
    '𝄞'.repeat(63),
    '€'.repeat(21_842),
    '€'.repeat(21_843),
    '€'.repeat(30_000),
  ];
  for (const text of texts) {
    test(`${text.length} times ${text[0]}`, () => {
      const { sender, sent } = makeSending();
      sender.sendText(text);
      assert.deepEqual(sent(), plain(TEXT, text));
    });
  }
});

test('a lone surrogate is sent as U+FFFD (RFC 6455 §8.1)', () => {
  const { sender, sent } = makeSending();
  sender.sendText('a\ud800b');
  assert.deepEqual(sent(), plain(TEXT, 'a\ufffdb'));
});

test('frames are gathered in order', () => {
  const { sender, sent } = makeSending();
  sender.sendText('one');
  sender.sendPing(Buffer.from('p'));
  sender.sendBinary(Buffer.from('two'));
  sender.sendPong();
  assert.deepEqual(
    sent(),
    Buffer.concat([plain(TEXT, 'one'), plain(PING, 'p'), plain(BINARY, 'two'), plain(PONG)]),
  );
});

describe('a message above maxSentFrameBytes is sent in fragments (RFC 6455 §5.4)', () => {
  const cases: [length: number, payloads: string[]][] = [
    [10, ['x'.repeat(10)]],
    [11, ['x'.repeat(10), 'x']],
    [20, ['x'.repeat(10), 'x'.repeat(10)]],
    [25, ['x'.repeat(10), 'x'.repeat(10), 'x'.repeat(5)]],
  ];
  for (const [length, payloads] of cases) {
    test(`${length} bytes in frames of 10`, () => {
      const { sender, sent } = makeSending({ maxSentFrameBytes: 10 });
      sender.sendText('x'.repeat(length));
      assert.deepEqual(sent(), plainFragments(TEXT, payloads));
      sender.sendBinary(Buffer.alloc(length, 'x'));
      assert.deepEqual(sent(), plainFragments(BINARY, payloads));
    });
  }
  test('a text that is short but wide', () => {
    const { sender, sent } = makeSending({ maxSentFrameBytes: 10 });
    sender.sendText('€€€');
    assert.deepEqual(sent(), plain(TEXT, '€€€'));
    sender.sendText('€€€€');
    assert.deepEqual(sent().subarray(0, 2), Buffer.of(TEXT, 10));
  });
  test('a size below one is our own mistake', () => {
    assert.throws(() => makeSending({ maxSentFrameBytes: 0 }), RangeError);
  });
});

describe('a message in parts', () => {
  test('is one message, with control frames between its parts (RFC 6455 §5.4)', () => {
    const { sender, sent } = makeSending();
    assert.equal(sender.beginMessage('text'), true);
    sender.sendPart(Buffer.from('one '), false);
    sender.sendPing();
    sender.sendPart(Buffer.from('two'), true);
    const [first, last] = [frame(TEXT, 'one ', { key: null, isFinal: false }), plain(0, 'two')];
    assert.deepEqual(sent(), Buffer.concat([first, plain(PING), last]));
    sender.sendText('next');
    assert.deepEqual(sent(), plain(TEXT, 'next'));
  });
  test('may have a single part, or an empty last one; other empty parts are not sent', () => {
    const { sender, sent } = makeSending();
    sender.beginMessage('binary');
    sender.sendPart(Buffer.from('all'), true);
    assert.deepEqual(sent(), plain(BINARY, 'all'));
    sender.beginMessage('binary');
    sender.sendPart(Buffer.alloc(0), false);
    sender.sendPart(Buffer.from('some'), false);
    sender.sendPart(Buffer.alloc(0), true);
    assert.deepEqual(sent(), plainFragments(BINARY, ['some', '']));
  });
  test('splits parts above maxSentFrameBytes', () => {
    const { sender, sent } = makeSending({ maxSentFrameBytes: 3 });
    sender.beginMessage('text');
    sender.sendPart(Buffer.from('abcd'), false);
    sender.sendPart(Buffer.from('efgh'), true);
    assert.deepEqual(sent(), plainFragments(TEXT, ['abc', 'd', 'efg', 'h']));
  });
  test('keeps other messages out: that is our own mistake', () => {
    const { sender } = makeSending();
    sender.beginMessage('text');
    const message = /not complete/;
    assert.throws(() => sender.sendText('x'), message);
    assert.throws(() => sender.sendBinary(Buffer.of(1)), message);
    assert.throws(() => sender.sendPrepared(prepareText('x')), message);
    assert.throws(() => sender.beginMessage('binary'), message);
  });
  test('must have begun', () => {
    const { sender } = makeSending();
    assert.throws(() => sender.sendPart(Buffer.of(1), true), /beginMessage/);
  });
  test('is given up by a close frame', () => {
    const { sender, sent } = makeSending();
    sender.beginMessage('text');
    sender.sendPart(Buffer.from('a'), false);
    sender.sendClose(1001);
    sent();
    assert.equal(sender.sendPart(Buffer.from('b'), true), false);
    assert.equal(sender.beginMessage('text'), false);
    assert.equal(sent().length, 0);
  });
});

describe('compression (RFC 7692 §6.1)', () => {
  const long = 'x'.repeat(1024);
  test('marks the message with RSV1, from minCompressBytes on', () => {
    const { sender, sent } = makeSending({}, brackets);
    sender.sendText(long);
    assert.deepEqual(sent(), plain(TEXT, `[${long}]`, RSV1));
    sender.sendBinary(Buffer.from(long));
    assert.deepEqual(sent(), plain(BINARY, `[${long}]`, RSV1));
    sender.sendText(long.slice(1));
    sender.sendBinary(Buffer.from(long.slice(1)));
    assert.deepEqual(sent(), Buffer.concat([plain(TEXT, long.slice(1)), plain(BINARY, long.slice(1))]));
  });
  test('is chosen per message', () => {
    const { sender, sent } = makeSending({}, brackets);
    sender.sendText('x', true);
    sender.sendBinary(Buffer.from('x'), true);
    sender.sendText(long, false);
    sender.sendBinary(Buffer.from(long), false);
    const expected = [
      plain(TEXT, '[x]', RSV1),
      plain(BINARY, '[x]', RSV1),
      plain(TEXT, long),
      plain(BINARY, long),
    ];
    assert.deepEqual(sent(), Buffer.concat(expected));
  });
  test('is not there where it was not negotiated', () => {
    const { sender, sent } = makeSending();
    sender.sendText('x', true);
    sender.sendBinary(Buffer.from('x'), true);
    sender.beginMessage('text', true);
    sender.sendPart(Buffer.from('x'), true);
    assert.deepEqual(sent(), Buffer.concat([plain(TEXT, 'x'), plain(BINARY, 'x'), plain(TEXT, 'x')]));
  });
  test('marks the first fragment only', () => {
    const { sender, sent } = makeSending({ maxSentFrameBytes: 4 }, brackets);
    sender.sendText('abcdefgh', true);
    assert.deepEqual(sent(), plainFragments(TEXT, ['[abc', 'defg', 'h]'], RSV1));
  });
  test('of a message in parts', () => {
    const { sender, sent } = makeSending({}, brackets);
    sender.beginMessage('text', true);
    sender.sendPart(Buffer.from('a'), false);
    sender.sendPing();
    sender.sendPart(Buffer.from('b'), true);
    const first = frame(TEXT, '[a', { key: null, isFinal: false, reserved: RSV1 });
    assert.deepEqual(sent(), Buffer.concat([first, plain(PING), plain(0, '[b]')]));
    sender.beginMessage('text');
    sender.sendPart(Buffer.from('a'), true);
    assert.deepEqual(sent(), plain(TEXT, 'a'));
  });
});

test('a large payload is passed on by reference, a small one copied', () => {
  const large = Buffer.alloc(MAX_COPIED_PAYLOAD_BYTES + 1, 'a');
  const out = new ByteWriter();
  const sender = new WebSocketSender(out, null);
  sender.sendBinary(large);
  sender.sendPrepared(prepareBinary(large));
  sender.sendBinary(large.subarray(1));
  const pieces = out.takeAll();
  assert.equal(pieces.length, 4);
  assert.equal(pieces[1]?.buffer, large.buffer);
  large.fill('b');
  assert.equal(pieces[3]?.includes('b'), false);
});

test('a prepared message is compressed once for each size of a window, from minCompressBytes on, and codecs start afresh', () => {
  const text = 'x'.repeat(2000);
  const message = prepareText(text);
  const done: string[] = [];
  const counting = (windowBits: number): DeflateCodec => ({
    ...brackets,
    windowBits,
    deflateAlone: (bytes) => {
      done.push(`deflate ${bytes.length} ${windowBits}`);
      return Buffer.from(`${windowBits}`);
    },
    startAfresh: () => void done.push(`afresh ${windowBits}`),
  });
  for (const bits of [12, 15, 12]) {
    const { sender, sent } = makeSending({}, counting(bits));
    sender.sendPrepared(message);
    sender.sendPrepared(message);
    assert.deepEqual(sent(), Buffer.concat([1, 2].map(() => plain(TEXT, `${bits}`, RSV1))));
  }
  const [first, second] = ['12', '15'].map((bits) => [
    `deflate 2000 ${bits}`,
    `afresh ${bits}`,
    `afresh ${bits}`,
  ]);
  assert.deepEqual(done.splice(0), [first, second, ['afresh 12', 'afresh 12']].flat());
  const plainly = makeSending({ minCompressBytes: 2001 }, counting(12));
  plainly.sender.sendPrepared(message);
  assert.deepEqual(plainly.sent(), plain(TEXT, text));
  const without = makeSending();
  without.sender.sendPrepared(message);
  assert.deepEqual(without.sent(), plain(TEXT, text));
  // What compression would make longer goes as it is.
  const longer = makeSending(
    { minCompressBytes: 1 },
    { ...counting(12), deflateAlone: (bytes) => Buffer.alloc(bytes.length) },
  );
  longer.sender.sendPrepared(prepareBinary(Buffer.from('ab')));
  assert.deepEqual(longer.sent(), plain(BINARY, 'ab'));
  assert.deepEqual(done, []);
});

test('a prepared message without compression is the same frame', () => {
  const { sender, sent } = makeSending();
  for (const length of [0, 125, 126, 65_535, 65_536]) {
    const text = 'é'.repeat(length / 2);
    assert.equal(sender.sendPrepared(prepareText(text)), true);
    assert.deepEqual(sent(), plain(TEXT, text));
    assert.equal(sender.sendPrepared(prepareBinary(Buffer.from(text))), true);
    assert.deepEqual(sent(), plain(BINARY, text));
  }
});

test('a control frame of more than 125 bytes is our own mistake (RFC 6455 §5.5)', () => {
  const { sender, sent } = makeSending();
  const payload = Buffer.alloc(125, 'p');
  sender.sendPing(payload);
  sender.sendPong(payload);
  assert.deepEqual(sent(), Buffer.concat([plain(PING, payload), plain(PONG, payload)]));
  assert.throws(() => sender.sendPing(Buffer.alloc(126)), RangeError);
  assert.throws(() => sender.sendPong(Buffer.alloc(126)), RangeError);
});

describe('the closing handshake', () => {
  test('begun by the server: nothing is sent after its close frame (RFC 6455 §5.5.1)', () => {
    const { sender, sent } = makeSending();
    assert.equal(sender.phase, 'open');
    assert.equal(sender.sendClose(1001, 'bye'), true);
    assert.equal(sender.phase, 'closing');
    assert.deepEqual(sent(), plain(CLOSE, closePayload(1001, 'bye')));
    const none = Buffer.of(1);
    const results = [
      sender.sendText('x'),
      sender.sendBinary(none),
      sender.sendPrepared(prepareText('x')),
      sender.sendPing(none),
      sender.sendPong(none),
      sender.sendClose(1000),
    ];
    assert.deepEqual(
      results,
      results.map(() => false),
    );
    sender.receiveClose(1001);
    assert.equal(sender.phase, 'closed');
    assert.equal(sent().length, 0);
  });
  test('begun by the client: its close frame is answered with its code (RFC 6455 §5.5.1)', () => {
    for (const code of [1000, 1002, 1014, 3000, 4999]) {
      const { sender, sent } = makeSending();
      sender.receiveClose(code);
      assert.equal(sender.phase, 'closed');
      assert.deepEqual(sent(), plain(CLOSE, closePayload(code)));
      assert.equal(sender.sendText('x'), false);
    }
  });
  test('a close frame without a code is answered by one without (RFC 6455 §7.1.5)', () => {
    const { sender, sent } = makeSending();
    sender.receiveClose(1005);
    assert.deepEqual(sent(), plain(CLOSE));
  });
  test('a code that must not be sent is our own mistake (RFC 6455 §7.4, §7.4.1)', () => {
    const { sender } = makeSending();
    for (const code of [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 3000.5, Number.NaN]) {
      assert.throws(() => sender.sendClose(code), RangeError, `${code}`);
    }
    assert.equal(sender.phase, 'open');
  });
  test('a reason takes up to 123 bytes', () => {
    const { sender, sent } = makeSending();
    assert.throws(() => sender.sendClose(1000, 'é'.repeat(62)), RangeError);
    sender.sendClose(1000, `${'é'.repeat(61)}x`);
    assert.deepEqual(sent(), plain(CLOSE, closePayload(1000, `${'é'.repeat(61)}x`)));
  });
});
