// staticFiles(): what it serves, and how. What it does not serve is in static-refusals.test.ts.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { staticFiles, type StaticOptions } from '../../src/web/files/static-files.ts';
import type { Context } from '../../src/web/handler.ts';
import { startHttp } from '../support/http-fixture.ts';
import {
  age,
  filesOnDisk,
  get,
  large,
  LARGE,
  MODIFIED,
  MODIFIED_TEXT,
  root,
  serve,
  untilClosed,
  write,
  type Got,
} from '../support/static-fixture.ts';

filesOnDisk();

describe('a file', () => {
  test('is sent with its type, length and validators, from memory as from the disk', async () => {
    await using http = await serve();
    const first = await get(http, 'a.txt');
    assert.deepEqual([first.status, first.body], [200, 'hello, world']);
    assert.equal(first.headers['content-type'], 'text/plain; charset=utf-8');
    assert.equal(first.headers['content-length'], '12');
    assert.equal(first.headers['last-modified'], MODIFIED_TEXT);
    assert.equal(first.headers['accept-ranges'], 'bytes');
    assert.match(String(first.headers['etag']), /^"[\da-z]+-[\da-z]+"$/);
    const { headers, ...again } = await get(http, 'a.txt');
    assert.deepEqual(again, { status: 200, body: 'hello, world' });
    assert.equal(headers['etag'], first.headers['etag']);
  });

  test('of no bytes, and of megabytes, is sent whole', async () => {
    await using http = await serve();
    const empty = await get(http, 'empty.css');
    assert.deepEqual([empty.status, empty.headers['content-length'], empty.body], [200, '0', '']);
    for (let i = 0; i < 2; i++) {
      const { headers, body } = await get(http, 'large.bin');
      assert.equal(headers['content-length'], String(LARGE));
      assert.ok(Buffer.from(body, 'latin1').equals(large));
    }
  });

  test('to HEAD has the fields of GET and no content', async () => {
    await using http = await serve();
    for (const path of ['a.txt', 'large.bin', 'empty.css']) {
      const { date: _, ...fields } = (await get(http, path)).headers;
      const { status, headers, body } = await get(http, path, '', 'HEAD');
      const { date: __, ...same } = headers;
      assert.deepEqual([status, body], [200, '']);
      assert.deepEqual(same, fields);
    }
  });

  test('whose name is strange in a URL is found', async () => {
    await using http = await serve();
    assert.equal((await get(http, 'sub/%C3%A4%20b%25.txt')).body, 'strange');
  });

  test('has the types, charset, cache-control and fields that were chosen', async () => {
    await using http = await serve({
      types: { '.txt': 'text/x-notes' },
      cacheControl: (path) => (path.startsWith('sub/') ? 'no-store' : undefined),
      headers: { 'X-Frame-Options': 'DENY' },
    });
    const { headers } = await get(http, 'a.txt');
    assert.deepEqual(
      [headers['content-type'], headers['x-frame-options'], headers['cache-control']],
      ['text/x-notes', 'DENY', undefined],
    );
    assert.equal((await get(http, 'sub/index.html')).headers['cache-control'], 'no-store');
    await using latin = await serve({ charset: 'iso-8859-1', cacheControl: 'max-age=1' });
    const other = await get(latin, 'a.txt');
    assert.equal(other.headers['content-type'], 'text/plain; charset=iso-8859-1');
    assert.equal(other.headers['cache-control'], 'max-age=1');
  });

  test('of its own, or of a package, is served whatever the path is', async () => {
    await using one = await serve({ file: join(root, 'a.txt') });
    assert.equal((await get(one, 'anything/at/all')).body, 'hello, world');
    await using packaged = await serve({ package: 'mrmime' });
    assert.match((await get(packaged, 'package.json')).body, /"name": "mrmime"/);
    await using inside = await serve({ package: 'mrmime', file: 'license' });
    assert.match((await get(inside, '')).body, /MIT/);
  });
});

describe('a directory', () => {
  test('is answered by its index, after a redirect to its name with a slash', async () => {
    await using http = await serve();
    assert.equal((await get(http, 'sub/')).body, '<p>sub');
    const redirect = await get(http, 'sub?a=b');
    assert.deepEqual([redirect.status, redirect.headers['location']], [301, './sub/?a=b']);
    const target = new URL(String(redirect.headers['location']), 'http://h/files/sub?a=b');
    assert.equal(target.href, 'http://h/files/sub/?a=b');
    await using none = await serve({ index: false });
    assert.equal((await get(none, 'sub/')).status, 404);
    await using other = await serve({ index: ['nothing.html', 'index.html'] });
    assert.equal((await get(other, 'sub/')).body, '<p>sub');
  });

  test('is no redirect to another host', async () => {
    const target = staticFiles({ root });
    await using http = await startHttp((exchange) => {
      void target.handleExchange(exchange, {
        groups: { '0': exchange.head.path.slice(1) },
      } as unknown as Context);
    });
    const client = await http.connect();
    client.send('GET //sub HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n');
    assert.match(await client.untilEnd(), /location: \.\/sub\/\r\n/);
  });

  test('without an index is 404, or a list of what is in it', async () => {
    await using none = await serve();
    assert.equal((await get(none, 'sub/empty/')).status, 404);
    await using http = await serve({ listing: true, index: false });
    const { headers, body } = await get(http, 'sub/');
    assert.equal(headers['content-type'], 'text/html; charset=utf-8');
    assert.match(
      Buffer.from(body, 'latin1').toString(),
      /<a href="\.\/%C3%A4%20b%25\.txt">&#228; b%\.txt<\/a>/,
    );
    assert.match(body, /<a href="\.\/empty\/">empty\/<\/a>/);
    const top = await get(http, '');
    assert.doesNotMatch(top.body, /\.env|\.git|"\.\.\//);
    const head = await get(http, 'sub/', '', 'HEAD');
    assert.deepEqual([head.headers['content-length'], head.body], [headers['content-length'], '']);
    write('sub/<script>.html', '');
    assert.match((await get(http, 'sub/')).body, /&#60;script&#62;\.html/);
  });

  test('is not what a file is', async () => {
    await using http = await serve();
    assert.equal((await get(http, 'a.txt/')).status, 404);
    assert.equal((await get(http, 'a.txt/b')).status, 404);
  });
});

describe('what is compressed already', () => {
  test('goes out where the client accepts it, and it is no older', async () => {
    write('app.js', 'let x = 1;'.repeat(50));
    age('app.js', MODIFIED);
    write('app.js.br', brotliCompressSync('let x = 1;'.repeat(50)));
    write('app.js.gz', gzipSync('let x = 1;'.repeat(50)));
    await using http = await serve({ precompressed: true });
    const ask = (fields: string): Promise<Got> => get(http, 'app.js', fields);
    const brotli = await ask('accept-encoding: gzip, br, zstd\r\n');
    assert.deepEqual(
      [brotli.headers['content-encoding'], brotli.headers['content-type'], brotli.headers['vary']],
      ['br', 'text/javascript; charset=utf-8', 'accept-encoding'],
    );
    assert.match(String(brotli.headers['etag']), /-br"$/);
    assert.equal((await ask('accept-encoding: gzip;q=1, br;q=0.1\r\n')).headers['content-encoding'], 'gzip');
    const plain = await ask('');
    assert.deepEqual(
      [plain.headers['content-encoding'], plain.headers['vary']],
      [undefined, 'accept-encoding'],
    );
    write('app.js.zst', zstdCompressSync('let x = 1;'.repeat(50)));
    assert.equal((await ask('accept-encoding: br, zstd\r\n')).headers['content-encoding'], 'zstd');
    age('app.js.zst', MODIFIED - 10);
    assert.equal((await ask('accept-encoding: br, zstd\r\n')).headers['content-encoding'], 'br');
    const part = await ask('accept-encoding: br\r\nrange: bytes=0-3\r\n');
    assert.deepEqual([part.status, part.headers['content-encoding'], part.body.length], [206, 'br', 4]);
  });

  test('does not go out where nobody asked for that', async () => {
    await using http = await serve();
    const { headers } = await get(http, 'app.js', 'accept-encoding: br\r\n');
    assert.deepEqual([headers['content-encoding'], headers['vary']], [undefined, undefined]);
  });
});

test("a page of one's own is sent, whole and with 404, for what is not there, whoever asks and how", async () => {
  write('none.html', '<p>Nothing here');
  write('none-large.html', large);
  await using http = await serve({ notFound: 'none.html', cacheControl: 'immutable' });
  const known = (await get(http, 'none.html')).headers['etag'] ?? '';
  for (const path of ['none.txt', 'sub/empty/', '.env', '..%2fa', 'a.txt/']) {
    const { status, headers, body } = await get(
      http,
      path,
      `if-none-match: ${known}\r\nrange: bytes=0-1\r\n`,
    );
    assert.deepEqual([status, body], [404, '<p>Nothing here'], path);
    assert.equal(headers['content-type'], 'text/html; charset=utf-8');
    assert.deepEqual([headers['etag'], headers['cache-control']], [undefined, undefined]);
  }
  const head = await get(http, 'none.txt', '', 'HEAD');
  assert.deepEqual([head.status, head.headers['content-length'], head.body], [404, '15', '']);
  await using streamed = await serve({ notFound: 'none-large.html' });
  const answer = await get(streamed, 'none.txt');
  assert.equal(answer.status, 404);
  assert.ok(Buffer.from(answer.body, 'latin1').equals(large));
  await untilClosed(join(root, 'none-large.html'));
  await using without = await serve({ notFound: 'not-there.html' });
  assert.equal((await get(without, 'none.txt')).status, 404);
});

test('a fallback answers for pages that are not there, not for what pages load', async () => {
  await using http = await serve({ fallback: 'sub/index.html' });
  assert.equal((await get(http, 'some/route', 'accept: text/html,*/*\r\n')).body, '<p>sub');
  assert.equal((await get(http, 'some/image.png', 'accept: image/*\r\n')).status, 404);
});

test('wrong options are told when the route is made', () => {
  const cases: readonly [options: unknown, message: RegExp][] = [
    [undefined, /options are an object/],
    [{}, /root, file or package is needed/],
    [{ root, file: 'a' }, /exclude one another/],
    [{ root: join(root, 'none') }, /is no directory/],
    [{ root: join(root, 'a.txt') }, /is no directory/],
    [{ file: root }, /is no file/],
    [{ root: 5 }, /root is a text/],
    [{ root, listing: 'yes' }, /listing is true or false/],
    [{ root, directory: 'x' }, /there is no option directory/],
    [{ root, dotFiles: 'allow' }, /hidden, refused or served/],
    [{ root, headers: { 'x y': 'z' } }, /"x y" cannot be sent/],
    [{ root, cacheControl: 'a\r\nb: c' }, /"cache-control" cannot be sent/],
    [{ package: 'no-such-package-here' }, /no package no-such-package-here/],
  ];
  for (const [options, message] of cases) {
    assert.throws(() => staticFiles(options as StaticOptions), message);
  }
});
