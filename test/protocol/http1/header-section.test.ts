// Header sections (RFC 9112 §5, RFC 9110 §5) and what a head tells of its fields.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertFault, receiveOne, requestWith } from './deliveries.ts';

const fieldsOf = (...lines: string[]): readonly string[] =>
  receiveOne(requestWith(...lines)).head.fields.slice(2);

test('names are lower-cased and values lose the white space around them (RFC 9112 §5)', () => {
  assert.deepEqual(
    fieldsOf('X-A: b', 'USER-AGENT:c', 'x: \t d \t ', 'Accept: e  f'),
    'x-a:b|user-agent:c|x:d|accept:e  f'.split(/[:|]/),
  );
});

test('values may be empty, and hold tabs, colons and bytes above 7F, which are latin1 (RFC 9110 §5.5)', () => {
  assert.deepEqual(
    fieldsOf('a:', 'b: ', 'c: \t', 'd: x:y: z', 'e: a\tb', 'f: \xa0\x80\xff'),
    'a||b||c||d|x:y: z|e|a\tb|f|\xa0\x80\xff'.split('|'),
  );
});

test('repeated fields keep their order and are not joined', () => {
  assert.deepEqual(fieldsOf('b: 1', 'a: 2', 'B: 3'), ['b', '1', 'a', '2', 'b', '3']);
});

test('the fields are computed once', () => {
  const { head } = receiveOne(requestWith('a: b'));
  assert.equal(head.fields, head.fields);
});

test('there may be no field at all in HTTP/1.0', () => {
  assert.deepEqual(receiveOne('GET / HTTP/1.0\r\n\r\n').head.fields, []);
});

test('white space before the colon is refused (RFC 9112 §5.1)', () => {
  assertFault(requestWith('a : b'), 'name-space', 400);
  assertFault(requestWith('a\t: b'), 'name-space', 400);
  assertFault(requestWith('Content-Length : 3'), 'name-space', 400);
});

test('a line that begins with white space is refused, first or folded (RFC 9112 §2.2, §5.2)', () => {
  assertFault(requestWith('a: b', ' c'), 'folded-line', 400);
  assertFault(requestWith('a: b', '\tc: d'), 'folded-line', 400);
  assertFault('GET / HTTP/1.1\r\n Host: a\r\n\r\n', 'folded-line', 400);
  assertFault(requestWith(' '), 'folded-line', 400);
});

test('a name is a token followed by a colon (RFC 9110 §5.1)', () => {
  for (const line of [': b', 'a', 'a\0: b', 'a(: b', 'a\xe4: b', 'a\x7f: b', '"a": b', 'a,b: c', '\0', '=']) {
    assertFault(requestWith(line), 'name-malformed', 400);
  }
  assertFault('GET / HTTP/1.1\r\nHost: a\r\nab\n\r\n', 'name-malformed', 400);
});

test('a value has no control character but HTAB (RFC 9110 §5.5)', () => {
  for (const bad of ['\0', '\x01', '\x08', '\x0b', '\x0c', '\x1b', '\x7f']) {
    assertFault(requestWith(`a: x${bad}y`), 'value-malformed', 400);
    assertFault(requestWith(`a: ${bad}`), 'value-malformed', 400);
    assertFault(requestWith(`a:${bad}`), 'value-malformed', 400);
  }
});

test('lines end in CRLF, neither in CR nor in LF alone (RFC 9112 §2.2)', () => {
  for (const value of ['x\ny: z', '\n', 'x\n y']) assertFault(requestWith(`a: ${value}`), 'bare-lf', 400);
  for (const value of ['x\ry: z', '\r', 'x\r y', 'x\r\r'])
    assertFault(requestWith(`a: ${value}`), 'bare-cr', 400);
  assertFault('GET / HTTP/1.1\r\nHost: a\r\n\nGET', 'bare-lf', 400);
  assertFault('GET / HTTP/1.1\r\nHost: a\r\n\rGET', 'bare-cr', 400);
});

test('a fault in a field tells of the request line', () => {
  const { fault } = assertFault('PUT /a/b?c HTTP/1.1\r\n\0', 'name-malformed', 400);
  assert.deepEqual(fault?.partial, { method: 'PUT', path: '/a/b' });
});

test('a name of maxHeaderNameBytes is read, a longer one is refused with 431 (RFC 6585 §5)', () => {
  assert.equal(fieldsOf(`${'a'.repeat(64)}: b`)[0], 'a'.repeat(64));
  assertFault(requestWith(`${'a'.repeat(65)}: b`), 'name-too-long', 431);
  assertFault(requestWith('a'.repeat(65)), 'name-too-long', 431);
});

test('a value of maxHeaderValueBytes is read, a longer one is refused with 431 (RFC 6585 §5)', () => {
  const limits = { maxHeaderValueBytes: 8, maxAuthorizationValueBytes: 10, maxCookieValueBytes: 12 };
  const limitOf = {
    'x-value': 8,
    'x-cookie': 8,
    authorization: 10,
    AUTHORIZATION: 10,
    cookie: 12,
    Cookie: 12,
  };
  for (const [name, limit] of Object.entries(limitOf)) {
    const value = 'v'.repeat(limit);
    assert.equal(receiveOne(requestWith(`${name}:  ${value}`), limits).head.fields[3], value);
    assertFault(requestWith(`${name}: ${value}v`), 'value-too-long', 431, limits);
    assertFault(requestWith(`${name}: ${value} `), 'value-too-long', 431, limits);
    assertFault(`${requestWith().slice(0, -2)}${name}: ${value}v`, 'value-too-long', 431, limits);
  }
  // The kind of a name is told by all of its bytes.
  assertFault(requestWith(`authorisation: ${'v'.repeat(10)}`), 'value-too-long', 431, limits);
  assertFault(requestWith(`cookif: ${'v'.repeat(12)}`), 'value-too-long', 431, limits);
});

test('a limit on values also below the general one is kept', () => {
  assertFault(requestWith('cookie: abc'), 'value-too-long', 431, { maxCookieValueBytes: 2 });
});

test('the default limits of values are those of the manual', () => {
  const value = 'v'.repeat(4096);
  assert.equal(receiveOne(requestWith(`a: ${value}`)).head.fields[3], value);
  assertFault(requestWith(`a: ${value}v`), 'value-too-long', 431);
  assert.equal(receiveOne(requestWith(`cookie: ${value}${value}`)).head.fields[3], value + value);
  assertFault(requestWith(`cookie: ${value}${value}v`), 'value-too-long', 431);
  assert.equal(receiveOne(requestWith(`authorization: ${value}${value}`)).head.fields[3], value + value);
  assertFault(requestWith(`authorization: ${value}${value}v`), 'value-too-long', 431);
});

test('maxHeaders lines are read, one more is refused with 431 (RFC 6585 §5)', () => {
  const lines = Array.from({ length: 99 }, (_, i) => `a${i}: b`);
  assert.equal(receiveOne(requestWith(...lines)).head.fields.length, 200);
  assertFault(requestWith(...lines, 'a:'), 'too-many-fields', 431);
});

test('a head of maxHeadBytes is read, a larger one is refused with 431 (RFC 6585 §5)', () => {
  const request = requestWith('a: b');
  assert.equal(receiveOne(request, { maxHeadBytes: request.length }).head.fields[3], 'b');
  for (let less = 1; less < request.length; less++) {
    assertFault(request, 'head-too-large', 431, { maxHeadBytes: request.length - less });
  }
});

test('a head that is too large is refused before it is complete', () => {
  const line = `a: ${'b'.repeat(1021)}\r\n`;
  assertFault(`${requestWith().slice(0, -2)}${line.repeat(64)}`, 'head-too-large', 431);
});

test('HTTP/1.1 connections persist unless Connection has close (RFC 9112 §9.3)', () => {
  const keepAlive = (...lines: string[]): boolean => receiveOne(requestWith(...lines)).head.keepAlive;
  assert.equal(keepAlive(), true);
  assert.equal(keepAlive('Connection: keep-alive'), true);
  assert.equal(keepAlive('Connection: closed'), true);
  assert.equal(keepAlive('Connection: close'), false);
  assert.equal(keepAlive('CONNECTION: CLOSE'), false);
  assert.equal(keepAlive('Connection: te ,\tClose , x'), false);
  assert.equal(keepAlive('Connection: keep-alive', 'Connection: close'), false);
  assert.equal(keepAlive('Connection: close', 'Connection: keep-alive'), false);
  assert.equal(keepAlive('Connection: close, keep-alive'), false);
});

test('HTTP/1.0 connections persist only where Connection has keep-alive (RFC 9112 §9.3)', () => {
  const keepAlive = (line: string): boolean => receiveOne(`GET / HTTP/1.0\r\n${line}\r\n\r\n`).head.keepAlive;
  assert.equal(keepAlive('X: y'), false);
  assert.equal(keepAlive('Connection: Keep-Alive'), true);
  assert.equal(keepAlive('Connection: x, keep-alive'), true);
  assert.equal(keepAlive('Connection: keep-alive, close'), false);
  assert.equal(keepAlive('Connection: keep-aliv3'), false);
});

test('the options of all Connection fields are there in lower case (RFC 9110 §7.6.1)', () => {
  const { head } = receiveOne(requestWith('Connection: TE, X-Hop,, ', 'connection: Close'));
  assert.deepEqual(head.connectionOptions, ['te', 'x-hop', 'close']);
  assert.deepEqual(receiveOne(requestWith()).head.connectionOptions, []);
});

test('Upgrade counts where Connection names it (RFC 9110 §7.8)', () => {
  const upgrade = (...lines: string[]): string | null => receiveOne(requestWith(...lines)).head.upgrade;
  assert.equal(upgrade('Connection: Upgrade', 'Upgrade: WebSocket'), 'WebSocket');
  assert.equal(upgrade('Upgrade: a', 'Connection: keep-alive, upgrade', 'Upgrade: b/1'), 'a, b/1');
  assert.equal(upgrade('Upgrade: a'), null);
  assert.equal(upgrade('Connection: upgrade'), null);
  assert.equal(upgrade('Connection: upgraded', 'Upgrade: a'), null);
});

test('Upgrade is ignored in HTTP/1.0 (RFC 9110 §7.8)', () => {
  const { head } = receiveOne('GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: a\r\n\r\n');
  assert.equal(head.upgrade, null);
});

test('100-continue is an expectation where a body is to come (RFC 9110 §10.1.1)', () => {
  const expects = (request: string): boolean => receiveOne(request).head.expectContinue;
  assert.equal(expects(`${requestWith('Expect: 100-Continue', 'Content-Length: 1')}x`), true);
  assert.equal(
    expects(`${requestWith('Expect: 100-continue', 'Transfer-Encoding: chunked')}0\r\n\r\n`),
    true,
  );
  assert.equal(expects(requestWith('Expect: 100-continue', 'Content-Length: 0')), false);
  assert.equal(expects(requestWith('Expect: 100-continue')), false);
  assert.equal(expects(`${requestWith('Content-Length: 1')}x`), false);
});

test('other expectations are answered with 417 (RFC 9110 §10.1.1)', () => {
  for (const value of ['', '100-continues', '100-continue, x', '200-maybe-ok', '100 continue']) {
    assertFault(requestWith(`Expect: ${value}`), 'expectation-unsupported', 417);
  }
  assertFault(requestWith('Expect: x', 'Expect: 100-continue'), 'expectation-unsupported', 417);
});

test('expectations of HTTP/1.0 clients are ignored (RFC 9110 §10.1.1)', () => {
  for (const value of ['100-continue', 'x']) {
    const { head } = receiveOne(`GET / HTTP/1.0\r\nContent-Length: 1\r\nExpect: ${value}\r\n\r\nx`);
    assert.equal(head.expectContinue, false);
  }
});
