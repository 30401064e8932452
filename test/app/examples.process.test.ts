// The examples of applications, served by the command as a reader would.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { startServe, temporaryDirectory } from '../cli/howdah-process.ts';

const example = (name: string): string => fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));

async function get(url: string, init?: RequestInit): Promise<string> {
  const response = await fetch(url, init);
  return `${response.status} ${await response.text()}`;
}

test('examples/hello.ts greets', async () => {
  using directory = temporaryDirectory();
  await using server = await startServe(['--memory', example('hello.ts')], { cwd: directory.path });
  assert.equal(await get(server.url), '200 Hello, world!\n');
  assert.equal(await get(`${server.url}/hello/elephant`), '200 Hello, elephant!\n');
  assert.match(await get(`${server.url}/nothing`), /^404 /);
});

test('examples/hono.ts is a Hono application with its middlewares, and howdah as its env', async () => {
  using directory = temporaryDirectory();
  await using server = await startServe(['--memory', example('hono.ts')], { cwd: directory.path });
  const first = await fetch(server.url);
  assert.equal(await first.text(), 'Hello from Hono!\n');
  assert.equal(first.headers.get('access-control-allow-origin'), '*');
  const etag = (await fetch(`${server.url}/cached/page`)).headers.get('etag') ?? '';
  assert.equal(
    (await fetch(`${server.url}/cached/page`, { headers: { 'if-none-match': etag } })).status,
    304,
  );
  assert.equal(await get(`${server.url}/users/anna`), '200 {"name":"anna","peer":"127.0.0.1"}');
  assert.match(await get(`${server.url}/postgres`), /^200 \[\{"database":"\w+"\}\]$/);
});

test('examples/mixed/app.ts takes orders with SQL and TypeScript over the same tables', async () => {
  using directory = temporaryDirectory();
  const args = ['--memory', '--sql', example('mixed/schema.sql'), example('mixed/app.ts')];
  await using server = await startServe(args, { cwd: directory.path });
  const order = (body: unknown): Promise<string> =>
    get(`${server.url}/orders`, { method: 'POST', body: JSON.stringify(body) });
  assert.equal(await order({ product: 'hay', quantity: 4 }), '201 {"id":1,"product":"hay","quantity":4}');
  assert.match(await order({ product: 'hay', quantity: 7 }), /^409 /);
  assert.match(await order({ product: 'hay' }), /^400 /);
  assert.match(await order('{'), /^400 /);
  assert.equal(await order({ product: 'hay', quantity: 6 }), '201 {"id":2,"product":"hay","quantity":6}');
  const orders = '{"id":1,"product":"hay","quantity":4}|{"id":2,"product":"hay","quantity":6}';
  assert.equal(await get(`${server.url}/orders`), `200 [${orders.replace('|', ',')}]`);
  assert.equal(await get(`${server.url}/orders/stream`), `200 ${orders.replace('|', '\n')}\n`);
  assert.equal(await get(`${server.url}/totals`), '200 {"hay": 10}');
});

test('examples/proxy.ts passes requests on, streams bodies, and says when nobody is there', async () => {
  using directory = temporaryDirectory();
  const upstream = createServer((request, response) => {
    response.setHeader(
      'x-seen',
      `${request.method} ${request.url} ${request.headers['x-forwarded-for'] as string}`,
    );
    request.pipe(response);
  });
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const { port } = upstream.address() as AddressInfo;
  const env = { UPSTREAM: `http://127.0.0.1:${port}` };
  await using server = await startServe(['--memory', example('proxy.ts')], { cwd: directory.path, env });
  const body = 'b'.repeat(300_000);
  const response = await fetch(`${server.url}/path?q=1`, { method: 'POST', body });
  assert.equal(response.headers.get('x-seen'), 'POST /path?q=1 127.0.0.1');
  assert.match(response.headers.get('server-timing') ?? '', /^upstream;dur=/);
  assert.equal(await response.text(), body);
  upstream.close();
  upstream.closeAllConnections();
  await once(upstream, 'close');
  assert.equal((await fetch(server.url)).status, 502);
});

test('examples/notes.ts keeps notes as resources', async () => {
  using directory = temporaryDirectory();
  await using server = await startServe(['--memory', example('notes.ts')], { cwd: directory.path });
  const ask = (path: string, init?: RequestInit): Promise<Response> => fetch(server.url + path, init);
  const made = await ask('/notes', {
    method: 'POST',
    body: 'buy hay',
    headers: { 'content-type': 'text/plain' },
  });
  assert.deepEqual([made.status, made.headers.get('location')], [201, '/notes/1']);
  const note = await ask('/notes/1');
  const etag = String(note.headers.get('etag'));
  assert.deepEqual([await note.text(), note.headers.get('vary')], ['buy hay', 'accept']);
  const json = await ask('/notes/1', { headers: { accept: 'application/json' } });
  assert.deepEqual(await json.json(), { note: 'buy hay' });
  assert.equal((await ask('/notes/1', { headers: { 'if-none-match': etag } })).status, 304);
  const put = (body: string, headers: Record<string, string>): Promise<Response> =>
    ask('/notes/1', { method: 'PUT', body, headers });
  const changed = await put('{"note":"buy straw"}', { 'content-type': 'application/json', 'if-match': etag });
  assert.equal(changed.status, 204);
  assert.equal((await put('late', { 'content-type': 'text/plain', 'if-match': etag })).status, 412);
  assert.equal((await put('{"x":1}', { 'content-type': 'application/json' })).status, 400);
  assert.equal((await put('{', { 'content-type': 'application/json' })).status, 400);
  assert.equal((await put('x', { 'content-type': 'image/png' })).status, 415);
  assert.deepEqual(await (await ask('/notes')).json(), [{ id: 1, note: 'buy straw' }]);
  assert.equal((await ask('/notes/1', { method: 'DELETE' })).status, 204);
  assert.equal((await ask('/notes/1')).status, 404);
  assert.equal((await ask('/notes/x')).status, 404, 'the constraint says no');
  assert.equal((await ask('/notes', { method: 'DELETE' })).headers.get('allow'), 'GET, HEAD, POST, OPTIONS');
});

test('examples/upload.ts writes files of a form to a directory, and nothing of a form that is cut off', async () => {
  using directory = temporaryDirectory();
  const uploads = join(directory.path, 'uploads');
  const env = { UPLOADS: uploads };
  await using server = await startServe(['--memory', example('upload.ts')], { cwd: directory.path, env });
  const ask = (path: string, init?: RequestInit): Promise<Response> => fetch(server.url + path, init);
  assert.match(await (await ask('/')).text(), /multipart\/form-data/);
  const form = new FormData();
  form.append('comment', 'no file');
  form.append('file', new File(['x'.repeat(3_000_000)], 'big.bin'));
  form.append('file', new File(['small'], '../small.txt'));
  const response = await ask('/upload', { method: 'POST', body: form });
  assert.equal(response.status, 201);
  const saved = (await response.json()) as { name: string; file: string; bytes: number }[];
  assert.deepEqual(
    saved.map(({ name, bytes }) => [name, bytes]),
    [
      ['big.bin', 3_000_000],
      ['small.txt', 5],
    ],
  );
  assert.equal(readFileSync(join(uploads, saved[1]?.file ?? ''), 'utf8'), 'small');
  const cut = await ask('/upload', {
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
    body: '--b\r\ncontent-disposition: form-data; name="f"; filename="f"\r\n\r\ncut',
  });
  assert.equal(cut.status, 400);
  assert.equal(readdirSync(uploads).length, 2);
});

test('examples/site.ts serves a site, compressed', async () => {
  using directory = temporaryDirectory();
  await using server = await startServe(['--memory', example('site.ts')], { cwd: directory.path });
  const ask = (path: string, init?: RequestInit): Promise<Response> => fetch(server.url + path, init);
  const page = await ask('/', { headers: { 'accept-encoding': 'gzip' } });
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
  const style = await ask('/assets/style.css');
  assert.match(String(style.headers.get('cache-control')), /immutable/);
  const part = await ask('/index.html', {
    headers: { range: 'bytes=0-14', 'accept-encoding': 'identity' },
  });
  assert.deepEqual([part.status, await part.text()], [206, '<!doctype html>']);
  assert.equal((await ask('/nothing')).status, 404);
  assert.equal((await ask('/index.html', { method: 'POST' })).status, 405);
});

test('examples/news.ts tells news to those who listen, and to those who come again what they have missed', async () => {
  using directory = temporaryDirectory();
  await using server = await startServe(['--memory', example('news.ts')], { cwd: directory.path });
  const listen = async (headers = {}): Promise<AsyncGenerator<Record<string, string>>> => {
    const response = await fetch(`${server.url}/news`, { headers });
    assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
    assert.ok(response.body);
    return eventsOf(response.body);
  };
  const tell = (text: string): Promise<string> =>
    get(`${server.url}/news`, { method: 'POST', body: new URLSearchParams({ text }) });
  assert.match(await get(server.url), /new EventSource\('\/news'\)/);
  const [one, two] = await Promise.all([listen(), listen()]);
  assert.equal(await tell('an elephant'), '204 ');
  const first = await next(one, 'headline');
  assert.equal(first['data'], '{"text":"an elephant"}');
  assert.equal((await next(two, 'headline'))['id'], first['id']);
  await two.return(undefined);
  assert.equal(await tell('another'), '204 ');
  const missed = await listen({ 'last-event-id': first['id'] });
  assert.equal((await next(missed, 'headline'))['data'], '{"text":"another"}');
  for (const listener of [one, missed]) await listener.return(undefined);
  assert.match(await tell(''), /^400 /);
  const clock = await fetch(`${server.url}/clock`);
  assert.ok(clock.body);
  const times = eventsOf(clock.body);
  assert.ok(Date.parse((await next(times, 'time'))['data'] ?? '') > 0);
  await times.return(undefined);
});

/** The events of a stream, by the names of their fields; what is none is left out. */
async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Record<string, string>> {
  let text = '';
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks)
      yield Object.fromEntries(
        block.split('\n').map((line) => [line.split(':', 1)[0], line.replace(/^\w*: ?/, '')]),
      );
  }
}

async function next(
  events: AsyncGenerator<Record<string, string>>,
  name: string,
): Promise<Record<string, string>> {
  for (;;) {
    const { value, done } = await events.next();
    if (done === true) throw new Error('the stream has ended');
    if (value['event'] === name) return value;
  }
}
