// The application with a database of its own, in memory, asked without a socket.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { serve } from 'howdah';
import type { ServerInProcess } from 'howdah';
import app from '../app.ts';

let server: ServerInProcess;

before(async () => {
  server = await serve(app, {
    memory: true,
    sql: [fileURLToPath(new URL('../sql', import.meta.url))],
    listen: { host: '127.0.0.1', port: 0 },
  });
});
after(() => server.close(1000));

test('a note that was added can be read', async () => {
  const added = await server.inject('/notes', { method: 'POST', body: 'water the elephant' });
  assert.equal(added.status, 201);
  assert.deepEqual(await added.json(), { id: 1, text: 'water the elephant' });
  assert.deepEqual(await (await server.inject('/notes/1')).json(), { id: 1, text: 'water the elephant' });
  assert.equal((await server.inject('/notes/2')).status, 404);
  assert.equal((await server.inject('/notes/x')).status, 404);
});

test('a note without a text is refused', async () => {
  assert.equal((await server.inject('/notes', { method: 'POST', body: ' ' })).status, 400);
});

test('the handler in SQL counts them', async () => {
  assert.deepEqual(await (await server.inject('/count')).json(), { notes: 1 });
});

test('the page is there', async () => {
  const page = await server.inject('/');
  assert.equal(page.headers.get('content-type'), 'text/html; charset=utf-8');
  assert.match(await page.text(), /<h1>Notes<\/h1>/);
});
