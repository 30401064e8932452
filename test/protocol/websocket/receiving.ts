// Runs a receiver over bytes and writes down what it says: whole, one byte at a time and cut at every place.
import assert from 'node:assert/strict';
import type { DeflateCodec } from '../../../src/protocol/websocket/deflate-codec.ts';
import { DEFAULT_WEBSOCKET_LIMITS, type WebSocketLimits } from '../../../src/protocol/websocket/limits.ts';
import { type WebSocketEvents, WebSocketReceiver } from '../../../src/protocol/websocket/receiver.ts';

/** `text …`, `binary hex`, `ping hex`, `pong hex`, `close code reason`, `fault code-number code`. */
export type Said = string;

export class Recorder implements WebSocketEvents {
  readonly said: Said[] = [];
  receiveText(text: string): void {
    this.said.push(`text ${text}`);
  }
  receiveBinary(data: Buffer): void {
    this.said.push(`binary ${data.toString('hex')}`);
  }
  receivePing(payload: Buffer): void {
    this.said.push(`ping ${payload.toString('hex')}`);
  }
  receivePong(payload: Buffer): void {
    this.said.push(`pong ${payload.toString('hex')}`);
  }
  receiveClose(code: number, reason: string): void {
    this.said.push(`close ${code} ${reason}`);
  }
  receiveFault(fault: { closeCode: number; code: string }): void {
    this.said.push(`fault ${fault.closeCode} ${fault.code}`);
  }
}

export interface Setting {
  readonly limits?: Partial<WebSocketLimits>;
  /** Made anew for each run. */
  readonly codec?: () => DeflateCodec;
}

export function makeReceiver(recorder: WebSocketEvents, setting: Setting = {}): WebSocketReceiver {
  const limits = { ...DEFAULT_WEBSOCKET_LIMITS, ...setting.limits };
  return new WebSocketReceiver(limits, setting.codec?.() ?? null, recorder);
}

/** What is said to the chunks. Each is written over as soon as receive returns, as a socket's read buffer is. */
export function hear(chunks: readonly Uint8Array[], setting: Setting = {}): Said[] {
  const recorder = new Recorder();
  const receiver = makeReceiver(recorder, setting);
  for (const chunk of chunks) {
    const copy = Buffer.from(chunk);
    receiver.receive(copy);
    copy.fill(0xee);
  }
  return recorder.said;
}

export const bytewise = (bytes: Uint8Array): Uint8Array[] =>
  Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));

/** Where input is longer, it is cut only so many bytes around its ends. */
const MAX_SPLITS = 400;

/** Asserts what is said to the bytes, in whatever pieces they come. */
export function assertHeard(bytes: Uint8Array, expected: readonly Said[], setting: Setting = {}): void {
  assert.deepEqual(hear([bytes], setting), expected, 'whole');
  assert.deepEqual(hear(bytewise(bytes), setting), expected, 'one byte at a time');
  for (let i = 1; i < bytes.length; i++) {
    if (i > MAX_SPLITS / 2 && i < bytes.length - MAX_SPLITS / 2) continue;
    const pieces = [bytes.subarray(0, i), bytes.subarray(i)];
    assert.deepEqual(hear(pieces, setting), expected, `cut at ${i}`);
  }
}

/** Asserts that the fault comes with the last byte, and that nothing is said before. */
export function assertFaultAtLastByte(bytes: Uint8Array, fault: Said, setting: Setting = {}): void {
  assertHeard(bytes, [fault], setting);
  const early = hear(bytewise(bytes.subarray(0, -1)), setting);
  assert.deepEqual(early, [], 'before the last byte');
}
