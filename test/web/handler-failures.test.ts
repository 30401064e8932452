// What goes wrong in handlers and the bodies of their responses: each has an answer, and none takes others along.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Handler, RouteTarget } from '../../src/web/handler.ts';
import { route } from '../../src/web/route.ts';
import { Application, type ApplicationDefinition } from '../../src/web/application.ts';
import { startApplication, type ApplicationFixture } from '../support/application-fixture.ts';
import { get } from '../support/http-fixture.ts';

describe('a handler that fails', () => {
  let app: ApplicationFixture;
  let handler: Handler = () => new Response();
  const said = (next: Handler): Promise<Response> => {
    handler = next;
    return app.fetch('/');
  };
  const lastFailure = (): { message: string; where: string | null } | undefined =>
    app.observations.findLast((observation) => observation.kind === 'handler-failed');

  before(async () => {
    app = await startApplication({
      routes: [
        route('/quick', { timeoutMs: 20 }, (request, context) => handler(request, context)),
        route('/*', (request, context) => handler(request, context)),
      ],
    });
  });
  after(() => app[Symbol.asyncDispose]());

  it('by throwing is answered with 500, and logged with its stack', async () => {
    const response = await said(() => {
      throw new Error('thrown');
    });
    assert.equal(response.status, 500);
    assert.doesNotMatch(await response.text(), /thrown/);
    assert.equal(lastFailure()?.message, 'thrown');
    assert.match(lastFailure()?.where ?? '', /handler-failures/);
  });

  it('by rejecting is answered with 500, whatever it rejects with', async () => {
    for (const reason of [new Error('rejected'), 'text', undefined, null, 7]) {
      // oxlint-disable-next-line prefer-promise-reject-errors -- what JavaScript callers may do
      const response = await said(() => Promise.reject(reason));
      assert.equal(response.status, 500);
      await response.text();
    }
  });

  for (const wrong of [undefined, null, 'text', 7, {}, { status: 200 }, { status: 200, headers: {} }, []]) {
    it(`by giving ${JSON.stringify(wrong)} in place of a Response is answered with 500`, async () => {
      const response = await said(() => wrong as unknown as Response);
      assert.equal(response.status, 500);
      await response.text();
      assert.match(lastFailure()?.message ?? '', /the handler gave .*, not a Response/);
    });
  }

  it('by never answering is answered with 504, and its signal is aborted', async () => {
    const late = Promise.withResolvers<Response>();
    let reason: unknown;
    handler = ({ signal }) => {
      signal.addEventListener('abort', () => {
        reason = signal.reason;
      });
      return late.promise;
    };
    const response = await app.fetch('/quick');
    assert.equal(response.status, 504);
    await response.text();
    assert.equal((reason as DOMException).name, 'TimeoutError');
    const timeout = await app.observed('handler-timeout');
    assert.equal(timeout.limitMs, 20);
    assert.equal(timeout.handler, '/quick');
    // What it answers then goes nowhere, and does no harm.
    let cancelled = false;
    late.resolve(
      new Response(
        new ReadableStream({
          cancel() {
            cancelled = true;
          },
        }),
      ),
    );
    assert.equal(await (await said(() => new Response('next'))).text(), 'next');
    assert.equal(cancelled, true);
  });

  it('whose client has left is not answered, and its body is cancelled', async () => {
    const client = await app.connect();
    const asked = Promise.withResolvers<void>();
    const left = Promise.withResolvers<void>();
    const cancelled = Promise.withResolvers<void>();
    handler = async ({ signal }) => {
      signal.addEventListener('abort', () => left.resolve());
      asked.resolve();
      await left.promise;
      return new Response(new ReadableStream({ cancel: () => cancelled.resolve() }));
    };
    client.send(get('/'));
    await asked.promise;
    client.socket.resetAndDestroy();
    await cancelled.promise;
  });

  for (const value of ['a\r\nx-evil: 1', 'a\nb', 'a\0b', 'a\rb']) {
    it(`by a header with ${JSON.stringify(value)} is answered with 500, and nothing of it is on the wire`, async () => {
      for (const next of [
        (): Response => new Response('x', { headers: { 'x-bad': value } }),
        // A class of somebody else's that checks nothing.
        () => ({ status: 200, headers: new Map([['x-bad', value]]), body: null }) as unknown as Response,
        () => ({ status: 200, headers: new Map([[value, 'x']]), body: null }) as unknown as Response,
      ]) {
        handler = next;
        const client = await app.connect();
        const text = await client.say(get('/', 'Connection: close\r\n'));
        assert.match(text, /^HTTP\/1\.1 500 /);
        assert.doesNotMatch(text, /x-evil|x-bad/);
      }
    });
  }

  it('by a status that is none is answered with 500', async () => {
    for (const status of [0, 99, 1000, Number.NaN]) {
      const response = await said(() => ({ status, headers: new Map(), body: null }) as unknown as Response);
      assert.equal(response.status, 500);
      await response.text();
    }
    assert.equal((await said(() => Response.error())).status, 500);
  });

  it('by giving a Response for the second time is answered with 500', async () => {
    const streamed = new Response(ReadableStream.from([Buffer.from('once')]) as RequestInit['body']);
    assert.equal(await (await said(() => streamed)).text(), 'once');
    assert.equal((await said(() => streamed)).status, 500);
    const read = new Response('read');
    await read.text();
    assert.equal((await said(() => read)).status, 500);
    // One whose text is at hand can be given again and again.
    const constant = new Response('constant');
    assert.equal(await (await said(() => constant)).text(), 'constant');
    assert.equal(await (await said(() => constant)).text(), 'constant');
  });

  const bodies: readonly (readonly [string, () => ReadableStream])[] = [
    [
      'errors half-way',
      () =>
        new ReadableStream({
          start(controller) {
            controller.enqueue(Buffer.from('begin'));
          },
          pull() {
            throw new Error('half-way');
          },
        }),
    ],
    ['has a chunk of text in it', () => ReadableStream.from([Buffer.from('begin'), 'text'])],
  ];
  for (const [what, body] of bodies) {
    it(`by a body that ${what} has its connection reset, and the reason logged`, async () => {
      handler = () => new Response(body() as RequestInit['body']);
      const client = await app.connect();
      const before = app.observations.length;
      client.send(get('/'));
      await client.closed;
      assert.match(client.text, /begin/);
      assert.doesNotMatch(client.text, /\r\n0\r\n/);
      assert.ok(app.observations.slice(before).some(({ kind }) => kind === 'internal-error'));
    });
  }

  it('by a body longer or shorter than its content-length has its connection reset', async () => {
    for (const length of ['3', '30']) {
      handler = () =>
        new Response(ReadableStream.from([Buffer.from('ten bytes.')]) as RequestInit['body'], {
          headers: { 'content-length': length },
        });
      const client = await app.connect();
      client.send(get('/'));
      await client.closed;
      assert.ok(client.text.length > 0);
    }
  });

  it('by a stream whose source ignores back-pressure is reset before it fills the memory', async () => {
    const cancelled = Promise.withResolvers<unknown>();
    let timer: NodeJS.Timeout | undefined;
    handler = () =>
      new Response(
        new ReadableStream({
          start(controller) {
            const chunk = Buffer.alloc(1_000_000);
            timer = setInterval(() => controller.enqueue(chunk), 1);
          },
          cancel(reason) {
            clearInterval(timer);
            cancelled.resolve(reason);
          },
        }),
      );
    const client = await app.connect();
    client.socket.pause();
    client.send(get('/'));
    assert.match(String(await cancelled.promise), /ignores back-pressure/);
    client.socket.resume();
    await client.closed;
  });

  it('reads no more of a stream than the client takes', async () => {
    let pulled = 0;
    handler = (request) => {
      if (request.url.endsWith('/quick')) return new Response('x');
      return new Response(
        new ReadableStream({
          pull(controller) {
            pulled += 1;
            controller.enqueue(Buffer.alloc(100_000));
          },
        }),
      );
    };
    const client = await app.connect();
    client.socket.pause();
    client.send(get('/'));
    // Other requests go on meanwhile; when many of them have seen no further chunk, it waits.
    let before = -1;
    for (let unchanged = 0; unchanged < 20; unchanged = pulled === before && pulled > 0 ? unchanged + 1 : 0) {
      before = pulled;
      assert.equal(await (await app.fetch('/quick')).text(), 'x');
    }
    assert.ok(pulled < 200, `${pulled} chunks of 100 kB`);
    client.socket.destroy();
  });

  it('says why, in development', async () => {
    const dev = await startApplication(
      {
        routes: [
          route('/', () => {
            throw new Error('what is wrong');
          }),
        ],
      },
      { services: { dev: true } },
    );
    const text = await (await dev.fetch('/')).text();
    assert.match(text, /what is wrong/);
    assert.match(text, /handler-failures\.test\.ts/);
    await dev[Symbol.asyncDispose]();
  });
});

describe('targets that take exchanges', () => {
  it('answer once: what comes after the first answer is dropped', async () => {
    const target: RouteTarget = {
      handleExchange(exchange) {
        exchange.respond({ status: 200, fields: [], body: 'first' });
        exchange.respond({ status: 500, fields: [], body: 'second' });
        exchange.fail(500);
      },
    };
    const throwing: RouteTarget = {
      methods: ['GET'],
      handleExchange() {
        throw new Error('thrown');
      },
    };
    const app = await startApplication({ routes: [route('/', target), route('/throw', throwing)] });
    assert.equal(await (await app.fetch('/')).text(), 'first');
    assert.equal((await app.fetch('/throw')).status, 500);
    const refused = await app.fetch('/throw', { method: 'PUT' });
    assert.equal(refused.status, 405);
    assert.equal(refused.headers.get('allow'), 'GET, HEAD, OPTIONS');
    await app[Symbol.asyncDispose]();
  });
});

describe('an application', () => {
  const make = (definition: unknown): (() => Application) => {
    return () => new Application(definition as ApplicationDefinition, {} as never);
  };

  it('refuses what JavaScript callers may give it in place of routes and middlewares', () => {
    assert.throws(make({ routes: {} }), /routes are an array, not an object/);
    assert.throws(make({ routes: [{}] }), /routes\[0\] is an object of Object, not what route\(\) makes/);
    assert.throws(make({ routes: [null] }), /routes\[0\] is null/);
    assert.throws(make({ routes: [], middlewares: [7] }), /a middleware is a number, not a function/);
  });
});
