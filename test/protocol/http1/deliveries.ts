// Runs an Http1Receiver over the same input delivered whole, byte by byte and cut in two at every place, and holds the
// outcomes together. Not a test itself.
import assert from 'node:assert/strict';
import { type FieldLines } from '../../../src/protocol/http/field-lines.ts';
import type { Http1Fault, Http1FaultCode } from '../../../src/protocol/http1/fault.ts';
import { DEFAULT_HTTP1_LIMITS, type Http1Limits } from '../../../src/protocol/http1/limits.ts';
import { type Http1Events, type Http1Phase, Http1Receiver } from '../../../src/protocol/http1/receiver.ts';
import type { Http1RequestHead } from '../../../src/protocol/http1/request-head.ts';

export interface SeenRequest {
  readonly head: Http1RequestHead;
  readonly body: string;
  /** null while the request has not ended. */
  readonly trailers: FieldLines | null;
}

export interface Seen {
  readonly requests: readonly SeenRequest[];
  readonly fault: Http1Fault | null;
  /** As latin1 text; null where there was no preface. */
  readonly preface: string | null;
  readonly phase: Http1Phase;
  readonly bufferedBytes: number;
}

/** Above this, cutting an input in two at every place takes too long. */
const MAX_SPLIT_BYTES = 400;

/** Delivers the pieces, releasing each request at its end. What was delivered is overwritten when receive has returned. */
export function deliver(pieces: readonly Buffer[], limits: Partial<Http1Limits> = {}): Seen {
  const requests: { head: Http1RequestHead; body: string; trailers: FieldLines | null }[] = [];
  let fault: Http1Fault | null = null;
  let preface = null as string | null;
  const last = (): { body: string; trailers: FieldLines | null } => {
    const request = requests.at(-1);
    assert.ok(request !== undefined && request.trailers === null, 'an event outside of a request');
    return request;
  };
  const events: Http1Events = {
    receiveHead(head) {
      assert.notEqual(requests.at(-1)?.trailers, null, 'a head inside of a request');
      requests.push({ head, body: '', trailers: null });
    },
    receiveData(data) {
      assert.notEqual(data.length, 0);
      last().body += data.toString('latin1');
    },
    receiveEnd(trailers) {
      last().trailers = trailers;
      receiver.releaseNext();
    },
    receiveFault(seen) {
      assert.equal(fault, null);
      fault = seen;
    },
    receiveHttp2Preface(rest) {
      preface = rest.toString('latin1');
    },
  };
  const receiver: Http1Receiver = new Http1Receiver({ ...DEFAULT_HTTP1_LIMITS, ...limits }, events);
  for (const piece of pieces) {
    const chunk = Buffer.from(piece);
    // What follows a preface is for whoever goes on with the connection.
    if (preface !== null) preface += chunk.toString('latin1');
    receiver.receive(chunk);
    chunk.fill(0xff);
  }
  return { requests, fault, preface, phase: receiver.phase, bufferedBytes: receiver.bufferedBytes };
}

/** What can be compared: heads with everything that they compute, also their text. */
export function comparable(seen: Seen): unknown {
  return {
    ...seen,
    requests: seen.requests.map(({ head, body, trailers }) => ({
      ...(Object.assign({}, head) as object),
      fields: head.fields,
      upgrade: head.upgrade,
      options: head.connectionOptions,
      body,
      trailers,
    })),
  };
}

/** The outcome of the input, however it is delivered. */
export function receiveAll(input: string | Buffer, limits: Partial<Http1Limits> = {}): Seen {
  const bytes = typeof input === 'string' ? Buffer.from(input, 'latin1') : input;
  const whole = deliver([bytes], limits);
  const expected = comparable(whole);
  const single = Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));
  assert.deepEqual(comparable(deliver(single, limits)), expected, 'one byte at a time');
  const cuts = bytes.length <= MAX_SPLIT_BYTES ? bytes.length : 0;
  for (let cut = 1; cut < cuts; cut++) {
    const halves = [bytes.subarray(0, cut), bytes.subarray(cut)];
    assert.deepEqual(comparable(deliver(halves, limits)), expected, `cut at ${cut}`);
  }
  return whole;
}

/** The only request in the input, which must be complete and correct. */
export function receiveOne(input: string, limits: Partial<Http1Limits> = {}): SeenRequest {
  const { requests, fault, phase } = receiveAll(input, limits);
  assert.equal(fault, null);
  assert.equal(phase, 'idle');
  const [request, ...others] = requests;
  assert.ok(request !== undefined && others.length === 0);
  return request;
}

/** Asserts that the input ends in this fault, with no request complete before it. */
export function assertFault(
  input: string,
  code: Http1FaultCode,
  status: number,
  limits: Partial<Http1Limits> = {},
): Seen {
  const seen = receiveAll(input, limits);
  const inputText = JSON.stringify(input.slice(0, 200));
  assert.deepEqual({ code: seen.fault?.code, status: seen.fault?.status }, { code, status }, inputText);
  assert.equal(seen.phase, 'ended');
  assert.equal(seen.requests.filter(({ trailers }) => trailers !== null).length, 0);
  return seen;
}

/** A GET with these header lines, each without CRLF, after a Host. */
export function requestWith(...lines: readonly string[]): string {
  return `GET / HTTP/1.1\r\nHost: a\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
}

/** A chunked POST with this body. */
export function chunkedRequest(body: string): string {
  return `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${body}`;
}
