// Chunked request bodies and their trailers (RFC 9112 §7.1).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertFault, chunkedRequest, receiveAll, receiveOne } from './deliveries.ts';

test('a chunked body is the data of its chunks', () => {
  assert.equal(
    receiveOne(chunkedRequest('3\r\nabc\r\n00a\r\n0123456789\r\n0\r\n\r\n')).body,
    'abc0123456789',
  );
  assert.equal(receiveOne(chunkedRequest('0\r\n\r\n')).body, '');
  assert.equal(receiveOne(chunkedRequest('000\r\n\r\n')).body, '');
});

test('the digits of a size are hexadecimal, in either case', () => {
  assert.equal(
    receiveOne(chunkedRequest(`1A\r\n${'x'.repeat(26)}\r\n1f\r\n${'y'.repeat(31)}\r\n0\r\n\r\n`)).body.length,
    57,
  );
});

test('the data of a chunk has any bytes', () => {
  const data = '\r\n0\r\n\r\n\0\xff';
  assert.equal(receiveOne(chunkedRequest(`9\r\n${data}\r\n0\r\n\r\n`)).body, data);
});

test('a request follows directly after the last chunk', () => {
  const one = chunkedRequest('1\r\nx\r\n0\r\n\r\n');
  assert.equal(receiveAll(one + one + one).requests.length, 3);
});

test('a chunk begins with its size in hexadecimal digits and nothing else', () => {
  const bad = [
    '',
    ' 3',
    '-3',
    '+3',
    '0x3',
    '3 ',
    '3\t',
    'g',
    '3g',
    '"3"',
    '.',
    '3.0',
    '3,3',
    ';a',
    '\0',
    '\xb3',
    '/',
    ':',
    '@',
    '`',
  ];
  for (const size of bad)
    assertFault(chunkedRequest(`${size}\r\nabc\r\n0\r\n\r\n`), 'chunk-size-malformed', 400);
});

test('a size of 2^53 or more is refused', () => {
  assert.equal(receiveAll(chunkedRequest('1fffffffffffff\r\n')).fault, null);
  for (const size of [
    '20000000000000',
    'ffffffffffffffff',
    '10000000000000003',
    `${'0'.repeat(40)}fffffffffffffff`,
  ]) {
    assertFault(chunkedRequest(`${size}\r\nabc\r\n`), 'chunk-size-too-large', 400);
  }
});

test('the line of a chunk ends in CRLF, neither in CR nor in LF alone', () => {
  assertFault(chunkedRequest('3\nabc\r\n'), 'bare-lf', 400);
  assertFault(chunkedRequest('3;a\nabc\r\n'), 'bare-lf', 400);
  assertFault(chunkedRequest('3\rabc\r\n'), 'bare-cr', 400);
  assertFault(chunkedRequest('3;a\rabc\r\n'), 'bare-cr', 400);
  assertFault(chunkedRequest('0\r\r\n\r\n'), 'bare-cr', 400);
});

test('CRLF follows the data of a chunk', () => {
  for (const end of ['\n', '\r', 'x\r\n', '\r\r\n', '0\r\n', '']) {
    assertFault(chunkedRequest(`3\r\nabc${end}3\r\nabc\r\n`), 'chunk-end-malformed', 400);
  }
});

test('chunk extensions are skipped (RFC 9112 §7.1.1)', () => {
  assert.equal(receiveOne(chunkedRequest('3;a;b=c;d="e; \xff"\t\r\nabc\r\n0;x\r\n\r\n')).body, 'abc');
  assert.equal(receiveOne(chunkedRequest('3;\r\nabc\r\n0; \r\n\r\n')).body, 'abc');
});

test('a chunk extension has no control character', () => {
  for (const bad of ['\0', '\x0b', '\x7f']) {
    assertFault(chunkedRequest(`3;a${bad}\r\nabc\r\n`), 'chunk-extension-malformed', 400);
  }
});

test('a chunk line of maxChunkLineBytes is read, a longer one is refused', () => {
  const limits = { maxChunkLineBytes: 8 };
  assert.equal(receiveOne(chunkedRequest('3;aaaaaa\r\nabc\r\n00000000\r\n\r\n'), limits).body, 'abc');
  assertFault(chunkedRequest('3;aaaaaaa\r\nabc\r\n'), 'chunk-line-too-long', 400, limits);
  assertFault(chunkedRequest('000000003\r\nabc\r\n'), 'chunk-line-too-long', 400, limits);
  assertFault(chunkedRequest('00000003;\r\nabc\r\n'), 'chunk-line-too-long', 400, limits);
  assertFault(chunkedRequest('0'.repeat(257)), 'chunk-line-too-long', 400);
});

test('extensions of maxChunkExtensionBytes in a body are skipped, more are refused (CVE-2023-39326)', () => {
  const limits = { maxChunkExtensionBytes: 4 };
  const body = '1;ab\r\nx\r\n1;cd\r\nx\r\n0\r\n\r\n';
  const one = chunkedRequest(body);
  assert.equal(receiveAll(one + one, limits).requests.length, 2);
  assertFault(chunkedRequest('1;ab\r\nx\r\n1;cde\r\nx\r\n'), 'chunk-extensions-too-large', 400, limits);
  assertFault(
    chunkedRequest('1;ab\r\nx\r\n1;cd\r\nx\r\n0;e\r\n\r\n'),
    'chunk-extensions-too-large',
    400,
    limits,
  );
  assertFault(chunkedRequest('1;aaaaaaaaa\r\nx\r\n'.repeat(500)), 'chunk-extensions-too-large', 400);
});

test('trailers come with the end of the request (RFC 9112 §7.1.2)', () => {
  const { body, trailers, head } = receiveOne(chunkedRequest('3\r\nabc\r\n0\r\nX-Sum:  1 \r\nx-b:\r\n\r\n'));
  assert.equal(body, 'abc');
  assert.deepEqual(trailers, ['x-sum', '1', 'x-b', '']);
  assert.equal(head.fields.includes('x-sum'), false);
});

test('Client-Cert and Client-Cert-Chain of a client are dropped, from trailers too (RFC 9440 §2.4)', () => {
  const lies = 'Client-Cert: :bGll:\r\nX: 1\r\nCLIENT-CERT-CHAIN: :bGll:\r\n';
  const { head, trailers } = receiveOne(
    `POST / HTTP/1.1\r\nHost: h\r\n${lies}Transfer-Encoding: chunked\r\n\r\n0\r\n${lies}\r\n`,
  );
  assert.deepEqual(head.fields, ['host', 'h', 'x', '1', 'transfer-encoding', 'chunked']);
  assert.deepEqual(trailers, ['x', '1']);
});

test('trailers that would change how the head was read are dropped (RFC 9110 §6.5.1)', () => {
  const forbidden = [
    'Transfer-Encoding: chunked',
    'Content-Length: 5',
    'Content-Length: 6',
    'Host: b',
    'Host: c',
  ];
  const others = [
    'AUTHORIZATION: x',
    'content-type: a/b',
    'Content-Whatever: x',
    'Trailer: a',
    'Cookie: a=b',
    'Connection: close',
  ];
  const lines = [...forbidden, ...others, 'A: kept', 'Expect: x'].map((line) => `${line}\r\n`).join('');
  const { trailers, head } = receiveOne(chunkedRequest(`0\r\n${lines}\r\n`));
  assert.deepEqual(trailers, ['a', 'kept']);
  assert.deepEqual([head.authority, head.keepAlive], ['a', true]);
});

test('trailers are as strict as headers', () => {
  assertFault(chunkedRequest('0\r\na : b\r\n\r\n'), 'name-space', 400);
  assertFault(chunkedRequest('0\r\n a: b\r\n\r\n'), 'folded-line', 400);
  assertFault(chunkedRequest('0\r\na: b\n\r\n'), 'bare-lf', 400);
  assertFault(chunkedRequest('0\r\n\rX'), 'bare-cr', 400);
  assertFault(chunkedRequest('0\r\na: \0\r\n\r\n'), 'value-malformed', 400);
  assertFault(chunkedRequest('0\r\nGET / HTTP/1.1\r\n\r\n'), 'name-space', 400);
});

test('trailers have the limits of headers', () => {
  // The head of the request has longer ones than these limits allow, so that only the default ones can be tested here.
  const fields = Array.from({ length: 100 }, (_, i) => `a${i}: b\r\n`).join('');
  assert.equal(receiveOne(chunkedRequest(`0\r\n${fields}\r\n`)).trailers?.length, 200);
  assertFault(chunkedRequest(`0\r\n${fields}a: b\r\n\r\n`), 'too-many-fields', 431);
  assertFault(chunkedRequest(`0\r\n${'a'.repeat(65)}: b\r\n\r\n`), 'name-too-long', 431);
  // A cookie is forbidden in trailers, and no reason to read more.
  assertFault(chunkedRequest(`0\r\nCookie: ${'a'.repeat(4097)}\r\n\r\n`), 'value-too-long', 431);
});

test('a trailer section of maxTrailerBytes is read, a larger one is refused with 431', () => {
  const section = 'a: b\r\n\r\n';
  const limits = { maxTrailerBytes: section.length };
  assert.deepEqual(receiveOne(chunkedRequest(`0\r\n${section}`), limits).trailers, ['a', 'b']);
  assertFault(chunkedRequest(`0\r\na${section}`), 'trailers-too-large', 431, limits);
  assertFault(
    chunkedRequest(`0\r\na: ${'b'.repeat(4090)}\r\nb: ${'b'.repeat(4090)}\r\nc: 0123456789`),
    'trailers-too-large',
    431,
  );
});

test('a fault in a body has no partial request: the head was delivered', () => {
  assert.equal(assertFault(chunkedRequest('x'), 'chunk-size-malformed', 400).fault?.partial, null);
  assert.equal(assertFault(chunkedRequest('0\r\n:'), 'name-malformed', 400).fault?.partial, null);
});
