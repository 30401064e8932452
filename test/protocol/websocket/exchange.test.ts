// Receiver and sender put together as a connection puts them: what a client gets for what it sends.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ByteWriter } from '../../../src/protocol/http/byte-writer.ts';
import type { DeflateCodec } from '../../../src/protocol/websocket/deflate-codec.ts';
import { DEFAULT_WEBSOCKET_LIMITS } from '../../../src/protocol/websocket/limits.ts';
import { DEFAULT_DEFLATE_POLICY } from '../../../src/protocol/websocket/permessage-deflate.ts';
import { WebSocketReceiver } from '../../../src/protocol/websocket/receiver.ts';
import { WebSocketSender } from '../../../src/protocol/websocket/sender.ts';
import { ZlibDeflateCodec } from '../../../src/server/websocket-deflate.ts';
import { BINARY, CLOSE, closePayload, CONTINUATION, frame, PING, PONG, RSV1, TEXT } from './client-frames.ts';
import { bytewise } from './receiving.ts';

/** What an echo server sends for the pieces. */
function exchange(pieces: readonly Uint8Array[], codec: DeflateCodec | null = null): Buffer {
  const out = new ByteWriter();
  const sender = new WebSocketSender(out, codec);
  const receiver = new WebSocketReceiver(DEFAULT_WEBSOCKET_LIMITS, codec, {
    receiveText: (text) => sender.sendText(text),
    receiveBinary: (data) => sender.sendBinary(data),
    receivePing: (payload) => sender.sendPong(payload),
    receivePong() {},
    receiveClose: (code) => sender.receiveClose(code),
    receiveFault: (fault) => sender.sendClose(fault.closeCode, fault.reason),
  });
  for (const piece of pieces) receiver.receive(Buffer.from(piece));
  return out.take() ?? Buffer.alloc(0);
}

const plain = (opcode: number, payload: Uint8Array | string = ''): Buffer =>
  frame(opcode, payload, { key: null });

function assertExchange(received: Buffer[], sent: Buffer[]): void {
  const bytes = Buffer.concat(received);
  assert.deepEqual(exchange([bytes]), Buffer.concat(sent));
  assert.deepEqual(exchange(bytewise(bytes)), Buffer.concat(sent));
}

test('a ping is answered with a pong that bears its payload (RFC 6455 §5.5.2, §5.5.3)', () => {
  for (const payload of ['', 'ping', 'p'.repeat(125)])
    assertExchange([frame(PING, payload)], [plain(PONG, payload)]);
});

test('a ping inside a fragmented message is answered before the message ends (RFC 6455 §5.4)', () => {
  assertExchange(
    [frame(TEXT, 'a', { isFinal: false }), frame(PING, 'p'), frame(CONTINUATION, 'b')],
    [plain(PONG, 'p'), plain(TEXT, 'ab')],
  );
});

test('a pong is not answered (RFC 6455 §5.5.3)', () => {
  assertExchange([frame(PONG, 'p'), frame(TEXT, 'x')], [plain(TEXT, 'x')]);
});

test('messages are answered in order, whole, each as what it came (RFC 6455 §6.1, §6.2)', () => {
  assertExchange(
    [frame(TEXT, 'one é'), frame(BINARY, 'two'), frame(TEXT, '')],
    [plain(TEXT, 'one é'), plain(BINARY, 'two'), plain(TEXT)],
  );
});

describe('a close frame is answered with one, and nothing else is (RFC 6455 §5.5.1, §5.5.2)', () => {
  test('with its code', () => {
    const received = [frame(CLOSE, closePayload(1001, 'leaving')), frame(TEXT, 'x'), frame(PING)];
    assertExchange(received, [plain(CLOSE, closePayload(1001))]);
  });
  test('without a code', () => assertExchange([frame(CLOSE)], [plain(CLOSE)]));
});

test('a fault is answered with a close frame, and what follows is ignored (RFC 6455 §7.1.7)', () => {
  const reason = closePayload(1007, 'a text is not UTF-8');
  assertExchange([frame(TEXT, Buffer.of(0xff)), frame(TEXT, 'x'), frame(CLOSE)], [plain(CLOSE, reason)]);
});

test('compressed messages share one codec in both directions', () => {
  const text = 'a text above the size that is compressed. '.repeat(40);
  const client = new ZlibDeflateCodec(DEFAULT_DEFLATE_POLICY);
  const payloads = [text, text].map((each) => client.deflate(Buffer.from(each), true));
  const received = payloads.map((payload) => frame(TEXT, payload, { reserved: RSV1 }));
  const sent = exchange(received, new ZlibDeflateCodec(DEFAULT_DEFLATE_POLICY));
  const expected = payloads.map((payload) => frame(TEXT, payload, { key: null, reserved: RSV1 }));
  assert.deepEqual(sent, Buffer.concat(expected));
});
