// staticFiles(): what it serves, how, and what it does not.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import type { Context } from '../../src/web/handler.ts';
import { middleware, route } from '../../src/web/route.ts';
import { absent } from '../../src/web/files/open-file.ts';
import { staticFiles, type StaticOptions } from '../../src/web/files/static-files.ts';
import { startApplication } from '../support/application-fixture.ts';
import { startHttp, type HttpFixture } from '../support/http-fixture.ts';

const directory = realpathSync(mkdtempSync(join(tmpdir(), 'howdah-static-')));
const root = join(directory, 'public');
const LARGE = 3_000_000;
const large = Buffer.alloc(LARGE, 'The quick brown fox jumps over the lazy dog. ');
const write = (path: string, content: string | Buffer): void => writeFileSync(join(root, path), content);
/** Times whose seconds are whole, so that dates are exact. */
const age = (path: string, seconds: number): void => utimesSync(join(root, path), seconds, seconds);
const MODIFIED = Date.UTC(2024, 0, 2, 3, 4, 5) / 1000;
const MODIFIED_TEXT = 'Tue, 02 Jan 2024 03:04:05 GMT';

before(() => {
  mkdirSync(join(root, 'sub/empty'), { recursive: true });
  mkdirSync(join(root, '.well-known'));
  mkdirSync(join(root, '.git'));
  write('a.txt', 'hello, world');
  age('a.txt', MODIFIED);
  write('empty.css', '');
  write('large.bin', large);
  write('sub/index.html', '<p>sub');
  write('sub/ä b%.txt', 'strange');
  write('.env', 'SECRET=1');
  write('.git/config', 'secret');
  write('.well-known/security.txt', 'Contact: x');
  writeFileSync(join(directory, 'outside.txt'), 'outside');
  mkdirSync(join(directory, 'public-not'));
  writeFileSync(join(directory, 'public-not/secret.txt'), 'outside');
});
after(() => rmSync(directory, { recursive: true, force: true }));

async function serve(options: Partial<StaticOptions> = {}): Promise<HttpFixture> {
  const target = staticFiles(
    options.file === undefined && options.package === undefined ? { root, ...options } : options,
  );
  return startHttp((exchange) => {
    const rest = exchange.head.path.slice('/files/'.length);
    void target.handleExchange(exchange, { groups: { '0': rest } } as unknown as Context);
  });
}

/** How often this process has the file open (Linux). */
function timesOpen(path: string): number {
  let count = 0;
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      if (readlinkSync(`/proc/self/fd/${fd}`) === path) count++;
    } catch {
      // Closed since.
    }
  }
  return count;
}

async function untilClosed(path: string): Promise<void> {
  while (timesOpen(path) > 0) await new Promise(setImmediate);
}

interface Got {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** Over a socket, so that the path goes out as it is given. */
async function get(http: HttpFixture, path: string, fields = '', method = 'GET'): Promise<Got> {
  const client = await http.connect();
  client.send(`${method} /files/${path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n${fields}\r\n`);
  const text = await client.untilEnd();
  client.socket.destroy();
  const end = text.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  return { status: Number(statusLine.split(' ')[1]), headers, body: text.slice(end + 4) };
}

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

describe('conditional requests (RFC 9110 §13)', () => {
  test('are answered with 304 or 412 without content', async () => {
    await using http = await serve({ cacheControl: 'max-age=60' });
    for (const path of ['a.txt', 'large.bin']) {
      const { headers } = await get(http, path);
      const etag = String(headers['etag']);
      const same = await get(http, path, `if-none-match: W/${etag}\r\n`);
      assert.deepEqual([same.status, same.body, same.headers['content-length']], [304, '', undefined]);
      assert.equal(same.headers['etag'], etag);
      assert.equal(same.headers['cache-control'], 'max-age=60');
      assert.equal((await get(http, path, 'if-none-match: "other"\r\n')).status, 200);
      assert.equal((await get(http, path, `if-modified-since: ${headers['last-modified']}\r\n`)).status, 304);
      assert.equal((await get(http, path, 'if-match: "other"\r\n')).status, 412);
      assert.equal((await get(http, path, `if-match: ${etag}\r\n`)).status, 200);
      assert.equal(
        (await get(http, path, 'if-unmodified-since: Mon, 01 Jan 2001 00:00:00 GMT\r\n')).status,
        412,
      );
    }
  });
});

describe('ranges (RFC 9110 §14)', () => {
  test('one is a 206 with its place', async () => {
    await using http = await serve();
    const part = await get(http, 'a.txt', 'range: bytes=7-\r\n');
    assert.deepEqual([part.status, part.body], [206, 'world']);
    assert.equal(part.headers['content-range'], 'bytes 7-11/12');
    assert.equal(part.headers['content-length'], '5');
    const last = await get(http, 'large.bin', 'range: bytes=-100000\r\n');
    assert.equal(last.headers['content-range'], `bytes ${LARGE - 100_000}-${LARGE - 1}/${LARGE}`);
    assert.ok(Buffer.from(last.body, 'latin1').equals(large.subarray(-100_000)));
  });

  test('several are multipart/byteranges', async () => {
    await using http = await serve();
    const { status, headers, body } = await get(http, 'a.txt', 'range: bytes=0-4,7-7\r\n');
    const boundary = /^multipart\/byteranges; boundary=(\S+)$/.exec(String(headers['content-type']))?.[1];
    assert.equal(status, 206);
    assert.equal(headers['content-length'], String(body.length));
    const part = (range: string, text: string): string =>
      `\r\n--${boundary}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-range: bytes ${range}/12\r\n\r\n${text}`;
    assert.equal(body, `${part('0-4', 'hello')}${part('7-7', 'w')}\r\n--${boundary}--\r\n`);
    const large = await get(http, 'large.bin', 'range: bytes=0-9,1000000-1199999\r\n');
    assert.deepEqual([large.status, Number(large.headers['content-length'])], [206, large.body.length]);
    assert.ok(large.body.length > 200_010);
  });

  test('that cannot be met are a 416, those that are none are ignored', async () => {
    await using http = await serve();
    const beyond = await get(http, 'a.txt', 'range: bytes=12-\r\n');
    assert.deepEqual([beyond.status, beyond.headers['content-range'], beyond.body], [416, 'bytes */12', '']);
    for (const range of ['lines=1-2', 'bytes=5-2', 'bytes=a-b', 'bytes=0-5,3-9']) {
      assert.equal((await get(http, 'a.txt', `range: ${range}\r\n`)).status, 200, range);
    }
    assert.equal((await get(http, 'a.txt', 'range: bytes=0-1\r\n', 'HEAD')).status, 200);
  });

  test('apply where If-Range is met', async () => {
    await using http = await serve();
    const etag = String((await get(http, 'a.txt')).headers['etag']);
    const ask = async (validator: string): Promise<number> =>
      (await get(http, 'a.txt', `range: bytes=0-1\r\nif-range: ${validator}\r\n`)).status;
    assert.equal(await ask(etag), 206);
    assert.equal(await ask(MODIFIED_TEXT), 206);
    assert.equal(await ask(`W/${etag}`), 200);
    assert.equal(await ask('"other"'), 200);
    assert.equal(await ask('Tue, 02 Jan 2024 03:04:06 GMT'), 200);
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

describe('nothing is served', () => {
  test('that is not there, with a name of any length', async () => {
    await using http = await serve();
    for (const path of ['none.txt', 'sub/none/', 'x'.repeat(300), 'x/'.repeat(2000)]) {
      assert.equal((await get(http, path)).status, 404, path.slice(0, 40));
    }
  });

  test('outside of the root, by no encoding', async () => {
    await using http = await serve({ dotFiles: 'served' });
    for (const path of [
      '../outside.txt',
      '..%2foutside.txt',
      '%2e%2e/outside.txt',
      '%2e%2e%2foutside.txt',
      '.%2e/outside.txt',
      'sub/../../outside.txt',
      'sub/%2e%2e/%2e%2e/outside.txt',
      '..%5coutside.txt',
      '..\\outside.txt',
      '%252e%252e/outside.txt',
      '..%c0%afoutside.txt',
      '%c0%ae%c0%ae/outside.txt',
      '../public-not/secret.txt',
      '/etc/passwd',
      '%2fetc%2fpasswd',
      '//etc/passwd',
      './a.txt',
      'sub/./index.html',
      'sub//index.html',
      'a.txt%00.png',
      'a.txt%0',
      'a%zz.txt',
      '%ff.txt',
      'file:///etc/passwd',
    ]) {
      const { status, body } = await get(http, path);
      assert.equal(status, 404, path);
      assert.doesNotMatch(body, /outside|root:|hello/);
    }
  });

  test('outside of the root, by no symbolic link; what a link leads to inside is', async () => {
    symlinkSync('../outside.txt', join(root, 'out.txt'));
    symlinkSync('..', join(root, 'up'));
    symlinkSync('/etc', join(root, 'etc'));
    symlinkSync('loop', join(root, 'loop'));
    symlinkSync('a.txt', join(root, 'in.txt'));
    symlinkSync('../public-not', join(root, 'prefix'));
    await using http = await serve({ listing: true });
    for (const path of [
      'out.txt',
      'up/outside.txt',
      'etc/passwd',
      'etc/',
      'up/',
      'loop',
      'prefix/secret.txt',
    ]) {
      assert.equal((await get(http, path)).status, 404, path);
    }
    assert.equal((await get(http, 'in.txt')).body, 'hello, world');
  });

  test('through a link that is turned outside while its file is known', async () => {
    write('turn.txt', 'inside');
    symlinkSync('turn.txt', join(root, 'turning.txt'));
    await using http = await serve();
    assert.equal((await get(http, 'turning.txt')).body, 'inside');
    rmSync(join(root, 'turning.txt'));
    symlinkSync('../outside.txt', join(root, 'turning.txt'));
    assert.equal((await get(http, 'turning.txt')).status, 404);
  });

  test('of dot files, unless they are to be served; .well-known is', async () => {
    await using http = await serve();
    for (const path of ['.env', '%2eenv', '.git/config', '.git/']) {
      assert.equal((await get(http, path)).status, 404, path);
    }
    assert.equal((await get(http, '.well-known/security.txt')).body, 'Contact: x');
    await using refusing = await serve({ dotFiles: 'refused' });
    assert.equal((await get(refusing, '.env')).status, 403);
    await using open = await serve({ dotFiles: 'served' });
    assert.equal((await get(open, '.env')).body, 'SECRET=1');
  });

  test('that is no file: a pipe does not hold the request up', async () => {
    execFileSync('mkfifo', [join(root, 'pipe')]);
    await using http = await serve();
    assert.equal((await get(http, 'pipe')).status, 404);
  });

  test(
    'that may not be read',
    { skip: process.getuid?.() === 0 ? 'root reads everything' : false },
    async () => {
      write('private.txt', 'private');
      chmodSync(join(root, 'private.txt'), 0);
      await using http = await serve();
      assert.equal((await get(http, 'private.txt')).status, 404);
    },
  );
});

describe('a file that changes', () => {
  test('is served as it is at each request, small or large', async () => {
    await using http = await serve();
    for (const size of [10, 200_000]) {
      write('changing.txt', Buffer.alloc(size, 'a'));
      const before = await get(http, 'changing.txt');
      assert.equal((await get(http, 'changing.txt')).body[0], 'a');
      write('new.txt', Buffer.alloc(size, 'b'));
      renameSync(join(root, 'new.txt'), join(root, 'changing.txt'));
      const { headers, body } = await get(http, 'changing.txt');
      assert.equal(body, 'b'.repeat(size));
      assert.notEqual(headers['etag'], before.headers['etag']);
      rmSync(join(root, 'changing.txt'));
      assert.equal((await get(http, 'changing.txt')).status, 404);
    }
  });

  test('while it is sent: what was there is sent to the end where it is replaced', async () => {
    write('replaced.bin', Buffer.concat(Array.from({ length: 10 }, () => large)));
    await using http = await serve();
    const client = await http.connect();
    client.send('GET /files/replaced.bin HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n');
    await client.untilText('\r\n\r\n');
    client.socket.pause();
    assert.equal(timesOpen(join(root, 'replaced.bin')), 1);
    write('new.bin', 'short');
    renameSync(join(root, 'new.bin'), join(root, 'replaced.bin'));
    client.socket.resume();
    const text = await client.untilEnd();
    assert.equal(text.length - text.indexOf('\r\n\r\n') - 4, 10 * LARGE);
    assert.equal((await get(http, 'replaced.bin')).body, 'short');
  });

  test('while it is sent: the client is told where it is cut', async () => {
    write('cut.bin', Buffer.alloc(30_000_000, 'x'));
    await using http = await serve();
    const client = await http.connect();
    client.send('GET /files/cut.bin HTTP/1.1\r\nhost: h\r\n\r\n');
    await client.untilText('\r\n\r\n');
    client.socket.pause();
    assert.equal(timesOpen(join(root, 'cut.bin')), 1);
    truncateSync(join(root, 'cut.bin'), 1000);
    client.socket.resume();
    const text = await client.untilEnd();
    assert.ok(text.length < 30_000_000);
    assert.equal((await http.observed('request-done')).end, 'failed');
  });

  test('is opened for nobody who has left, and closed when somebody leaves', async () => {
    await using http = await serve();
    const client = await http.connect();
    write('left.bin', Buffer.alloc(30_000_000, 'x'));
    client.send('GET /files/left.bin HTTP/1.1\r\nhost: h\r\n\r\n');
    await client.untilText('\r\n\r\n');
    client.socket.pause();
    assert.equal(timesOpen(join(root, 'left.bin')), 1);
    client.socket.resetAndDestroy();
    assert.equal((await http.observed('request-done')).end, 'client-left');
    await untilClosed(join(root, 'left.bin'));
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

test('an unexpected error is answered with 500 and observed, also behind a middleware', async () => {
  const target = staticFiles({
    root,
    cacheControl: () => {
      throw new Error('no such rule');
    },
  });
  for (const middlewares of [[], [middleware((_request, _context, next) => next())]]) {
    await using server = await startApplication({ routes: [route('/files/*', { middlewares }, target)] });
    assert.equal((await server.fetch('/files/a.txt')).status, 500);
    const { handler, message } = await server.observed('handler-failed');
    assert.deepEqual([handler, message], ['/files/*', 'no such rule']);
  }
});

test('too many open files are a 503 that says so; other errors of the system are as they are', () => {
  for (const code of ['EMFILE', 'ENFILE']) {
    const error = Object.assign(new Error(code), { code });
    assert.throws(() => absent(error), { code: 'HOWDAH_TOO_MANY_FILES', status: 503, cause: error });
  }
  const other = Object.assign(new Error('EIO'), { code: 'EIO' });
  assert.throws(() => absent(other), other);
  assert.equal(absent(Object.assign(new Error('ENOENT'), { code: 'ENOENT' })), null);
});

test('a fallback answers for pages that are not there, not for what pages load', async () => {
  await using http = await serve({ fallback: 'sub/index.html' });
  assert.equal((await get(http, 'some/route', 'accept: text/html,*/*\r\n')).body, '<p>sub');
  assert.equal((await get(http, 'some/image.png', 'accept: image/*\r\n')).status, 404);
});

test('hard links are files like others', async () => {
  linkSync(join(root, 'a.txt'), join(root, 'hard.txt'));
  await using http = await serve();
  assert.equal((await get(http, 'hard.txt')).body, 'hello, world');
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
