// The path that handlers see (omni_httpd.md §6).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { requestPath } from '../../src/catalog/request-path.ts';

test('a path is percent-decoded and its dot segments are removed', () => {
  for (const [sent, seen] of [
    ['/', '/'],
    ['/a/b', '/a/b'],
    ['/a//b/', '/a//b/'],
    ['/a%20b', '/a b'],
    ['/%C3%BC', '/ü'],
    ['/\xc3\xbc', '/ü'],
    ['/%41%zz', '/'],
    ['/%', '/'],
    ['/%4', '/'],
    ['/a/./b', '/a/b'],
    ['/a/../b', '/b'],
    ['/a/b/..', '/a/'],
    ['/a/.', '/a/'],
    ['/../..', '/'],
    ['/..a/.b', '/..a/.b'],
    ['/a/%2e%2E/b', '/b'],
    ['/a%2F..%2Fb', '/b'],
    ['/%5c..', '/\\..'],
    ['*', '/'],
    ['', '/'],
    ['a/b', '/'],
    ['/%EF%BB%BFa', '/\ufeffa'],
  ] as const) {
    assert.equal(requestPath(sent), seen, sent);
  }
});

test('what PostgreSQL cannot hold as text is refused', () => {
  for (const sent of ['/%00', '/a\0', '/%ff', '/\xff', '/%C3', '/%ED%A0%80', '/%C0%AF']) {
    assert.equal(requestPath(sent), null, JSON.stringify(sent));
  }
});

test('whatever is sent, a path begins with / and has no dot segment', () => {
  const piece = fc.constantFrom('/', '.', '..', '%2e', '%2F', 'a', '%', '%25', '%5c', '\xfc', '%C3%BC');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const path = requestPath(pieces.join(''));
      if (path === null) return;
      assert.ok(path.startsWith('/'));
      assert.ok(path.split('/').every((segment) => segment !== '.' && segment !== '..'));
    }),
    { numRuns: 2000 },
  );
});
