// What is sent: heads, bodies, trailers, informational responses (RFC 9113 §8.1). How heads are encoded: response-heads.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  block,
  CODE,
  END_HEADERS,
  END_STREAM,
  frame,
  GET,
  Peer,
  request,
  settings,
  TYPE,
  uint32,
} from './peer.ts';
import { Reader } from './response-reader.ts';

const DATE = 'Sun, 22 Nov 2026 03:25:00 GMT';

function head(id: number, method: string): Buffer {
  return frame(TYPE.HEADERS, END_HEADERS | END_STREAM, id, block([':method', method], ...GET.slice(1)));
}

test('a whole response has no connection-specific fields, and content-length, server and date (RFC 9113 §8.2.2, RFC 9110 §6.6.1, §8.6)', () => {
  const peer = Peer.ready().send(request(1), request(3), request(5));
  const reader = new Reader();
  const fields = [
    'Content-Type',
    'text/plain',
    'content-length',
    '99',
    'Connection',
    'close',
    'keep-alive',
    'x',
  ];
  peer.connection.sendResponse(peer.stream(1), 200, fields, 'häh', DATE, 'howdah');
  peer.connection.sendResponse(
    peer.stream(3),
    404,
    ['Date', 'today', 'SERVER', 'x'],
    Buffer.from('no'),
    DATE,
    'howdah',
  );
  peer.connection.sendResponse(peer.stream(5), 200, [], '', '', null);
  assert.deepEqual(reader.read(peer.frames()), [
    ['1', ':status: 200', 'content-type: text/plain', 'content-length: 4', 'server: howdah', `date: ${DATE}`],
    '1 end häh',
    ['3', ':status: 404', 'date: today', 'server: x', 'content-length: 2'],
    '3 end no',
    ['5 end', ':status: 200', 'content-length: 0'],
  ]);
});

test('a response without a body has no content-length but its own (RFC 9110 §8.6)', () => {
  const peer = Peer.ready().send(request(1), head(3, 'HEAD'), head(5, 'HEAD'), request(7), request(9));
  const reader = new Reader();
  const { connection } = peer;
  connection.sendResponse(peer.stream(1), 200, [], null, '', null);
  connection.sendResponse(peer.stream(3), 200, [], 'to HEAD', '', null);
  connection.sendResponse(peer.stream(5), 200, ['content-length', '77'], null, '', null);
  connection.sendResponse(peer.stream(7), 204, [], 'none', '', null);
  connection.sendResponse(peer.stream(9), 304, ['etag', '"a"'], null, '', null);
  assert.deepEqual(reader.read(peer.frames()), [
    ['1 end', ':status: 200'],
    ['3 end', ':status: 200', 'content-length: 7'],
    ['5 end', ':status: 200', 'content-length: 77'],
    ['7 end', ':status: 204'],
    ['9 end', ':status: 304', 'etag: "a"'],
  ]);
  assert.equal(connection.streamCount, 0);
});

test('a content-length of the application goes out only where no content follows that could be counted (RFC 9110 §8.6)', () => {
  const peer = Peer.ready().send(
    request(1),
    request(3),
    head(5, 'HEAD'),
    request(7),
    head(9, 'HEAD'),
    request(11),
  );
  const reader = new Reader();
  const { connection } = peer;
  const given = ['Content-Length', '5'];
  connection.sendResponse(peer.stream(1), 200, given, null, '', null);
  connection.sendResponse(peer.stream(3), 204, given, null, '', null);
  connection.sendResponse(peer.stream(5), 200, ['content-length', 'five'], null, '', null);
  connection.sendResponse(peer.stream(7), 304, given, null, '', null);
  connection.sendHead(peer.stream(9), 200, given, null, '', null);
  connection.sendInform(peer.stream(11), 103, given);
  connection.sendHead(peer.stream(11), 200, given, null, '', null);
  connection.sendData(peer.stream(11), 'four', true);
  assert.deepEqual(reader.read(peer.frames()), [
    ['1 end', ':status: 200'],
    ['3 end', ':status: 204'],
    ['5 end', ':status: 200'],
    ['7 end', ':status: 304', 'content-length: 5'],
    ['9 end', ':status: 200', 'content-length: 5'],
    ['11', ':status: 103'],
    ['11', ':status: 200'],
    '11 end four',
  ]);
});

test('a pseudo-field among the fields of a response, or its trailers, is refused (RFC 9113 §8.3, §8.1)', () => {
  const peer = Peer.ready().send(request(1));
  const { connection } = peer;
  const stream = peer.stream(1);
  for (const name of [':status', ':path', ':x']) {
    const bad = { name, reason: 'not a field name' };
    assert.deepEqual(connection.sendResponse(stream, 200, ['a', 'b', name, '200'], 'x', '', null), bad);
    assert.deepEqual(connection.sendInform(stream, 103, [name, '200']), bad);
  }
  connection.sendHead(stream, 200, [], null, '', null);
  assert.deepEqual(connection.sendEnd(stream, [':status', '200'])?.name, ':status');
  connection.sendEnd(stream, []);
  assert.deepEqual(new Reader().read(peer.frames()), [['1', ':status: 200'], '1 end ']);
});

test('what may not stand in trailers is left out of them (RFC 9110 §6.5.1)', () => {
  const peer = Peer.ready({}, undefined, settings([4, 2])).send(request(1), request(3), request(5));
  const { connection } = peer;
  for (const id of [1, 3, 5]) connection.sendHead(peer.stream(id), 200, [], null, '', null);
  connection.sendEnd(peer.stream(1), ['Content-Length', '5', 'x-sum', '1', 'set-cookie', 'a=b']);
  connection.sendEnd(peer.stream(3), ['content-type', 'text/html']);
  connection.sendData(peer.stream(5), 'body', false);
  connection.sendEnd(peer.stream(5), ['trailer', 'x']);
  peer.send(frame(TYPE.WINDOW_UPDATE, 0, 5, uint32(100)));
  assert.deepEqual(new Reader().read(peer.frames()).slice(3), [
    ['1 end', 'x-sum: 1'],
    '3 end ',
    '5 end body',
  ]);
});

test('a streamed response has informational ones before it and trailers after it (RFC 9113 §8.1)', () => {
  const peer = Peer.ready().send(request(1));
  const reader = new Reader();
  const { connection } = peer;
  const stream = peer.stream(1);
  assert.equal(connection.sendData(stream, 'too early', false), true);
  assert.equal(connection.sendEnd(stream, ['too', 'early']), null);
  connection.sendInform(stream, 103, ['link', '</a.css>']);
  connection.sendHead(stream, 200, [], null, '', null);
  connection.sendInform(stream, 103, ['too', 'late']);
  connection.sendHead(stream, 500, [], null, '', null);
  connection.sendData(stream, '', false);
  connection.sendData(stream, 'one', false);
  connection.sendData(stream, Buffer.from('two'), false);
  connection.sendEnd(stream, ['X-Sum', '6']);
  connection.sendData(stream, 'after the end', true);
  assert.deepEqual(reader.read(peer.frames()), [
    ['1', ':status: 103', 'link: </a.css>'],
    ['1', ':status: 200'],
    '1 one',
    '1 two',
    ['1 end', 'x-sum: 6'],
  ]);
});

test('an end without trailers is an empty DATA frame', () => {
  const peer = Peer.ready().send(request(1));
  peer.connection.sendHead(peer.stream(1), 200, [], null, '', null);
  peer.connection.sendEnd(peer.stream(1), []);
  assert.deepEqual(new Reader().read(peer.frames()), [['1', ':status: 200'], '1 end ']);
});

test('an end is sent even where windows are negative, and others wait (RFC 9113 §6.9.1)', () => {
  const peer = Peer.ready({}, undefined, settings([4, 3])).send(request(1), request(3), request(5));
  const { connection } = peer;
  for (const id of [1, 3, 5]) connection.sendHead(peer.stream(id), 200, [], null, '', null);
  connection.sendData(peer.stream(1), 'abc', false);
  connection.sendData(peer.stream(3), 'wait', false);
  peer.send(frame(TYPE.SETTINGS, 0, 0, settings([4, 1])));
  connection.sendData(peer.stream(1), Buffer.alloc(0), true);
  connection.sendData(peer.stream(5), '', true);
  const said = new Reader().read(peer.frames());
  assert.deepEqual(said.slice(3), ['1 abc', '1 end ', '5 end ', '3 w']);
});

test('texts of any length and alphabet are sent as UTF-8', () => {
  const peer = Peer.ready({}, undefined, settings([5, 60_000]));
  const reader = new Reader();
  const texts = [
    'a'.repeat(64),
    'a'.repeat(65),
    'é'.repeat(65),
    '€'.repeat(5000),
    `${'a'.repeat(63)}\u{1f418}`,
  ];
  for (const [i, text] of texts.entries()) {
    const id = 1 + i * 2;
    peer.send(request(id));
    peer.connection.sendResponse(peer.stream(id), 200, [], text, '', null);
    const said = reader.read(peer.frames());
    const body = said.slice(1).map((frame) => String(frame).replace(/^\d+( end)? /, ''));
    assert.equal(said[0]?.[2], `content-length: ${Buffer.byteLength(text)}`);
    assert.ok(Buffer.from(body.join('')).equals(Buffer.from(text)));
  }
});

test('trailers, and an end, wait for the data before them', () => {
  const peer = Peer.ready({}, undefined, settings([4, 2])).send(request(1), request(3), request(5));
  const { connection } = peer;
  const reader = new Reader();
  for (const id of [1, 3, 5]) {
    connection.sendHead(peer.stream(id), 200, [], null, '', null);
    connection.sendData(peer.stream(id), `body${id}`, false);
  }
  connection.sendEnd(peer.stream(1), ['x-sum', '5']);
  connection.sendEnd(peer.stream(3), []);
  connection.sendData(peer.stream(5), Buffer.alloc(0), true);
  connection.sendData(peer.stream(3), 'after the end', false);
  reader.read(peer.frames());
  for (const id of [1, 3, 5]) peer.send(frame(TYPE.WINDOW_UPDATE, 0, id, uint32(3)));
  assert.deepEqual(reader.read(peer.frames()), ['1 dy1', ['1 end', 'x-sum: 5'], '3 end dy3', '5 end dy5']);
  assert.equal(connection.streamCount, 0);
});

test('a body is held to the content-length that was sent (RFC 9113 §8.1.1)', () => {
  const peer = Peer.ready().send(...[1, 3, 5, 7, 9].map((id) => request(id)));
  const { connection } = peer;
  for (const id of [1, 3, 5, 7, 9]) connection.sendHead(peer.stream(id), 200, [], 4, '', null);
  connection.sendData(peer.stream(1), 'four', true);
  connection.sendData(peer.stream(3), 'five!', true);
  connection.sendData(peer.stream(5), Buffer.from('two'), true);
  connection.sendEnd(peer.stream(7), ['a', 'b']);
  connection.sendData(peer.stream(9), 'four', false);
  connection.sendData(peer.stream(9), Buffer.from('+'), false);
  const resets = peer.frames().filter(({ type }) => type === TYPE.RST_STREAM);
  assert.deepEqual(
    resets.map(({ id, payload }) => [id, payload.readUInt32BE(0)]),
    [3, 5, 7, 9].map((id) => [id, CODE.INTERNAL_ERROR]),
  );
});

test('an announced length of 0 ends the response with its head', () => {
  const peer = Peer.ready().send(request(1));
  peer.connection.sendHead(peer.stream(1), 200, [], 0, '', null);
  assert.deepEqual(new Reader().read(peer.frames()), [['1 end', ':status: 200', 'content-length: 0']]);
  assert.equal(peer.stream(1).closed, true);
});

for (const [name, field] of Object.entries<readonly [string, string]>({
  'CR and LF': ['x', 'a\r\nset-cookie: b'],
  NUL: ['x', 'a\0'],
  'a character above U+00FF': ['x', 'a€'],
  'white space at its ends': ['x', ' a'],
  'a space in its name': ['a b', 'c'],
  'an empty name': ['', 'c'],
  'a pseudo-field': [':foo', 'c'],
})) {
  test(`a response with ${name} is not sent, and the connection goes on (RFC 9113 §8.2.1, §10.3)`, () => {
    const peer = Peer.ready().send(request(1));
    const reader = new Reader();
    const { connection } = peer;
    const stream = peer.stream(1);
    // Fields before it have been inserted into our table, and must not be there for the next response.
    const bad = ['x-first', 'inserted', ...field];
    assert.equal(connection.sendResponse(stream, 200, bad, 'body', DATE, null)?.name, field[0]);
    assert.equal(connection.sendHead(stream, 200, bad, null, DATE, null)?.name, field[0]);
    assert.equal(connection.sendInform(stream, 103, bad)?.name, field[0]);
    assert.deepEqual(peer.frames(), []);
    assert.equal(connection.sendHead(stream, 500, ['x-first', 'inserted'], null, DATE, null), null);
    assert.equal(connection.sendEnd(stream, bad)?.name, field[0]);
    connection.sendEnd(stream, ['x-first', 'inserted']);
    assert.deepEqual(reader.read(peer.frames()), [
      ['1', ':status: 500', 'x-first: inserted', `date: ${DATE}`],
      ['1 end', 'x-first: inserted'],
    ]);
  });
}
