// fileResponse(): one file as the Response of a handler.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readlinkSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileResponse } from '../../src/web/files/file-response.ts';
import { route } from '../../src/web/route.ts';
import { startApplication } from '../support/application-fixture.ts';

const directory = realpathSync(mkdtempSync(join(tmpdir(), 'howdah-file-')));
after(() => rmSync(directory, { recursive: true, force: true }));
const path = join(directory, 'a.txt');
const content = 'elephant '.repeat(100_000);
writeFileSync(path, content);

const isOpen = (): boolean =>
  readdirSync('/proc/self/fd').some((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path;
    } catch {
      return false;
    }
  });
const ask = (headers: Record<string, string> = {}, method = 'GET'): Promise<Response> =>
  fileResponse(new Request('http://h/', { headers, method }), path);

test('a file is a response with type, length and validators', async () => {
  const response = await ask();
  assert.equal(response.headers.get('content-type'), 'text/plain; charset=utf-8');
  assert.equal(response.headers.get('content-length'), String(content.length));
  assert.equal(await response.text(), content);
  assert.equal(isOpen(), false);
});

test('conditions and ranges are those of the request', async () => {
  const etag = String((await ask({}, 'HEAD')).headers.get('etag'));
  assert.equal((await ask({ 'if-none-match': etag })).status, 304);
  assert.equal((await ask({ 'if-match': '"x"' })).status, 412);
  const part = await ask({ range: 'bytes=9-16' });
  assert.deepEqual([part.status, await part.text()], [206, 'elephant']);
  assert.equal((await ask({ range: 'bytes=9000000-' })).status, 416);
  assert.equal(isOpen(), false);
});

test('what is not there, or is no file, is 404', async () => {
  for (const other of [join(directory, 'none'), directory, '/dev/null']) {
    assert.equal((await fileResponse(new Request('http://h/'), other)).status, 404);
  }
});

test('a name to save it by may have any characters', async () => {
  const named = async (downloadName: string): Promise<unknown> =>
    (await fileResponse(new Request('http://h/', { method: 'HEAD' }), path, { downloadName })).headers.get(
      'content-disposition',
    );
  assert.equal(await named('a b.txt'), 'attachment; filename="a b.txt"');
  assert.equal(
    await named('ä"\r\n.txt'),
    `attachment; filename="____.txt"; filename*=UTF-8''%C3%A4%22%0D%0A.txt`,
  );
});

test('it is sent whole over the server, and closed when the client leaves', async () => {
  await using server = await startApplication({
    routes: [
      route('GET /file', (request) =>
        fileResponse(request, path, { headers: { 'cache-control': 'no-store' } }),
      ),
    ],
  });
  const response = await server.fetch('/file');
  assert.equal(response.headers.get('cache-control'), 'no-store');
  assert.equal(await response.text(), content);
  writeFileSync(path, content.repeat(30));
  const client = await server.connect();
  client.send('GET /file HTTP/1.1\r\nhost: h\r\n\r\n');
  await client.untilText('\r\n\r\n');
  client.socket.resetAndDestroy();
  while (isOpen()) await new Promise(setImmediate);
});

test('a response that nobody reads closes its file', async () => {
  const response = await ask();
  assert.equal(isOpen(), true);
  await response.body?.cancel();
  assert.equal(isOpen(), false);
});

test('a client that leaves before the file is found has it closed', async () => {
  const opened = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();
  await using app = await startApplication({
    routes: [
      route('/', async (request) => {
        request.signal.addEventListener('abort', () => left.resolve());
        const response = await fileResponse(request, path);
        opened.resolve();
        await left.promise;
        return response;
      }),
    ],
  });
  const { port } = new URL(app.origin);
  const client = connect(Number(port), '127.0.0.1');
  client.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
  await opened.promise;
  assert.equal(isOpen(), true);
  client.resetAndDestroy();
  await left.promise;
  while (isOpen()) await new Promise(setImmediate);
});
