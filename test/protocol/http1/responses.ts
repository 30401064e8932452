// Sends one response and takes it apart again. Not a test itself.
import assert from 'node:assert/strict';
import { ByteWriter } from '../../../src/protocol/http/byte-writer.ts';
import type { FieldLines } from '../../../src/protocol/http/field-lines.ts';
import type { SendResult } from '../../../src/protocol/http1/send-result.ts';
import { type Answered, Http1Sender } from '../../../src/protocol/http1/sender.ts';

export const DATE = 'Sun, 06 Nov 1994 08:49:37 GMT';
export const GET: NonNullable<Answered> = { method: 'GET', minorVersion: 1, keepAlive: true };
export const HEAD: Answered = { ...GET, method: 'HEAD' };
export const OLD: NonNullable<Answered> = { ...GET, minorVersion: 0 };

export interface Sending {
  request?: Answered;
  status?: number;
  fields?: FieldLines;
  keepAlive?: boolean;
  server?: string | null;
}

export interface Written {
  readonly text: string;
  readonly result: SendResult;
}

export function whole(body: Buffer | string | null, sending: Sending = {}): Written {
  const { request = GET, status = 200, fields = [], keepAlive = true, server = null } = sending;
  const out = new ByteWriter();
  const result = new Http1Sender().sendResponse(out, request, status, fields, body, keepAlive, DATE, server);
  return { text: out.take()?.toString('latin1') ?? '', result };
}

/** A streamed response; the result is that of its head. */
export function streamed(
  pieces: readonly string[],
  contentLength: number | null,
  sending: Sending = {},
): Written {
  const { request = GET, status = 200, fields = [], keepAlive = true, server = null } = sending;
  const out = new ByteWriter();
  const sender = new Http1Sender();
  const result = sender.sendHead(out, request, status, fields, { contentLength }, keepAlive, DATE, server);
  if (result.ok) {
    for (const piece of pieces) assert.deepEqual(sender.sendData(out, Buffer.from(piece)), result);
    assert.deepEqual(sender.sendEnd(out, []), result);
  }
  return { text: out.take()?.toString('latin1') ?? '', result };
}

/** Status line and fields but for the date, and the body. */
export function parts(text: string): { head: string[]; body: string } {
  const end = text.indexOf('\r\n\r\n');
  const lines = text.slice(0, end).split('\r\n');
  assert.equal(lines[1], `date: ${DATE}`);
  return { head: lines.toSpliced(1, 1), body: text.slice(end + 4) };
}

export const KEEP = { ok: true, close: false };
export const CLOSE = { ok: true, close: true };
