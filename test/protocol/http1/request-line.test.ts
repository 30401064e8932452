// Request lines (RFC 9112 §2.2, §2.3, §3).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertFault, receiveAll, receiveOne } from './deliveries.ts';

const line = (text: string): string => `${text}\r\nHost: a\r\n\r\n`;

test('a request line has a method, a target and a version (RFC 9112 §3)', () => {
  const { head } = receiveOne(line('GET /a/b?c=d?e HTTP/1.1'));
  assert.equal(head.method, 'GET');
  assert.equal(head.target, '/a/b?c=d?e');
  assert.equal(head.path, '/a/b');
  assert.equal(head.query, 'c=d?e');
  assert.equal(head.version, '1.1');
  assert.equal(head.authority, 'a');
});

test('a query may be empty, which is not the same as none', () => {
  assert.equal(receiveOne(line('GET /? HTTP/1.1')).head.query, '');
  assert.equal(receiveOne(line('GET / HTTP/1.1')).head.query, null);
});

test('a method is any token, its case kept (RFC 9110 §9.1)', () => {
  for (const method of ['GET', 'POST', 'HEAD', 'get', 'GETS', 'PROPFIND', "!#$%&'*+-.^_`|~9"]) {
    assert.equal(receiveOne(line(`${method} / HTTP/1.1`)).head.method, method);
  }
});

test('a method that is no token is refused', () => {
  for (const start of [
    ' GET /',
    '\tGET /',
    'G@T /',
    'G\0T /',
    'G\xe9T /',
    'GET\t/',
    '(x) /',
    'GET\r\n',
    'GET\n',
    ':',
  ]) {
    assertFault(line(`${start} HTTP/1.1`), 'method-malformed', 400);
  }
});

test('a method of maxMethodBytes is read and a longer one is not implemented (RFC 9112 §3)', () => {
  const limits = { maxMethodBytes: 8 };
  assert.equal(receiveOne(line('PROPFIND / HTTP/1.1'), limits).head.method, 'PROPFIND');
  assertFault(line('PROPPATCH / HTTP/1.1'), 'method-too-long', 501, limits);
  assertFault('A'.repeat(33), 'method-too-long', 501);
});

test('a target has no white space, control, quote, fragment or byte that is not ASCII (RFC 9112 §3.2)', () => {
  for (const bad of ['\0', '\x01', '\t', '\x7f', '"', '<', '>', '#', '\x80', '\xff']) {
    assertFault(line(`GET /a${bad}b HTTP/1.1`), 'target-malformed', 400);
  }
  assertFault(line('GET  / HTTP/1.1'), 'target-malformed', 400);
});

test('a space in the target ends it, and what follows is no version', () => {
  assertFault(line('GET /a b HTTP/1.1'), 'version-malformed', 400);
});

test('characters that browsers send unencoded pass (WHATWG URL)', () => {
  const path = "/a-._~!$&'()*+,;=:@%41";
  const query = '[]{}|\\^`/';
  const { head } = receiveOne(line(`GET ${path}?${query} HTTP/1.1`));
  assert.equal(head.path, path);
  assert.equal(head.query, query);
});

test('a request line of maxRequestLineBytes is read and a longer one is refused with 414 (RFC 9112 §3)', () => {
  const limits = { maxRequestLineBytes: 30 };
  const target = `/${'a'.repeat(30 - 'GET / HTTP/1.1'.length)}`;
  assert.equal(receiveOne(line(`GET ${target} HTTP/1.1`), limits).head.target, target);
  const { fault } = assertFault(line(`GET ${target}b HTTP/1.1`), 'request-line-too-long', 414, limits);
  assert.deepEqual(fault?.partial, { method: 'GET', path: `${target}b` });
  assertFault(`GET /${'a'.repeat(30)}`, 'request-line-too-long', 414, limits);
  assertFault(`GET /${'a'.repeat(8000)}`, 'request-line-too-long', 414);
});

test('HTTP/1.0 is read as it is, and later minor versions as HTTP/1.1 (RFC 9110 §2.5)', () => {
  const old = receiveOne('GET / HTTP/1.0\r\n\r\n').head;
  assert.deepEqual([old.version, old.minorVersion, old.authority], ['1.0', 0, '']);
  const later = receiveOne(line('GET / HTTP/1.9')).head;
  assert.deepEqual([later.version, later.minorVersion], ['1.1', 1]);
});

test('other major versions are answered with 505 (RFC 9110 §15.6.6)', () => {
  for (const version of ['HTTP/0.9', 'HTTP/2.0', 'HTTP/3.1', 'HTTP/9.9']) {
    const { fault } = assertFault(line(`PUT /x?y ${version}`), 'version-unsupported', 505);
    assert.deepEqual(fault?.partial, { method: 'PUT', path: '/x' });
  }
});

test('what is no version is refused (RFC 9112 §2.3)', () => {
  const bad = [
    'http/1.1',
    'HTTP/1',
    'HTTP/1.',
    'HTTP/11',
    'HTTP/1.10',
    'HTTP/1.1 ',
    'HTTP /1.1',
    ' HTTP/1.1',
    'HTTP/1,1',
  ];
  for (const version of [...bad, 'HTTP/a.1', 'HTTP/1.a', 'HTTPS/1.1', 'ICE/1.0', '']) {
    assertFault(line(`GET / ${version}`), 'version-malformed', 400);
  }
  assertFault('GET /\r\n', 'version-malformed', 400);
  assertFault('GET /\n', 'version-malformed', 400);
});

test('a line ends in CRLF, neither in CR nor in LF alone (RFC 9112 §2.2)', () => {
  assertFault('GET / HTTP/1.1\nHost: a\r\n\r\n', 'bare-lf', 400);
  assertFault('GET / HTTP/1.1\rHost: a\r\n\r\n', 'bare-cr', 400);
  assertFault('GET / HTTP/1.1\r\rHost: a\r\n\r\n', 'bare-cr', 400);
});

test('maxEmptyLines before a request are skipped, one more is refused (RFC 9112 §2.2)', () => {
  assert.equal(receiveOne(`${'\r\n'.repeat(5)}${line('GET / HTTP/1.1')}`).head.method, 'GET');
  assertFault('\r\n'.repeat(6), 'empty-lines', 400);
  assertFault('\r\n', 'empty-lines', 400, { maxEmptyLines: 0 });
});

test('empty lines are counted anew before each request', () => {
  const one = `${'\r\n'.repeat(5)}${line('GET / HTTP/1.1')}`;
  assert.equal(receiveAll(one + one + one).requests.length, 3);
});

test('an empty line too ends in CRLF', () => {
  assertFault('\n', 'bare-lf', 400);
  assertFault('\r\r', 'bare-cr', 400);
  assertFault('\rGET', 'bare-cr', 400);
  assertFault('\r\n\nGET', 'bare-lf', 400);
});

test('empty lines are nothing of a request yet', () => {
  assert.equal(receiveAll('\r\n\r\n').phase, 'idle');
  assert.equal(receiveAll('\r\n\r').phase, 'idle');
  assert.equal(receiveAll('\r\nG').phase, 'head');
});

test('a fault before the target is known has no partial request', () => {
  assert.equal(assertFault('GET /a\0', 'target-malformed', 400).fault?.partial, null);
  assert.equal(assertFault('\0', 'method-malformed', 400).fault?.partial, null);
  const after = `${line('GET /first HTTP/1.1')}\0`;
  assert.equal(receiveAll(after).fault?.partial, null);
});
