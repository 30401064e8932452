// Content types by file name.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contentTypeOf } from '../../src/web/content-type.ts';

test('the content type of a file follows from what is after its last dot, in any case', () => {
  const cases: readonly [name: string, type: string][] = [
    ['a.html', 'text/html; charset=utf-8'],
    ['A.HTML', 'text/html; charset=utf-8'],
    ['/dir.d/a.min.js', 'text/javascript; charset=utf-8'],
    ['a.css', 'text/css; charset=utf-8'],
    ['a.json', 'application/json; charset=utf-8'],
    ['a.webmanifest', 'application/manifest+json; charset=utf-8'],
    ['a.svg', 'image/svg+xml'],
    ['a.xml', 'text/xml'],
    ['a.png', 'image/png'],
    ['favicon.ico', 'image/x-icon'],
    ['a.wasm', 'application/wasm'],
    ['a.zst', 'application/zstd'],
    ['README', 'application/octet-stream'],
    ['a.', 'application/octet-stream'],
    ['a.nonsense', 'application/octet-stream'],
    ['a.__proto__', 'application/octet-stream'],
    ['a.constructor', 'application/octet-stream'],
    ['', 'application/octet-stream'],
  ];
  for (const [name, type] of cases) assert.equal(contentTypeOf(name), type, name);
});

test('text can be in another charset, JSON cannot', () => {
  assert.equal(contentTypeOf('a.txt', 'iso-8859-1'), 'text/plain; charset=iso-8859-1');
  assert.equal(contentTypeOf('a.json', 'iso-8859-1'), 'application/json; charset=utf-8');
});
