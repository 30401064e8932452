// Middlewares: their order, what they may change, how long they may take, and what goes wrong in them.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { middleware, route } from '../../src/web/route.ts';
import { startApplication } from '../support/application-fixture.ts';

describe('middlewares', () => {
  it('run in order, around what comes after them, and hand on what they put into the state', async () => {
    const trace = (name: string) =>
      middleware(async (_request, context, next) => {
        context.state['trace'] = `${(context.state['trace'] as string | undefined) ?? ''}${name}`;
        const response = await next();
        response.headers.append('x-trace', name);
        return response;
      });
    const app = await startApplication({
      middlewares: [trace('a'), trace('b')],
      routes: [
        route(
          '/handler',
          { middlewares: [trace('c')] },
          (_, { state }) => new Response(String(state['trace'])),
        ),
        route(
          '/target',
          { middlewares: [trace('c')] },
          {
            handleExchange(exchange, context) {
              exchange.respond({
                status: 201,
                fields: ['set-cookie', 'a=1'],
                body: String(context.state['trace']),
              });
            },
          },
        ),
        route('/streamed', {
          handleExchange(exchange) {
            exchange.respondStreamed({
              status: 200,
              fields: [],
              body: [Buffer.from('a'), Buffer.from('b')] as never,
            });
          },
        }),
      ],
    });
    for (const [path, trace, text] of [
      ['/handler', 'c, b, a', 'abc'],
      ['/target', 'c, b, a', 'abc'],
      ['/streamed', 'b, a', 'ab'],
      ['/nothing', 'b, a', '404 Not Found\n'],
    ] as const) {
      const response = await app.fetch(path);
      assert.equal(response.headers.get('x-trace'), trace);
      assert.equal(await response.text(), text);
    }
    await app[Symbol.asyncDispose]();
  });

  it('can stop, wait, and change request and response', async () => {
    const app = await startApplication({
      middlewares: [
        middleware((request, _, next) =>
          new URL(request.url).pathname === '/old'
            ? next(new Request(new URL('/new', request.url), request))
            : next(),
        ),
      ],
      routes: [
        route(
          '/stop',
          { middlewares: [() => new Response('stopped', { status: 401 })] },
          () => new Response('never'),
        ),
        route(
          'POST /change',
          {
            middlewares: [
              async (request, _, next) => {
                const text = await request.text();
                const response = await next(
                  new Request(request.url, { method: 'POST', body: text.toUpperCase() }),
                );
                return new Response(`<${await response.text()}>`, response);
              },
            ],
          },
          async (request) => new Response(await request.text()),
        ),
        route(
          'POST /change-target',
          {
            middlewares: [
              (request, _context, next) =>
                next(new Request(request.url, { method: 'POST', body: 'changed', headers: { a: 'b' } })),
            ],
          },
          {
            handleExchange(exchange) {
              exchange.collectBody(100, (body) => {
                const { fields } = exchange.head;
                exchange.respond({ status: 200, fields: [], body: `${body.toString()} ${fields.join(' ')}` });
              });
            },
          },
        ),
        route('/new', (request) => new Response(new URL(request.url).pathname)),
      ],
    });
    assert.equal((await app.fetch('/stop')).status, 401);
    const post = { method: 'POST', body: 'text' };
    assert.equal(await (await app.fetch('/change', post)).text(), '<TEXT>');
    assert.match(await (await app.fetch('/change-target', post)).text(), /^changed a b/);
    assert.equal(await (await app.fetch('/old')).text(), '/new');
    await app[Symbol.asyncDispose]();
  });

  it('of the application have as long as a handler, without the time of what is behind them', async () => {
    const services = { handlerTimeoutMs: 20 };
    const slow = Promise.withResolvers<void>();
    let handlerEnds: () => void = () => undefined;
    const definition = {
      middlewares: [
        middleware(async (request, _, next) => {
          const { pathname } = new URL(request.url);
          if (pathname === '/before') await new Promise(() => {});
          const response = await next();
          if (pathname === '/after') await new Promise(() => {});
          return response;
        }),
      ],
      routes: [
        route('/slow', { timeoutMs: Infinity }, async () => {
          handlerEnds();
          await slow.promise;
          return new Response('slow');
        }),
        route('/*', () => new Response('quick')),
      ],
    };
    await using app = await startApplication(definition, { services });
    const begun = new Promise<void>((resolve) => (handlerEnds = resolve));
    const answer = app.fetch('/slow');
    await begun;
    for (const path of ['/before', '/after']) assert.equal((await app.fetch(path)).status, 504, path);
    assert.equal((await app.observed('handler-timeout')).handler, 'a middleware of the application');
    slow.resolve();
    assert.equal(await (await answer).text(), 'slow', 'longer than those, whose time was over');
  });

  it('that fail, call next() twice or give no Response are answered with 500', async () => {
    const app = await startApplication({
      routes: [
        route('/throw', { middlewares: [() => Promise.reject(new Error('x'))] }, () => new Response()),
        route(
          '/twice',
          {
            middlewares: [
              async (_request, _context, next) => {
                await next();
                return next();
              },
            ],
          },
          () => new Response(),
        ),
        route('/nothing', { middlewares: [() => undefined as unknown as Response] }, () => new Response()),
        route(
          '/caught',
          {
            middlewares: [async (_, __, next) => next().catch((error: Error) => new Response(error.message))],
          },
          () => {
            throw new Error('caught');
          },
        ),
      ],
    });
    for (const path of ['/throw', '/twice', '/nothing'])
      assert.equal((await app.fetch(path)).status, 500, path);
    assert.equal(await (await app.fetch('/caught')).text(), 'caught');
    await app[Symbol.asyncDispose]();
  });

  it('hear of it where there will be no answer: the client has left, or has been refused', async () => {
    const ends: string[] = [];
    const cancelled = Promise.withResolvers<void>();
    const asked: string[] = [];
    const left = Promise.withResolvers<void>();
    await using app = await startApplication({
      middlewares: [
        middleware(async (request, _, next) => {
          try {
            return await next();
          } catch (error) {
            ends.push(`${new URL(request.url).pathname} ${(error as Error).name}`);
            throw error;
          }
        }),
      ],
      routes: [
        // As SQL does it, which answers nobody who has left.
        route('/target', {
          handleExchange(exchange) {
            exchange.collectBody(10, () => undefined);
            asked.push('yes');
          },
        }),
        route('/handler', { maxBodyBytes: 10 }, async (request) => new Response(await request.text())),
        route('/late', async (request) => {
          request.signal.addEventListener('abort', () => left.resolve());
          asked.push('yes');
          await left.promise;
          return new Response(new ReadableStream({ cancel: () => cancelled.resolve() }));
        }),
      ],
    });
    const chunked = (path: string): string =>
      `POST ${path} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n${'x'.repeat(20)}\r\n`;
    for (const path of ['/target', '/handler']) {
      const client = await app.connect();
      client.send(`${chunked(path)}0\r\n\r\n`);
      assert.match(await client.untilText('\r\n\r\n'), /^HTTP\/1.1 413 /, path);
    }
    while (ends.length < 2) await new Promise(setImmediate);
    for (const [path, rest] of [
      ['/target', 'Content-Length: 5\r\n\r\nx'],
      ['/late', 'Content-Length: 0\r\n\r\n'],
    ]) {
      const client = await app.connect();
      const before = asked.length;
      client.send(`POST ${path} HTTP/1.1\r\nHost: h\r\n${rest}`);
      while (asked.length === before) await new Promise(setImmediate);
      client.socket.resetAndDestroy();
      while (ends.length < (path === '/target' ? 3 : 4)) await new Promise(setImmediate);
    }
    await cancelled.promise;
    assert.deepEqual(ends, [
      '/target HowdahError',
      '/handler HowdahError',
      '/target AbortError',
      '/late AbortError',
    ]);
  });

  it('leave the length that HEAD is answered with as it is', async () => {
    const pass = middleware((_request, _context, next) => next());
    await using app = await startApplication({
      middlewares: [pass],
      routes: [
        route('/*', {
          handleExchange: (exchange) =>
            exchange.respond({ status: 200, fields: ['content-length', '77'], body: null }),
        }),
      ],
    });
    const response = await app.fetch('/', { method: 'HEAD' });
    assert.equal(response.headers.get('content-length'), '77');
  });

  it('that do not wait for next() are not ended by what goes wrong behind them', async () => {
    await using app = await startApplication({
      routes: [
        route(
          '/*',
          {
            middlewares: [
              (_request, _context, next) => {
                void next();
                return new Response('without');
              },
            ],
          },
          () => Promise.reject(new Error('unseen')),
        ),
      ],
    });
    for (let i = 0; i < 2; i += 1) assert.equal(await (await app.fetch('/')).text(), 'without');
  });
});
