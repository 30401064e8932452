// staticFiles(): what it does not serve, whatever is asked for; and files that change, or fail, while they are served.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, linkSync, renameSync, rmSync, symlinkSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { absent } from '../../src/web/files/open-file.ts';
import { staticFiles } from '../../src/web/files/static-files.ts';
import { middleware, route } from '../../src/web/route.ts';
import { startApplication } from '../support/application-fixture.ts';
import {
  filesOnDisk,
  get,
  large,
  LARGE,
  root,
  serve,
  timesOpen,
  untilClosed,
  write,
} from '../support/static-fixture.ts';

filesOnDisk();

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

test('hard links are files like others', async () => {
  linkSync(join(root, 'a.txt'), join(root, 'hard.txt'));
  await using http = await serve();
  assert.equal((await get(http, 'hard.txt')).body, 'hello, world');
});
