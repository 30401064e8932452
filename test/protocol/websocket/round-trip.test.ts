// What the sender writes, as a client would read it: random messages, sent and received again, with and without compression.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { ByteWriter } from '../../../src/protocol/http/byte-writer.ts';
import {
  DEFAULT_DEFLATE_POLICY,
  type DeflateParameters,
} from '../../../src/protocol/websocket/permessage-deflate.ts';
import { DEFAULT_SENDER_OPTIONS, WebSocketSender } from '../../../src/protocol/websocket/sender.ts';
import { ZlibDeflateCodec } from '../../../src/server/websocket-deflate.ts';
import { hear } from './receiving.ts';

/** The same frames as a client would send them. */
function maskFrames(bytes: Buffer, key: Uint8Array): Buffer {
  const frames: Buffer[] = [];
  let position = 0;
  while (position < bytes.length) {
    const short = (bytes[position + 1] as number) & 0x7f;
    const headBytes = short === 126 ? 4 : short === 127 ? 10 : 2;
    const length =
      short === 126
        ? bytes.readUInt16BE(position + 2)
        : short === 127
          ? Number(bytes.readBigUInt64BE(position + 2))
          : short;
    const head = Buffer.from(bytes.subarray(position, position + headBytes));
    head[1] = 0x80 | short;
    const payload = bytes.subarray(position + headBytes, position + headBytes + length);
    frames.push(head, Buffer.from(key), Buffer.from(payload.map((byte, i) => byte ^ (key[i % 4] as number))));
    position += headBytes + length;
  }
  return Buffer.concat(frames);
}

interface Message {
  readonly kind: 'text' | 'binary' | 'ping';
  readonly text: string;
  /** How often the text is repeated, so that some messages are long. */
  readonly times: number;
  readonly compress: boolean;
  /** Sent in parts of so many bytes; 0: whole. */
  readonly partBytes: number;
}

const messages = fc.array(
  fc.record({
    kind: fc.constantFrom<Message['kind']>('text', 'binary', 'ping'),
    text: fc.string({ unit: 'grapheme', maxLength: 40 }).filter((text) => text.isWellFormed()),
    times: fc.oneof(fc.constant(1), fc.integer({ min: 0, max: 40 }), fc.constant(3000)),
    compress: fc.boolean(),
    partBytes: fc.oneof(fc.constant(0), fc.integer({ min: 50, max: 5000 })),
  }),
  { maxLength: 8 },
);

const parameters = fc.record({
  serverNoContextTakeover: fc.boolean(),
  clientNoContextTakeover: fc.boolean(),
  serverMaxWindowBits: fc.integer({ min: 9, max: 15 }),
  clientMaxWindowBits: fc.constant(15),
});

/** The receiver is the client here: the server's window is what it inflates with. */
const mirrored = (agreed: DeflateParameters): DeflateParameters => ({
  serverNoContextTakeover: agreed.clientNoContextTakeover,
  clientNoContextTakeover: agreed.serverNoContextTakeover,
  serverMaxWindowBits: agreed.clientMaxWindowBits,
  clientMaxWindowBits: agreed.serverMaxWindowBits,
});

function send(sender: WebSocketSender, message: Message): string {
  const text = message.text.repeat(message.times);
  const bytes = Buffer.from(text);
  if (message.kind === 'ping') {
    const payload = bytes.subarray(0, 125);
    sender.sendPing(payload);
    return `ping ${payload.toString('hex')}`;
  }
  if (message.partBytes > 0) {
    sender.beginMessage(message.kind, message.compress);
    for (let i = 0; i < bytes.length; i += message.partBytes) {
      sender.sendPart(bytes.subarray(i, i + message.partBytes), false);
    }
    sender.sendPart(Buffer.alloc(0), true);
  } else if (message.kind === 'text') sender.sendText(text, message.compress);
  else sender.sendBinary(bytes, message.compress);
  return message.kind === 'text' ? `text ${text}` : `binary ${bytes.toString('hex')}`;
}

test('property: what is sent is received, however it is fragmented, compressed, masked and cut', () => {
  const frameBytes = fc.oneof(
    fc.constant(DEFAULT_SENDER_OPTIONS.maxSentFrameBytes),
    fc.integer({ min: 100, max: 9000 }),
  );
  const key = fc.uint8Array({ minLength: 4, maxLength: 4 });
  const cutEvery = fc.integer({ min: 1, max: 20_000 });
  fc.assert(
    fc.property(
      messages,
      parameters,
      frameBytes,
      key,
      cutEvery,
      (list, agreed, maxSentFrameBytes, mask, every) => {
        const out = new ByteWriter();
        const codec = new ZlibDeflateCodec(agreed);
        const sender = new WebSocketSender(out, codec, { maxSentFrameBytes, minCompressBytes: 100 });
        const expected = list.map((message) => send(sender, message));
        sender.sendClose(1000, 'done');
        codec.close();
        const bytes = maskFrames(out.take() as Buffer, mask);
        const pieces: Buffer[] = [];
        for (let i = 0; i < bytes.length; i += every) pieces.push(bytes.subarray(i, i + every));
        const limits = { maxMessageBytes: 50_000_000, maxInflateRatio: 10_000 };
        const said = hear(pieces, { limits, codec: () => new ZlibDeflateCodec(mirrored(agreed)) });
        assert.deepEqual(said, [...expected, 'close 1000 done']);
      },
    ),
    { numRuns: 150 },
  );
});

test('property: no input makes the receiver throw, and after a fault or a close it says nothing', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 10 }), (pieces) => {
      const said = hear(pieces, { codec: () => new ZlibDeflateCodec(DEFAULT_DEFLATE_POLICY) });
      const end = said.findIndex((line) => /^(?:fault|close)/.test(line));
      assert.ok(end < 0 || end === said.length - 1);
    }),
    { numRuns: 2000 },
  );
});
