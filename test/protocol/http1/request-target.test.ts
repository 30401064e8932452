// The four forms of a request target and Host (RFC 9112 §3.2, RFC 9110 §7.2).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertFault, receiveOne } from './deliveries.ts';

const request = (start: string, host = 'a'): string => `${start} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;

test('origin-form begins with a slash, also with two (RFC 9112 §3.2.1)', () => {
  const { head } = receiveOne(request('GET //a//b'));
  assert.deepEqual([head.form, head.path, head.scheme, head.authority], ['origin', '//a//b', null, 'a']);
});

test('the authority of an absolute-form target wins over Host, also in the fields (RFC 9112 §3.2.2)', () => {
  const { head } = receiveOne(request('GET http://b:81/p?q', 'a'));
  assert.deepEqual([head.form, head.scheme, head.authority], ['absolute', 'http', 'b:81']);
  assert.deepEqual([head.path, head.query, head.target], ['/p', 'q', 'http://b:81/p?q']);
  assert.deepEqual(head.fields, ['host', 'b:81']);
});

test('the scheme of an absolute-form target is http or https in any case', () => {
  assert.equal(receiveOne(request('GET HTTPS://b/')).head.scheme, 'https');
  assert.equal(receiveOne(request('GET hTTp://b/')).head.scheme, 'http');
  for (const target of ['ftp://b/', 'ws://b/', 'http:/b/', 'http:b', 'b/', '?x', 'x', 'httpss://b', '*x']) {
    assertFault(request(`GET ${target}`), 'target-form', 400);
  }
});

test('an empty path of an absolute-form target is a slash (RFC 9110 §4.2.3)', () => {
  const bare = receiveOne(request('GET http://b')).head;
  assert.deepEqual([bare.path, bare.query], ['/', null]);
  const query = receiveOne(request('GET http://b?x=1')).head;
  assert.deepEqual([query.path, query.query], ['/', 'x=1']);
});

test('Host is required and checked behind an absolute-form target too', () => {
  assertFault('GET http://b/ HTTP/1.1\r\n\r\n', 'host-missing', 400);
  assertFault(request('GET http://b/', 'a b'), 'host-malformed', 400);
});

test('userinfo and empty hosts are refused in a target (RFC 9110 §4.2.1, §4.2.4)', () => {
  for (const target of [
    'http://u@b/',
    'http://u:p@b/',
    'http://@b/',
    'http:///p',
    'http://:80/',
    'http://?q',
  ]) {
    assertFault(request(`GET ${target}`), 'target-authority', 400);
  }
});

test('asterisk-form is for OPTIONS only (RFC 9112 §3.2.4)', () => {
  const { head } = receiveOne(request('OPTIONS *'));
  assert.deepEqual([head.form, head.path, head.query, head.authority], ['asterisk', '*', null, 'a']);
  assertFault(request('GET *'), 'target-form', 400);
});

test('OPTIONS for an absolute-form without path and query is for the server as a whole (RFC 9112 §3.2.4)', () => {
  assert.equal(receiveOne(request('OPTIONS http://b')).head.path, '*');
  assert.equal(receiveOne(request('OPTIONS http://b/')).head.path, '/');
  assert.equal(receiveOne(request('OPTIONS http://b?x')).head.path, '/');
});

test('authority-form is for CONNECT, CONNECT has no other, and its port is required (RFC 9112 §3.2.3)', () => {
  const { head } = receiveOne(request('CONNECT b.example:443'));
  assert.deepEqual(
    [head.form, head.authority, head.path, head.query, head.hasBody],
    ['authority', 'b.example:443', '', null, false],
  );
  for (const target of ['b', 'b:', ':443', '/', '*', 'http://b:443/', 'u@b:443', 'b:443/']) {
    assertFault(request(`CONNECT ${target}`), 'target-authority', 400);
  }
  assertFault(request('GET b:443'), 'target-form', 400);
});

test('an authority of maxAuthorityBytes is read; a longer one is refused with 414 in a target and 431 in Host', () => {
  const limits = { maxAuthorityBytes: 10 };
  const longest = 'a'.repeat(10);
  assert.equal(receiveOne(request(`GET http://${longest}/`), limits).head.authority, longest);
  assert.equal(receiveOne(request('GET /', longest), limits).head.authority, longest);
  assertFault(request(`GET http://${longest}a/`), 'target-authority-too-long', 414, limits);
  assertFault(request(`CONNECT ${longest}:1`), 'target-authority-too-long', 414, limits);
  assertFault(request('GET /', `${longest}a`), 'host-too-long', 431, limits);
});

test('HTTP/1.1 requires Host, HTTP/1.0 does not (RFC 9112 §3.2)', () => {
  assertFault('GET / HTTP/1.1\r\n\r\n', 'host-missing', 400);
  assertFault('GET / HTTP/1.1\r\nHosts: a\r\nHos: a\r\n\r\n', 'host-missing', 400);
  assert.equal(receiveOne('GET / HTTP/1.0\r\n\r\n').head.authority, '');
});

test('a second Host is refused, equal or not, in both versions (RFC 9112 §3.2)', () => {
  for (const version of ['1.0', '1.1']) {
    for (const second of ['a', 'b', '']) {
      assertFault(`GET / HTTP/${version}\r\nHost: a\r\nhOST: ${second}\r\n\r\n`, 'host-repeated', 400);
    }
  }
});

test('an empty Host is an authority that is not known (RFC 9112 §3.2)', () => {
  assert.equal(receiveOne(request('GET /', '')).head.authority, '');
});

test('Host is a host with an optional port (RFC 9110 §7.2)', () => {
  const good = [
    'a.example',
    'A_b-c.d~',
    '127.0.0.1:8080',
    '[::1]',
    '[::ffff:1.2.3.4]:80',
    'a:',
    'a:65535',
    '%C3%A4.example',
  ];
  for (const host of good) assert.equal(receiveOne(request('GET /', host)).head.authority, host);
  const bad = [
    'a b',
    'a/b',
    'u@a',
    'a:b',
    'a:-1',
    'a:65536',
    'a:80:80',
    ':80',
    '[::1',
    '[a]',
    '[]',
    '[:1]',
    '[::g]',
    '::1',
  ];
  for (const host of [
    ...bad,
    '%zz',
    '%4',
    'a%',
    '[::1]x',
    '[v1.a:b:c]',
    '[fe80::1%25eth0]',
    'a\xe4',
    'a?',
    'a#',
    'a\\b',
    'a"',
  ]) {
    assertFault(request('GET /', host), 'host-malformed', 400);
  }
});
