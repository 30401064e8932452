// Server push over real sockets: promised by a handler, or by the command of a stream handler, and answered by the handlers.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import { test } from 'node:test';
import type { Command } from '../../src/server/command.ts';
import type { StreamHandlerFactory } from '../../src/server/stream-handler.ts';
import type { Exchange } from '../../src/web/exchange.ts';
import { requestHandler } from '../../src/web/request-handler.ts';
import { get, startHttp, type FixtureOptions, type HttpFixture } from '../support/http-fixture.ts';

interface Seen {
  readonly body: string;
  /** Path and body of what was pushed, by path. */
  readonly pushed: readonly (readonly [path: string, accept: string | undefined, body: string])[];
}

async function textOf(stream: AsyncIterable<unknown>): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}

/** Asks for `/page` on a session of its own and waits for everything that comes of it. */
async function seen(http: HttpFixture, settings: { enablePush?: boolean } = {}): Promise<Seen> {
  const session: ClientHttp2Session = connect(`http://127.0.0.1:${http.port}`, { settings });
  const pushes: Promise<readonly [string, string | undefined, string]>[] = [];
  session.on('stream', (stream, head: IncomingHttpHeaders) => {
    pushes.push(textOf(stream).then((body) => [String(head[':path']), head['accept'], body] as const));
  });
  const body = await textOf(session.request({ ':path': '/page' }));
  // What was promised before the page is complete was promised before this.
  await once(session.request({ ':path': '/other' }).resume(), 'close');
  const pushed = (await Promise.all(pushes)).toSorted(([a], [b]) => (a < b ? -1 : 1));
  session.close();
  return { body, pushed };
}

function page(onPage: (exchange: Exchange) => void, options: FixtureOptions = {}): Promise<HttpFixture> {
  return startHttp((exchange) => {
    const { path, query, authority, fields } = exchange.head;
    if (path === '/page') onPage(exchange);
    const body = `${path}${query === null ? '' : `?${query}`} of ${authority} ${fields.includes('host')}`;
    exchange.respond({ status: 200, fields: [], body });
  }, options);
}

test('what a handler pushes is promised and answered as a request of its own', async () => {
  const results: boolean[] = [];
  await using http = await page((exchange) => {
    results.push(exchange.push('/style.css?v=1', ['Accept', 'text/css']), exchange.push('/b', []));
  });
  const origin = `127.0.0.1:${http.port}`;
  const { body, pushed } = await seen(http);
  assert.equal(body, `/page of ${origin} true`);
  assert.deepEqual(results, [true, true]);
  assert.deepEqual(pushed, [
    ['/b', undefined, `/b of ${origin} true`],
    ['/style.css?v=1', 'text/css', `/style.css?v=1 of ${origin} true`],
  ]);
});

test('only safe requests of the page’s own authority are promised (RFC 9113 §8.4)', async () => {
  const results: boolean[] = [];
  await using http = await page((exchange) => {
    for (const path of ['https://other.example/', 'a', '', '/a b', '/a#b', '/a\r\nb']) {
      results.push(exchange.push(path, []));
    }
    for (const name of ['Content-Length', 'content-type', 'expect'])
      results.push(exchange.push('/', [name, '1']));
    results.push(exchange.push('/', ['x', 'a\nb']), exchange.push('/', [':authority', 'other.example']));
  });
  assert.deepEqual((await seen(http)).pushed, []);
  assert.deepEqual(
    results,
    results.map(() => false),
  );
});

test('nothing is pushed to a client that takes no promises, nor in HTTP/1.1', async () => {
  const results: boolean[] = [];
  await using http = await page((exchange) => results.push(exchange.push('/b', [])));
  assert.deepEqual((await seen(http, { enablePush: false })).pushed, []);
  const client = await http.connect();
  client.send(get('/page'));
  await client.untilText('/page of h');
  assert.deepEqual(results, [false, false]);
});

test('a stream handler pushes with a command', async () => {
  const push: Command = { kind: 'push', path: '/pushed', fields: [] };
  const pushing: StreamHandlerFactory = {
    open(stream, next) {
      const inner = next();
      return {
        init: () => {
          const commands = inner.init() ?? [];
          return stream.head.path === '/page' ? [push, ...[commands].flat()] : commands;
        },
        data: (chunk) => inner.data(chunk),
        end: (trailers) => inner.end(trailers),
        info: (message) => inner.info(message),
        terminate: (end) => inner.terminate(end),
      };
    },
  };
  const handle = (exchange: Exchange): void =>
    exchange.respond({ status: 200, fields: [], body: exchange.head.path });
  await using http = await startHttp(handle, { handlers: [pushing, requestHandler(handle)] });
  assert.deepEqual(await seen(http), { body: '/page', pushed: [['/pushed', undefined, '/pushed']] });
  const client = await http.connect();
  client.send(get('/page'));
  await client.untilText('/page');
});

test('a promise that the client refuses is not answered, or its answer is dropped', async () => {
  const { promise: over, resolve } = Promise.withResolvers<void>();
  await using http = await startHttp((exchange) => {
    if (exchange.head.path === '/pushed') {
      exchange.onClose(resolve);
      return;
    }
    exchange.push('/pushed', []);
    exchange.respond({ status: 200, fields: [], body: 'page' });
  });
  const session = connect(`http://127.0.0.1:${http.port}`);
  session.on('stream', (stream) => {
    stream.on('error', () => {});
    stream.close(8);
  });
  assert.equal(await textOf(session.request({ ':path': '/page' })), 'page');
  await over;
  session.close();
});
