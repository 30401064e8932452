// Response heads and body framing (RFC 9110 §6.4, §8.6; RFC 9112 §4, §6, §7).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteWriter, MAX_COPY_BYTES } from '../../../src/protocol/http/byte-writer.ts';
import type { FieldLines } from '../../../src/protocol/http/field-lines.ts';
import type { SendResult } from '../../../src/protocol/http1/send-result.ts';
import { type Answered, Http1Sender } from '../../../src/protocol/http1/sender.ts';

const DATE = 'Sun, 06 Nov 1994 08:49:37 GMT';
const GET: Answered = { method: 'GET', minorVersion: 1, keepAlive: true };
const HEAD: Answered = { ...GET, method: 'HEAD' };
const OLD: Answered = { ...GET, minorVersion: 0 };

interface Sending {
  request?: Answered;
  status?: number;
  fields?: FieldLines;
  keepAlive?: boolean;
  server?: string | null;
}

interface Written {
  readonly text: string;
  readonly result: SendResult;
}

function whole(body: Buffer | string | null, sending: Sending = {}): Written {
  const { request = GET, status = 200, fields = [], keepAlive = true, server = null } = sending;
  const out = new ByteWriter();
  const result = new Http1Sender().sendResponse(out, request, status, fields, body, keepAlive, DATE, server);
  return { text: out.take()?.toString('latin1') ?? '', result };
}

/** A streamed response; the result is that of its head. */
function streamed(pieces: readonly string[], contentLength: number | null, sending: Sending = {}): Written {
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
function parts(text: string): { head: string[]; body: string } {
  const end = text.indexOf('\r\n\r\n');
  const lines = text.slice(0, end).split('\r\n');
  assert.equal(lines[1], `date: ${DATE}`);
  return { head: lines.toSpliced(1, 1), body: text.slice(end + 4) };
}

const KEEP = { ok: true, close: false };
const CLOSE = { ok: true, close: true };

test('a whole response has status, date, server, the fields as given, and the length of its body', () => {
  const { text, result } = whole('Hi', { fields: ['Content-Type', 'text/plain', 'x', ''], server: 'howdah' });
  const lines = ['HTTP/1.1 200 OK', `date: ${DATE}`, 'server: howdah', 'Content-Type: text/plain', 'x: '];
  assert.equal(text, [...lines, 'content-length: 2', '', 'Hi'].join('\r\n'));
  assert.deepEqual(result, KEEP);
});

test('the length of a text is that of its UTF-8', () => {
  assert.deepEqual(parts(whole('aé€😀').text), {
    head: ['HTTP/1.1 200 OK', 'content-length: 10'],
    body: Buffer.from('aé€😀').toString('latin1'),
  });
});

test('bodies of all sizes are whole, as text and as bytes', () => {
  for (const size of [0, 1, 4095, 4096, 4097, MAX_COPY_BYTES, MAX_COPY_BYTES + 1, 200_000]) {
    for (const body of ['x'.repeat(size), Buffer.alloc(size, 'x'), 'ä'.repeat(size)]) {
      const { head, body: sent } = parts(whole(body).text);
      const expected = Buffer.from(body as string);
      assert.equal(head[1], `content-length: ${expected.length}`);
      assert.ok(Buffer.from(sent, 'latin1').equals(expected));
    }
  }
});

test('the application may give its own date and server', () => {
  assert.equal(
    whole('', { fields: ['Date', 'today'], server: 's' }).text,
    'HTTP/1.1 200 OK\r\nserver: s\r\nDate: today\r\ncontent-length: 0\r\n\r\n',
  );
  assert.equal(
    whole('', { fields: ['SERVER', 'mine'], server: 's' }).text,
    `HTTP/1.1 200 OK\r\ndate: ${DATE}\r\nSERVER: mine\r\ncontent-length: 0\r\n\r\n`,
  );
});

test('a changed date or server is sent at once', () => {
  const out = new ByteWriter();
  const sender = new Http1Sender();
  for (const [date, server] of [
    ['one', 's'],
    ['two', 's'],
    ['two', 't'],
    ['two', null],
    ['one', 's'],
  ] as const) {
    sender.sendResponse(out, GET, 204, [], null, true, date, server);
    const serverText = server === null ? '' : `server: ${server}\r\n`;
    assert.equal(out.take()?.toString(), `HTTP/1.1 204 No Content\r\ndate: ${date}\r\n${serverText}\r\n`);
  }
});

test('a date or server that is no field value is our own mistake', () => {
  const send = (date: string, server: string) => (): unknown =>
    new Http1Sender().sendResponse(new ByteWriter(), GET, 200, [], '', true, date, server);
  assert.throws(send('a\r\nb: c', 's'), TypeError);
  assert.throws(send('a', 's\n'), TypeError);
});

test('a status without a name has an empty reason after its space (RFC 9112 §4)', () => {
  assert.equal(parts(whole('', { status: 299 }).text).head[0], 'HTTP/1.1 299 ');
  assert.equal(parts(whole('', { status: 999 }).text).head[0], 'HTTP/1.1 999 ');
});

test('a status that is not one of a final response is refused, and nothing is written', () => {
  for (const status of [0, 99, 100, 199, 1000, 200.5, Number.NaN, -200]) {
    const { text, result } = whole('x', { status });
    assert.equal(text, '');
    assert.ok(!result.ok && result.name === ':status');
    assert.ok(!streamed([], 1, { status }).result.ok);
  }
});

test('connection-specific fields of the application are dropped, trailer is not', () => {
  const own = ['Connection', 'a', 'Keep-Alive', 'b', 'PROXY-connection', 'c', 'TE', 'd', 'Upgrade', 'e'];
  const { head } = parts(whole('', { fields: [...own, 'Transfer-Encoding', 'gzip', 'Trailer', 'x'] }).text);
  assert.deepEqual(head, ['HTTP/1.1 200 OK', 'Trailer: x', 'content-length: 0']);
});

test('a name that is no token, or a value that cannot be sent, refuses the response, and nothing is written', () => {
  for (const name of ['', 'a b', 'a:', 'a\r\nb', 'ä', 'a\0', '(']) {
    const { text, result } = whole('x', { fields: ['x', 'y', name, 'v'] });
    assert.deepEqual([text, result.ok, result.ok || result.name], ['', false, name]);
  }
  for (const value of ['\r', '\n', '\0', 'a\r\nSet-Cookie: b', '\x7f', '\u0100', '😀', '\x1b']) {
    for (const name of ['X', 'Connection', 'content-length']) {
      const { text, result } = whole('x', { fields: ['x', 'y', name, value] });
      assert.deepEqual([text, result.ok, result.ok || result.name], ['', false, name]);
    }
    assert.ok(!streamed([], null, { fields: ['x', value] }).result.ok);
  }
});

test('values are latin1, tabs and empty ones too', () => {
  const { text } = whole('', { fields: ['a', 'b\t\xa0\xff', 'c', ''] });
  assert.deepEqual(parts(text).head.slice(1, 3), ['a: b\t\xa0\xff', 'c: ']);
});

test('a refused response does not leave fields behind for the next one', () => {
  const out = new ByteWriter();
  const sender = new Http1Sender();
  const send = (fields: FieldLines): SendResult =>
    sender.sendResponse(out, GET, 200, fields, '', true, DATE, null);
  send(['a', '1', 'date', 'x']);
  assert.equal(send(['a', '1', 'b', '\n']).ok, false);
  out.take();
  for (const [fields, text] of [
    [[], ''],
    [['a', '1'], 'a: 1\r\n'],
    [['a', '1'], 'a: 1\r\n'],
    [['a', '2'], 'a: 2\r\n'],
    [['b', '2'], 'b: 2\r\n'],
    [Array.from({ length: 34 }, () => 'x'), 'x: x\r\n'.repeat(17)],
    [[], ''],
  ] as const) {
    send(fields);
    assert.equal(
      out.take()?.toString(),
      `HTTP/1.1 200 OK\r\ndate: ${DATE}\r\n${text}content-length: 0\r\n\r\n`,
    );
  }
});

test('an array of fields that is changed and used again is sent as changed', () => {
  const out = new ByteWriter();
  const sender = new Http1Sender();
  const fields = ['a', '1'];
  sender.sendResponse(out, GET, 200, fields, '', true, DATE, null);
  fields[1] = '2';
  out.take();
  sender.sendResponse(out, GET, 200, fields, '', true, DATE, null);
  assert.match(out.take()?.toString() ?? '', /\r\na: 2\r\n/);
});

test('any number of different names can be sent', () => {
  for (let i = 0; i < 1000; i++) {
    assert.equal(parts(whole('', { fields: [`x-${i}`, 'v'] }).text).head[1], `x-${i}: v`);
    assert.ok(!whole('', { fields: [`x ${i}`, 'v'] }).result.ok);
  }
  assert.deepEqual(parts(whole('', { fields: ['cONNECTION', 'v'] }).text).head, [
    'HTTP/1.1 200 OK',
    'content-length: 0',
  ]);
});

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
  for (const sending of [...closing, { request: { ...OLD, keepAlive: false } }]) {
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

test('an informational response is a head without framing (RFC 9110 §15.2)', () => {
  const out = new ByteWriter();
  const sender = new Http1Sender();
  assert.deepEqual(sender.sendInform(out, 100, []), KEEP);
  assert.deepEqual(
    sender.sendInform(out, 103, ['Link', '</a>', 'Content-Length', '3', 'Transfer-Encoding', 'x']),
    KEEP,
  );
  assert.equal(
    out.take()?.toString(),
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n',
  );
});

test('a bad informational response is refused, and nothing is written', () => {
  const out = new ByteWriter();
  const sender = new Http1Sender();
  for (const status of [99, 101, 200, 103.5]) {
    const result = sender.sendInform(out, status, []);
    assert.ok(!result.ok && result.name === ':status');
  }
  assert.equal(sender.sendInform(out, 103, ['a', '\n']).ok, false);
  assert.equal(out.take(), null);
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
