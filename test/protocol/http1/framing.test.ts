// Where a request ends (RFC 9112 §6): content-length, transfer codings, and all that two parties could read differently.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Http1FaultCode } from '../../../src/protocol/http1/fault.ts';
import { assertFault, receiveAll, receiveOne, requestWith } from './deliveries.ts';

test('without either field there is no body, whatever the method (RFC 9112 §6.3)', () => {
  for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
    const { requests } = receiveAll(
      `${method} / HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n`,
    );
    assert.equal(requests.length, 2);
    assert.equal(requests[0]?.head.hasBody, false);
    assert.equal(requests[0]?.head.contentLength, 0);
    assert.equal(requests[0]?.body, '');
  }
});

test('a body has as many bytes as Content-Length says, for any method (RFC 9112 §6.3)', () => {
  for (const method of ['GET', 'POST', 'HEAD', 'OPTIONS']) {
    const { requests, phase } = receiveAll(
      `${method} / HTTP/1.1\r\nHost: a\r\nContent-length: 05\r\n\r\nhelloGET`,
    );
    const [request] = requests;
    assert.equal(request?.body, 'hello');
    assert.deepEqual(request.trailers, []);
    assert.deepEqual(
      [request.head.hasBody, request.head.contentLength, request.head.chunked],
      [true, 5, false],
    );
    assert.equal(phase, 'head');
  }
});

test('a body of length 0 is no body', () => {
  const { head, body } = receiveOne(requestWith('Content-Length: 0'));
  assert.deepEqual([head.hasBody, head.contentLength, body], [false, 0, '']);
});

test('a body has any bytes', () => {
  const bytes = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).join('');
  assert.equal(receiveOne(`${requestWith('Content-Length: 256')}${bytes}`).body, bytes);
});

test('a body that is not complete leaves the receiver in it', () => {
  const { requests, phase } = receiveAll(`${requestWith('Content-Length: 6')}hello`);
  assert.equal(phase, 'body');
  assert.equal(requests[0]?.trailers, null);
});

test('Content-Length is one decimal number below 2^53 (RFC 9110 §8.6)', () => {
  const bad = [
    '',
    '-1',
    '+1',
    '1.0',
    '1e3',
    '0x1',
    '1 ',
    '1,1',
    '1, 1',
    ' ',
    '1 1',
    'one',
    '\xb2',
    '1;',
    '"1"',
    '١',
  ];
  for (const value of bad.filter((text) => text.trim() !== '1')) {
    assertFault(
      `${requestWith(`Content-Length: ${Buffer.from(value).toString('latin1')}`)}x`,
      'length-malformed',
      400,
    );
  }
  const largest = receiveAll(requestWith(`Content-Length: ${Number.MAX_SAFE_INTEGER}`)).requests[0];
  assert.equal(largest?.head.contentLength, Number.MAX_SAFE_INTEGER);
  for (const value of ['9007199254740992', '18446744073709551616', '1'.repeat(400)]) {
    assertFault(requestWith(`Content-Length: ${value}`), 'length-malformed', 400);
  }
});

test('a second Content-Length is refused, also an equal one (RFC 9112 §6.3)', () => {
  for (const second of ['3', '4', '', 'x']) {
    assertFault(requestWith('Content-Length: 3', `content-LENGTH: ${second}`), 'length-repeated', 400);
  }
});

/** Each line of this table once let a request through one party and another one through the next. */
const SMUGGLING: readonly (readonly [Http1FaultCode, number, ...string[]])[] = [
  ['length-and-coding', 400, 'Content-Length: 3', 'Transfer-Encoding: chunked'],
  ['length-and-coding', 400, 'Transfer-Encoding: chunked', 'Content-Length: 0'],
  ['length-and-coding', 400, 'Transfer-Encoding: gzip', 'Content-Length: 3'],
  ['coding-malformed', 400, 'Transfer-Encoding:'],
  ['coding-malformed', 400, 'Transfer-Encoding: ,'],
  ['coding-malformed', 400, 'Transfer-Encoding: , chunked'],
  ['coding-malformed', 400, 'Transfer-Encoding: chunked,'],
  ['coding-malformed', 400, 'Transfer-Encoding: "chunked"'],
  ['coding-malformed', 400, 'Transfer-Encoding: chunked;a=b'],
  ['coding-malformed', 400, 'Transfer-Encoding: chunked ;'],
  ['coding-malformed', 400, 'Transfer-Encoding: chunked foo'],
  ['coding-malformed', 400, 'Transfer-Encoding: chun\xa0ked'],
  ['coding-malformed', 400, 'Transfer-Encoding: \xa0chunked'],
  ['coding-malformed', 400, 'Transfer-Encoding: chunked\x85'],
  ['value-malformed', 400, 'Transfer-Encoding: \x0bchunked'],
  ['value-malformed', 400, 'Transfer-Encoding: chunked\0'],
  ['coding-after-chunked', 400, 'Transfer-Encoding: chunked, chunked'],
  ['coding-after-chunked', 400, 'Transfer-Encoding: chunked, gzip'],
  ['coding-after-chunked', 400, 'Transfer-Encoding: chunked, identity'],
  ['coding-after-chunked', 400, 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'],
  ['coding-after-chunked', 400, 'Transfer-Encoding: chunked', 'Transfer-Encoding: identity'],
  ['coding-unsupported', 501, 'Transfer-Encoding: gzip'],
  ['coding-unsupported', 501, 'Transfer-Encoding: identity'],
  ['coding-unsupported', 501, 'Transfer-Encoding: xchunked'],
  ['coding-unsupported', 501, 'Transfer-Encoding: chunke'],
  ['coding-unsupported', 501, 'Transfer-Encoding: gzip, chunked'],
  ['coding-unsupported', 501, 'Transfer-Encoding: gzip;q=1 , chunked'],
  ['coding-unsupported', 501, 'Transfer-Encoding: gzip', 'Transfer-Encoding: chunked'],
  ['name-space', 400, 'Transfer-Encoding : chunked'],
  ['coding-malformed', 400, 'Transfer-Encoding:', ' chunked'],
  ['folded-line', 400, 'X: y', ' Transfer-Encoding: chunked'],
  ['bare-cr', 400, 'X: y\rTransfer-Encoding: chunked'],
  ['bare-lf', 400, 'X: y\nTransfer-Encoding: chunked'],
];

for (const [code, status, ...lines] of SMUGGLING) {
  test(`${JSON.stringify(lines.join(' | '))} is refused with ${status}, ${code} (RFC 9112 §6.1, §6.3, §11.2)`, () => {
    assertFault(`${requestWith(...lines)}3\r\nabc\r\n0\r\n\r\n`, code, status);
  });
}

test('names that only look like those of framing are other fields', () => {
  const lines = [
    'Content_Length: 3',
    'Transfer_Encoding: chunked',
    'Content-Lengthx: 3',
    'X-Content-Length: 3',
  ];
  const { head } = receiveOne(
    requestWith(...lines, 'content-longth: 5', 'transfer-incoding: x', 'connectiox: close'),
  );
  assert.deepEqual([head.hasBody, head.keepAlive], [false, true]);
});

test('chunked is read in any case and with white space around (RFC 9112 §7)', () => {
  for (const value of ['chunked', 'CHUNKED', 'Chunked', ' \tchunked\t ']) {
    const { head, body } = receiveOne(`${requestWith(`TRANSFER-encoding:${value}`)}3\r\nabc\r\n0\r\n\r\n`);
    assert.deepEqual([head.chunked, head.hasBody, head.contentLength, body], [true, true, null, 'abc']);
  }
});

test('HTTP/1.0 has no Transfer-Encoding (RFC 9112 §6.1)', () => {
  for (const lines of ['', 'Content-Length: 3\r\n']) {
    const head = `POST / HTTP/1.0\r\n${lines}Transfer-Encoding: chunked\r\n\r\n`;
    assertFault(`${head}0\r\n\r\n`, 'coding-version', 400);
  }
});
