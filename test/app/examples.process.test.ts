// The examples of applications, served by the command as a reader would.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
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
