// The codec of permessage-deflate over node:zlib (RFC 7692 §7.2), against node:zlib's own functions.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import type { DeflateParameters } from '../../src/protocol/websocket/permessage-deflate.ts';
import { isDeflateAvailable, ZlibDeflateCodec } from '../../src/server/websocket-deflate.ts';

const LARGEST: DeflateParameters = {
  serverNoContextTakeover: false,
  clientNoContextTakeover: false,
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
};
const TAIL = Buffer.of(0, 0, 0xff, 0xff);
const NO_LIMIT = 1 << 30;

const makeCodec = (parameters: Partial<DeflateParameters> = {}): ZlibDeflateCodec =>
  new ZlibDeflateCodec({ ...LARGEST, ...parameters });

const flushed = (data: Buffer | string): Buffer =>
  deflateRawSync(data, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);

/** As someone else inflates a message that needs no window of earlier ones. */
const inflateAlone = (bytes: Buffer): Buffer =>
  inflateRawSync(Buffer.concat([bytes, TAIL]), { finishFlush: constants.Z_SYNC_FLUSH });

function inflate(codec: ZlibDeflateCodec, bytes: Buffer, maxBytes = NO_LIMIT): Buffer | string {
  const result = codec.inflate(bytes, 0, bytes.length, true, maxBytes);
  return typeof result === 'string' ? result : Buffer.from(result);
}

/** Lengths around those at which the codec's own memory is full. */
const LENGTHS = [1, 2, 100, 65_531, 65_535, 65_536, 65_537, 131_071, 131_072, 131_073, 400_000];

test('this Node has what the codec is built on', () => {
  assert.equal(isDeflateAvailable(), true);
});

describe('deflate', () => {
  for (const length of LENGTHS) {
    test(`${length} bytes, random and repetitive`, () => {
      const codec = makeCodec({ serverNoContextTakeover: true });
      for (const data of [randomBytes(length), Buffer.alloc(length, 'again ')]) {
        assert.deepEqual(inflateAlone(codec.deflate(data, true)), data);
      }
      codec.close();
    });
  }
  test('its result stays as it is', () => {
    const codec = makeCodec();
    const first = codec.deflate(Buffer.from('first'), true);
    const copy = Buffer.from(first);
    codec.deflate(randomBytes(1000), true);
    assert.deepEqual(first, copy);
  });
  test('with context takeover, a repeated message is shorter, and without it is not (RFC 7692 §7.1.1.1)', () => {
    const data = randomBytes(200);
    const keeping = makeCodec();
    assert.ok(keeping.deflate(data, true).length > 200);
    assert.ok(keeping.deflate(data, true).length < 20);
    const forgetting = makeCodec({ serverNoContextTakeover: true });
    assert.deepEqual(forgetting.deflate(data, true), forgetting.deflate(data, true));
  });
  test('keeps to the window that was agreed on (RFC 7692 §7.1.2.1)', () => {
    const data = randomBytes(3000);
    const [small, large] = [makeCodec({ serverMaxWindowBits: 9 }), makeCodec()];
    // What zlib inflates in one go it lets refer to any of it, so the reference is to an earlier message.
    const messages = (codec: ZlibDeflateCodec): Buffer[] =>
      [data, data.subarray(0, 200)].map((message) => codec.deflate(message, true));
    const inflateAll = (list: Buffer[]): (Buffer | string)[] => {
      const client = makeCodec({ clientMaxWindowBits: 9 });
      return list.map((message) => inflate(client, message));
    };
    assert.deepEqual(inflateAll(messages(small)), [data, data.subarray(0, 200)]);
    assert.deepEqual(inflateAll(messages(large)), [data, 'malformed']);
  });
  test('what many connections get fits between their own messages, with context takeover too (RFC 7692 §7.1.1.1)', () => {
    const shared = 'what everybody gets, '.repeat(20);
    for (const [server, serverMaxWindowBits] of [12, 9, 12].entries()) {
      const [codec, client] = [
        makeCodec({ serverMaxWindowBits }),
        makeCodec({ clientMaxWindowBits: serverMaxWindowBits }),
      ];
      const own = (n: number): string =>
        `message ${n} of ${server}, much the same as those before; ${shared.slice(n)}`;
      const alone = codec.deflateAlone(Buffer.from(shared));
      assert.ok(alone.length < 60);
      const messages: [Buffer, string][] = [];
      for (let n = 0; n < 3; n += 1) {
        messages.push([codec.deflate(Buffer.from(own(n)), true), own(n)], [alone, shared]);
        codec.startAfresh();
        messages.push([codec.deflate(Buffer.from(own(n)), true), own(n)]);
        messages.push([codec.deflate(Buffer.from(own(n)), true), own(n)]);
      }
      for (const [bytes, text] of messages) assert.equal(String(inflate(client, bytes)), text);
      // Afterwards its own window serves again, if it is large enough.
      const [afresh, again] = [messages[2]?.[0].length ?? 0, messages[3]?.[0].length ?? 0];
      if (serverMaxWindowBits === 12) assert.ok(again < afresh / 2, `${afresh} ${again}`);
    }
  });
  test('leaves out the empty block that a message ends with (RFC 7692 §7.2.1)', () => {
    const codec = makeCodec();
    const whole: Buffer[] = [];
    for (const text of ['one', 'two '.repeat(1000)]) {
      const message = codec.deflate(Buffer.from(text), true);
      assert.notDeepEqual(message.subarray(-4), TAIL);
      whole.push(message, TAIL);
    }
    const plain = inflateRawSync(Buffer.concat(whole), { finishFlush: constants.Z_SYNC_FLUSH });
    assert.equal(plain.toString(), `one${'two '.repeat(1000)}`);
  });
  test('an empty message is one byte, each time (RFC 7692 §7.2.3.6)', () => {
    const codec = makeCodec();
    for (const text of ['', '', 'x', '', '']) {
      const payload = codec.deflate(Buffer.from(text), true);
      if (text === '') assert.deepEqual(payload, Buffer.of(0));
    }
    codec.deflate(Buffer.alloc(0), false);
    assert.deepEqual(codec.deflate(Buffer.alloc(0), true), Buffer.of(0));
  });
  test('a message in parts is one', () => {
    const codec = makeCodec({ serverNoContextTakeover: true });
    const parts = ['one ', '', 'two '.repeat(50_000), 'three'].map((text) => Buffer.from(text));
    const deflated = parts.map((part) => codec.deflate(part, false));
    deflated.push(codec.deflate(Buffer.alloc(0), true));
    assert.deepEqual(inflateAlone(Buffer.concat(deflated)), Buffer.concat(parts));
  });
});

describe('inflate', () => {
  for (const length of LENGTHS) {
    test(`${length} bytes, up to a limit of just so many`, () => {
      for (const data of [randomBytes(length), Buffer.alloc(length, 'again ')]) {
        assert.deepEqual(inflate(makeCodec(), flushed(data), length), data);
        assert.equal(inflate(makeCodec(), flushed(data), length - 1), 'too-large');
      }
    });
  }
  test('stops at the limit, however much there would be', () => {
    const bomb = flushed(Buffer.alloc(50_000_000));
    const before = process.memoryUsage().arrayBuffers;
    assert.equal(inflate(makeCodec(), bomb, 1_000_000), 'too-large');
    assert.ok(process.memoryUsage().arrayBuffers - before < 10_000_000);
  });
  test('gives what there is of a message before its end', () => {
    const codec = makeCodec();
    const payload = flushed('first ');
    const first = codec.inflate(payload, 0, payload.length, false, NO_LIMIT);
    assert.equal(first.toString(), 'first ');
    assert.equal(codec.inflate(Buffer.alloc(0), 0, 0, true, NO_LIMIT).toString(), '');
    assert.equal(inflate(codec, flushed('next')).toString(), 'next');
  });
  test('keeps the window between messages, or forgets it, as agreed on (RFC 7692 §7.1.1.2)', () => {
    const sender = makeCodec();
    const messages = ['a message', 'a message', 'a message'].map((text) =>
      sender.deflate(Buffer.from(text), true),
    );
    const keeping = makeCodec();
    assert.deepEqual(
      messages.map((message) => inflate(keeping, message).toString()),
      ['a message', 'a message', 'a message'],
    );
    const forgetting = makeCodec({ clientNoContextTakeover: true });
    assert.deepEqual(
      messages.slice(0, 2).map((message) => inflate(forgetting, message).toString()),
      ['a message', 'malformed'],
    );
  });
  test('what is malformed is told at once, and nothing is thrown later', async () => {
    const codec = makeCodec();
    assert.equal(inflate(codec, Buffer.of(0xff, 0xff, 0xff)), 'malformed');
    // zlib's stream emits its error on a later turn: without a listener that would end the process.
    await new Promise(setImmediate);
    codec.close();
  });
});

describe('a block marked as the last (RFC 7692 §7.2.3.4)', () => {
  const whole = (text: string): Buffer => deflateRawSync(text);
  test('may end a message, with or without the empty block after it', () => {
    const codec = makeCodec();
    for (const end of [Buffer.of(0), Buffer.alloc(0)]) {
      assert.equal(inflate(codec, Buffer.concat([whole('final'), end])).toString(), 'final');
    }
    assert.equal(inflate(codec, flushed('after')).toString(), 'after');
  });
  test('may be followed by more, also in a later piece', () => {
    const codec = makeCodec();
    assert.equal(
      inflate(codec, Buffer.concat([whole('one'), whole('two'), flushed('three')])).toString(),
      'onetwothree',
    );
    const first = whole('one');
    assert.equal(codec.inflate(first, 0, first.length, false, NO_LIMIT).toString(), 'one');
    assert.equal(inflate(codec, flushed('two')).toString(), 'two');
  });
  test('may come 16 times in a message, and no more', () => {
    const empty = Buffer.of(3, 0);
    const times = (count: number): Buffer =>
      Buffer.concat([...Array.from({ length: count }, () => empty), flushed('x')]);
    const codec = makeCodec();
    assert.equal(inflate(codec, times(16)).toString(), 'x');
    assert.equal(inflate(codec, times(16)).toString(), 'x');
    assert.equal(inflate(codec, times(17)), 'malformed');
  });
});

test('a codec that was never used can be closed', () => {
  makeCodec().close();
});
