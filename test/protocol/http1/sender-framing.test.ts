// How the end of a response is told, and whether the connection persists (RFC 9110 §6.4, §8.6; RFC 9112 §6, §7, §9).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteWriter } from '../../../src/protocol/http/byte-writer.ts';
import { type Answered, Http1Sender } from '../../../src/protocol/http1/sender.ts';
import {
  CLOSE,
  DATE,
  GET,
  HEAD,
  KEEP,
  OLD,
  parts,
  type Sending,
  streamed,
  whole,
  type Written,
} from './responses.ts';

test('a body of null gets no length: it is chunked and empty', () => {
  const { head, body } = parts(whole(null, { fields: ['content-length', '5'] }).text);
  assert.deepEqual([head, body], [['HTTP/1.1 200 OK', 'transfer-encoding: chunked'], '0\r\n\r\n']);
});

test('a body of null ends with the connection in HTTP/1.0', () => {
  const { text, result } = whole(null, { request: OLD });
  assert.deepEqual(
    [parts(text), result],
    [{ head: ['HTTP/1.1 200 OK', 'connection: close'], body: '' }, CLOSE],
  );
});

test("an application's content-length does not change that of a body at hand", () => {
  for (const length of ['1', '99', 'x', '']) {
    assert.deepEqual(parts(whole('abc', { fields: ['Content-Length', length] }).text), {
      head: ['HTTP/1.1 200 OK', 'content-length: 3'],
      body: 'abc',
    });
  }
});

test('the answer to HEAD has the length of the body, or the one given, and no body (RFC 9110 §9.3.2)', () => {
  const fields = ['content-length', '7'];
  const cases: [Written, string[]][] = [
    [whole('abc', { request: HEAD }), ['content-length: 3']],
    [whole('abc', { request: HEAD, fields }), ['content-length: 3']],
    [whole(null, { request: HEAD, fields }), ['content-length: 7']],
    [whole(null, { request: HEAD, fields: ['content-length', '7x'] }), []],
    [whole(null, { request: HEAD }), []],
    [streamed(['abc'], 3, { request: HEAD }), ['content-length: 3']],
    [streamed(['abc'], null, { request: HEAD, fields }), ['content-length: 7']],
    [streamed(['abc'], null, { request: HEAD }), []],
  ];
  for (const [{ text, result }, lines] of cases) {
    assert.deepEqual([parts(text), result], [{ head: ['HTTP/1.1 200 OK', ...lines], body: '' }, KEEP]);
  }
});

test('204 has neither body nor framing (RFC 9110 §8.6)', () => {
  const sending = { status: 204, fields: ['content-length', '0'] };
  for (const written of [
    whole('abc', sending),
    whole(null, sending),
    streamed(['abc'], 3, sending),
    streamed([], null, sending),
  ]) {
    assert.deepEqual(parts(written.text), { head: ['HTTP/1.1 204 No Content'], body: '' });
    assert.deepEqual(written.result, KEEP);
  }
  assert.deepEqual(parts(whole('abc', { ...sending, request: HEAD }).text).head, ['HTTP/1.1 204 No Content']);
  assert.deepEqual(whole(null, { ...sending, request: OLD }).result, KEEP);
});

test('304 has no body and the length that the application gave (RFC 9110 §15.4.5)', () => {
  const status = 304;
  assert.deepEqual(parts(whole('abc', { status }).text), { head: ['HTTP/1.1 304 Not Modified'], body: '' });
  assert.deepEqual(parts(whole(null, { status }).text).head, ['HTTP/1.1 304 Not Modified']);
  const given = whole('', { status, fields: ['content-length', '7'] });
  assert.deepEqual(parts(given.text), { head: ['HTTP/1.1 304 Not Modified', 'content-length: 7'], body: '' });
  assert.deepEqual(parts(streamed(['a'], 7, { status }).text), {
    head: ['HTTP/1.1 304 Not Modified', 'content-length: 7'],
    body: '',
  });
});

test('205 has a length of 0 (RFC 9110 §15.3.6)', () => {
  const status = 205;
  const expected = { head: ['HTTP/1.1 205 Reset Content', 'content-length: 0'], body: '' };
  for (const written of [
    whole('abc', { status }),
    whole(null, { status }),
    streamed(['abc'], null, { status }),
  ]) {
    assert.deepEqual(parts(written.text), expected);
    assert.deepEqual(written.result, KEEP);
  }
});

test('a 2xx answer to CONNECT has no framing, and since there is no tunnel the connection closes (RFC 9110 §9.3.6)', () => {
  const request: Answered = { ...GET, method: 'CONNECT' };
  const { text, result } = whole('abc', { request });
  assert.deepEqual(
    [parts(text), result],
    [{ head: ['HTTP/1.1 200 OK', 'connection: close'], body: '' }, CLOSE],
  );
  assert.equal(parts(whole('abc', { request, status: 405 }).text).body, 'abc');
});

test('the connection closes where the caller, the request or a missing request says so (RFC 9112 §9.6)', () => {
  const closing: Sending[] = [
    { keepAlive: false },
    { request: { ...GET, keepAlive: false } },
    { request: null },
  ];
  closing.push({ request: { ...OLD, keepAlive: false } });
  for (const sending of closing) {
    const { text, result } = whole('', sending);
    assert.deepEqual([parts(text).head[1], result], ['connection: close', CLOSE]);
  }
});

test('an HTTP/1.0 connection that persists is told so (RFC 9112 §C.2.2)', () => {
  const { text, result } = whole('a', { request: OLD });
  assert.deepEqual(
    [parts(text).head.slice(1), result],
    [['connection: keep-alive', 'content-length: 1'], KEEP],
  );
});

test('a streamed body of a known length is sent as it is', () => {
  assert.deepEqual(parts(streamed(['ab', '', 'cde'], 5).text), {
    head: ['HTTP/1.1 200 OK', 'content-length: 5'],
    body: 'abcde',
  });
  assert.deepEqual(parts(streamed([], 0).text).head, ['HTTP/1.1 200 OK', 'content-length: 0']);
});

test("a streamed body takes the application's length where the caller knows none", () => {
  const fields = ['Content-Length', '3'];
  assert.deepEqual(parts(streamed(['abc'], null, { fields }).text).head[1], 'content-length: 3');
  assert.deepEqual(parts(streamed(['ab'], 2, { fields }).text).head[1], 'content-length: 2');
  assert.deepEqual(
    parts(streamed(['abc'], null, { fields: ['Content-Length', '-3'] }).text).head[1],
    'transfer-encoding: chunked',
  );
});

test('a streamed body without a length is chunked, and its empty pieces are not sent (RFC 9112 §7.1)', () => {
  const { text, result } = streamed(['abc', '', 'x'.repeat(26)], null);
  assert.deepEqual(parts(text), {
    head: ['HTTP/1.1 200 OK', 'transfer-encoding: chunked'],
    body: `3\r\nabc\r\n1a\r\n${'x'.repeat(26)}\r\n0\r\n\r\n`,
  });
  assert.deepEqual(result, KEEP);
});

test('a streamed body without a length ends with the connection in HTTP/1.0', () => {
  const { text, result } = streamed(['abc', '', 'd'], null, { request: OLD });
  assert.deepEqual(
    [parts(text), result],
    [{ head: ['HTTP/1.1 200 OK', 'connection: close'], body: 'abcd' }, CLOSE],
  );
});

test('a body may not be longer than announced: the piece is not written', () => {
  const out = new ByteWriter();
  const sender = new Http1Sender();
  sender.sendHead(out, GET, 200, [], { contentLength: 3 }, true, DATE, null);
  out.take();
  sender.sendData(out, Buffer.from('ab'));
  const result = sender.sendData(out, Buffer.from('cd'));
  assert.ok(!result.ok && result.name === 'content-length');
  assert.equal(out.take()?.toString(), 'ab');
  assert.deepEqual(sender.sendData(out, Buffer.from('c')), KEEP);
  assert.deepEqual(sender.sendEnd(out, []), KEEP);
});

test('a body may not be shorter than announced', () => {
  const out = new ByteWriter();
  const sender = new Http1Sender();
  sender.sendHead(out, GET, 200, [], { contentLength: 3 }, true, DATE, null);
  sender.sendData(out, Buffer.from('ab'));
  const result = sender.sendEnd(out, []);
  assert.ok(!result.ok && result.name === 'content-length');
});

test('trailers are sent after a chunked body, but for forbidden ones (RFC 9110 §6.5.1)', () => {
  const out = new ByteWriter();
  const sender = new Http1Sender();
  sender.sendHead(out, GET, 200, [], { contentLength: null }, true, DATE, null);
  sender.sendData(out, Buffer.from('a'));
  out.take();
  assert.deepEqual(
    sender.sendEnd(out, ['X-Sum', '1', 'Content-Length', '9', 'Transfer-Encoding', 'x', 'b', '']),
    KEEP,
  );
  assert.equal(out.take()?.toString(), '0\r\nX-Sum: 1\r\nb: \r\n\r\n');
});

test('trailers are dropped where the body is not chunked', () => {
  for (const contentLength of [1, null]) {
    const out = new ByteWriter();
    const sender = new Http1Sender();
    sender.sendHead(out, OLD, 200, [], { contentLength }, true, DATE, null);
    sender.sendData(out, Buffer.from('a'));
    out.take();
    assert.ok(sender.sendEnd(out, ['x', 'y']).ok);
    assert.equal(out.take(), null);
  }
});

test('a bad trailer is refused, and the body can still be ended', () => {
  const out = new ByteWriter();
  const sender = new Http1Sender();
  sender.sendHead(out, GET, 200, [], { contentLength: null }, true, DATE, null);
  out.take();
  for (const trailers of [
    ['a b', 'c'],
    ['x', 'y', 'a', 'b\r\nc'],
    ['a', '\u0100'],
  ]) {
    assert.equal(sender.sendEnd(out, trailers).ok, false);
  }
  assert.equal(out.take(), null);
  assert.deepEqual(sender.sendEnd(out, []), KEEP);
  assert.equal(out.take()?.toString(), '0\r\n\r\n');
});

test('calls out of order throw', () => {
  const out = new ByteWriter();
  const sender = new Http1Sender();
  assert.throws(() => sender.sendData(out, Buffer.from('a')), /without sendHead/);
  assert.throws(() => sender.sendEnd(out, []), /without sendHead/);
  sender.sendHead(out, GET, 200, [], { contentLength: null }, true, DATE, null);
  assert.throws(
    () => sender.sendHead(out, GET, 200, [], { contentLength: 1 }, true, DATE, null),
    /not ended/,
  );
  assert.throws(() => sender.sendResponse(out, GET, 200, [], '', true, DATE, null), /not ended/);
  assert.throws(() => sender.sendInform(out, 103, []), /after sendHead/);
  sender.sendEnd(out, []);
  assert.deepEqual(sender.sendResponse(out, GET, 200, [], '', true, DATE, null), KEEP);
});
