// Response heads: status line, date and server, the application's fields (RFC 9112 §4, §5), informational responses.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteWriter, MAX_COPY_BYTES } from '../../../src/protocol/http/byte-writer.ts';
import type { FieldLines } from '../../../src/protocol/http/field-lines.ts';
import type { SendResult } from '../../../src/protocol/http1/send-result.ts';
import { Http1Sender } from '../../../src/protocol/http1/sender.ts';
import { DATE, GET, KEEP, parts, streamed, whole } from './responses.ts';

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

test('a switch is a 101 with upgrade and connection, and the application cannot give others (RFC 9110 §7.8)', () => {
  const out = new ByteWriter();
  const sender = new Http1Sender();
  const fields = [
    'Upgrade',
    'other',
    'connection',
    'close',
    'sec-websocket-accept',
    'a',
    'content-length',
    '3',
  ];
  assert.deepEqual(sender.sendSwitch(out, 'websocket', fields, 'howdah'), KEEP);
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'server: howdah',
    'connection: upgrade',
    'upgrade: websocket',
  ];
  assert.equal(out.take()?.toString(), [...lines, 'sec-websocket-accept: a', '', ''].join('\r\n'));
  assert.equal(sender.sendSwitch(out, 'websocket', ['a', '\n'], null).ok, false);
  assert.equal(sender.sendSwitch(out, 'web\r\nsocket', [], null).ok, false);
  assert.equal(out.take(), null);
  assert.deepEqual(sender.sendSwitch(out, 'x', ['Server', 'mine'], 'howdah'), KEEP);
  assert.equal(out.take()?.toString().includes('howdah'), false);
  sender.sendHead(out, GET, 200, [], { contentLength: 1 }, true, DATE, null);
  assert.throws(() => sender.sendSwitch(out, 'x', [], null), /after sendHead/);
});
