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
});
