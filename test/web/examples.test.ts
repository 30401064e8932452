// The examples of resources, uploads and files, each served without a database.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { loadApplication } from '../../src/fleet/application-module.ts';
import { requestHandler } from '../../src/web/request-handler.ts';
import { startApplication, type ApplicationFixture } from '../support/application-fixture.ts';

async function serveExample(name: string): Promise<ApplicationFixture> {
  const path = fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));
  const { routes, streamHandlers = [] } = await loadApplication(path);
  let handle: Parameters<typeof requestHandler>[0] = () => {};
  const inner = requestHandler((exchange) => handle(exchange));
  const [outermost, ...others] = [...streamHandlers, inner];
  const fixture = await startApplication({ routes }, { handlers: [outermost ?? inner, ...others] });
  handle = fixture.catalog.handle;
  return fixture;
}

test('examples/notes.ts keeps notes as resources', async () => {
  await using server = await serveExample('notes.ts');
  const made = await server.fetch('/notes', {
    method: 'POST',
    body: 'buy hay',
    headers: { 'content-type': 'text/plain' },
  });
  assert.deepEqual([made.status, made.headers.get('location')], [201, '/notes/1']);
  const note = await server.fetch('/notes/1');
  const etag = String(note.headers.get('etag'));
  assert.deepEqual([await note.text(), note.headers.get('vary')], ['buy hay', 'accept']);
  const json = await server.fetch('/notes/1', { headers: { accept: 'application/json' } });
  assert.deepEqual(await json.json(), { note: 'buy hay' });
  assert.equal((await server.fetch('/notes/1', { headers: { 'if-none-match': etag } })).status, 304);
  const put = (body: string, headers: Record<string, string>): Promise<Response> =>
    server.fetch('/notes/1', { method: 'PUT', body, headers });
  const changed = await put('{"note":"buy straw"}', { 'content-type': 'application/json', 'if-match': etag });
  assert.equal(changed.status, 204);
  assert.equal((await put('late', { 'content-type': 'text/plain', 'if-match': etag })).status, 412);
  assert.equal((await put('{"x":1}', { 'content-type': 'application/json' })).status, 400);
  assert.equal((await put('{', { 'content-type': 'application/json' })).status, 400);
  assert.equal((await put('x', { 'content-type': 'image/png' })).status, 415);
  assert.deepEqual(await (await server.fetch('/notes')).json(), [{ id: 1, note: 'buy straw' }]);
  assert.equal((await server.fetch('/notes/1', { method: 'DELETE' })).status, 204);
  assert.equal((await server.fetch('/notes/1')).status, 404);
  assert.equal((await server.fetch('/notes/x')).status, 404, 'the constraint says no');
  assert.equal(
    (await server.fetch('/notes', { method: 'DELETE' })).headers.get('allow'),
    'GET, HEAD, POST, OPTIONS',
  );
});

test('examples/upload.ts writes files of a form to a directory, and nothing of a form that is cut off', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'howdah-uploads-'));
  process.env['UPLOADS'] = directory;
  try {
    await using server = await serveExample('upload.ts');
    assert.match(await (await server.fetch('/')).text(), /multipart\/form-data/);
    const form = new FormData();
    form.append('comment', 'no file');
    form.append('file', new File(['x'.repeat(3_000_000)], 'big.bin'));
    form.append('file', new File(['small'], '../small.txt'));
    const response = await server.fetch('/upload', { method: 'POST', body: form });
    assert.equal(response.status, 201);
    const saved = (await response.json()) as { name: string; file: string; bytes: number }[];
    assert.deepEqual(
      saved.map(({ name, bytes }) => [name, bytes]),
      [
        ['big.bin', 3_000_000],
        ['small.txt', 5],
      ],
    );
    assert.equal(readFileSync(join(directory, saved[1]?.file ?? ''), 'utf8'), 'small');
    const cut = await server.fetch('/upload', {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=b' },
      body: '--b\r\ncontent-disposition: form-data; name="f"; filename="f"\r\n\r\ncut',
    });
    assert.equal(cut.status, 400);
    assert.equal(readdirSync(directory).length, 2);
  } finally {
    delete process.env['UPLOADS'];
    rmSync(directory, { recursive: true, force: true });
  }
});

test('examples/site.ts serves a site, compressed', async () => {
  await using server = await serveExample('site.ts');
  const page = await server.fetch('/', { headers: { 'accept-encoding': 'gzip' } });
  assert.deepEqual(
    [
      page.status,
      page.headers.get('content-encoding'),
      page.headers.get('content-type'),
      page.headers.get('cache-control'),
    ],
    [200, 'gzip', 'text/html; charset=utf-8', 'no-cache'],
  );
  assert.match(await page.text(), /<h1>Elephants/);
  const style = await server.fetch('/assets/style.css');
  assert.match(String(style.headers.get('cache-control')), /immutable/);
  const part = await server.fetch('/index.html', {
    headers: { range: 'bytes=0-14', 'accept-encoding': 'identity' },
  });
  assert.deepEqual([part.status, await part.text()], [206, '<!doctype html>']);
  assert.equal((await server.fetch('/nothing')).status, 404);
  assert.equal((await server.fetch('/index.html', { method: 'POST' })).status, 405);
});
