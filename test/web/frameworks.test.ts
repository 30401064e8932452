// Fetch-style applications of other people run unchanged: Hono with its common middlewares, h3, itty-router.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { compress } from 'hono/compress';
import { getCookie, setCookie } from 'hono/cookie';
import { cors } from 'hono/cors';
import { etag } from 'hono/etag';
import { HTTPException } from 'hono/http-exception';
import { jwt, sign } from 'hono/jwt';
import { methodOverride } from 'hono/method-override';
import { secureHeaders } from 'hono/secure-headers';
import { stream, streamSSE, streamText } from 'hono/streaming';
import { timeout } from 'hono/timeout';
import { H3 } from 'h3';
import { AutoRouter } from 'itty-router';
import type { Context as HowdahContext } from '../../src/web/handler.ts';
import { route } from '../../src/web/route.ts';
import { startApplication, type ApplicationFixture } from '../support/application-fixture.ts';

const SECRET = 'a secret of this test';
const LONG = 'elephants never forget. '.repeat(200);

function honoApplication(): Hono<{ Bindings: HowdahContext }> {
  const app = new Hono<{ Bindings: HowdahContext }>({ strict: false }).basePath('/api');
  app.use('/cors/*', cors({ origin: 'http://example.com', allowMethods: ['GET', 'PUT'], credentials: true }));
  app.get('/cors/x', (c) => c.text('cors'));
  app.use('/etag', etag());
  app.get('/etag', (c) => c.text('etag'));
  app.use('/compress', compress());
  app.get('/compress', (c) => c.text(LONG));
  app.use('/secret/*', jwt({ secret: SECRET, alg: 'HS256' }));
  app.get('/secret/who', (c) => c.json(c.get('jwtPayload')));
  app.post('/limited', bodyLimit({ maxSize: 10, onError: (c) => c.text('too large', 413) }), async (c) =>
    c.text(await c.req.text()),
  );
  app.use('/secure', secureHeaders());
  app.get('/secure', (c) => c.html('<p>secure'));
  app.use('/override', methodOverride({ app }));
  app.delete('/override', async (c) => c.json(await c.req.parseBody()));
  app.get('/slow', timeout(20), async (c) => {
    await new Promise(() => undefined);
    return c.text('never');
  });
  app.post('/json', async (c) => c.json({ got: await c.req.json(), query: c.req.query('q') }, 201));
  app.post('/form', async (c) => {
    const { file, name } = await c.req.parseBody();
    return c.json({ name, file: file instanceof File ? await file.text() : null });
  });
  app.get('/cookies', (c) => {
    setCookie(c, 'one', '1', { httpOnly: true });
    setCookie(c, 'two', '2');
    return c.json(getCookie(c));
  });
  app.get('/stream', (c) =>
    stream(c, async (out) => {
      await out.write('a');
      await out.pipe(new Blob(['b', 'c']).stream());
    }),
  );
  app.get('/stream-text', (c) =>
    streamText(c, async (out) => {
      for (const line of ['one', 'two']) await out.writeln(line);
    }),
  );
  app.get('/sse', (c) =>
    streamSSE(c, async (out) => {
      for (const id of ['1', '2']) await out.writeSSE({ data: `event ${id}`, event: 'tick', id });
    }),
  );
  app.get('/users/:id{[0-9]+}', (c) => c.json({ id: c.req.param('id'), peer: c.env.peer.address }));
  app.get('/redirect', (c) => c.redirect('/api/etag'));
  app.get('/bytes', (c) => c.body(new Uint8Array([1, 2, 3]).buffer, { headers: { 'content-type': 'a/b' } }));
  app.get('/forbidden', () => {
    throw new HTTPException(403, { message: 'forbidden' });
  });
  app.all('/proxy/*', (c) => {
    const url = new URL(c.req.url);
    url.pathname = url.pathname.replace('/proxy', '');
    return fetch(new Request(url, c.req.raw));
  });
  app.mount('/mounted', (request: Request) => new Response(new URL(request.url).pathname));
  return app;
}

describe('a Hono application', () => {
  let app: ApplicationFixture;
  const text = async (path: string, init?: RequestInit): Promise<string> =>
    (await app.fetch(path, init)).text();

  before(async () => {
    const hono = honoApplication();
    app = await startApplication({ routes: [route('/api/*', hono.fetch), route('/object/*', hono)] });
  });
  after(() => app[Symbol.asyncDispose]());

  it('answers preflight requests and sets CORS fields', async () => {
    const origin = { origin: 'http://example.com', 'access-control-request-method': 'PUT' };
    const preflight = await app.fetch('/api/cors/x', { method: 'OPTIONS', headers: origin });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers.get('access-control-allow-origin'), 'http://example.com');
    assert.equal(preflight.headers.get('access-control-allow-methods'), 'GET,PUT');
    const response = await app.fetch('/api/cors/x', { headers: origin });
    assert.equal(response.headers.get('access-control-allow-credentials'), 'true');
    assert.equal(await response.text(), 'cors');
  });

  it('gives entity tags and answers conditional requests', async () => {
    const tag = (await app.fetch('/api/etag')).headers.get('etag') ?? '';
    assert.match(tag, /^"/);
    const again = await app.fetch('/api/etag', { headers: { 'if-none-match': tag } });
    assert.equal(again.status, 304);
    assert.equal(again.headers.get('etag'), tag);
  });

  it('compresses', async () => {
    const response = await app.fetch('/api/compress', { headers: { 'accept-encoding': 'gzip' } });
    assert.equal(response.headers.get('content-encoding'), 'gzip');
    assert.equal(await response.text(), LONG);
    const plain = await app.fetch('/api/compress', { headers: { 'accept-encoding': 'identity' } });
    assert.equal(plain.headers.get('content-encoding'), null);
    assert.equal(await plain.text(), LONG);
  });

  it('checks JSON web tokens', async () => {
    assert.equal((await app.fetch('/api/secret/who')).status, 401);
    const token = await sign({ sub: 'anna' }, SECRET, 'HS256');
    const response = await app.fetch('/api/secret/who', { headers: { authorization: `Bearer ${token}` } });
    assert.deepEqual(await response.json(), { sub: 'anna' });
  });

  it('limits bodies, of a known length and streamed', async () => {
    const streamed = (body: string): RequestInit => ({
      method: 'POST',
      body: ReadableStream.from([Buffer.from(body)]) as RequestInit['body'] & object,
      duplex: 'half',
    });
    assert.equal(await text('/api/limited', { method: 'POST', body: 'short' }), 'short');
    assert.equal((await app.fetch('/api/limited', { method: 'POST', body: 'much too long' })).status, 413);
    assert.equal(await text('/api/limited', streamed('short')), 'short');
    assert.equal((await app.fetch('/api/limited', streamed('much too long'))).status, 413);
  });

  it('streams, also events', async () => {
    assert.equal(await text('/api/stream'), 'abc');
    assert.equal(await text('/api/stream-text'), 'one\ntwo\n');
    const events = await app.fetch('/api/sse');
    assert.equal(events.headers.get('content-type'), 'text/event-stream');
    assert.match(await events.text(), /event: tick\ndata: event 1\nid: 1\n\n/);
  });

  it('parses JSON, forms, queries and cookies, and sets cookies', async () => {
    const json = await app.fetch('/api/json?q=a%20b', { method: 'POST', body: '{"a":1}' });
    assert.equal(json.status, 201);
    assert.deepEqual(await json.json(), { got: { a: 1 }, query: 'a b' });
    const form = new FormData();
    form.set('name', 'n');
    form.set('file', new File(['content'], 'f.txt'));
    assert.deepEqual(JSON.parse(await text('/api/form', { method: 'POST', body: form })), {
      name: 'n',
      file: 'content',
    });
    const cookies = await app.fetch('/api/cookies', { headers: { cookie: 'x=y' } });
    assert.deepEqual(cookies.headers.getSetCookie(), ['one=1; Path=/; HttpOnly', 'two=2; Path=/']);
    assert.deepEqual(await cookies.json(), { x: 'y' });
  });

  it('finds the context of howdah in its env', async () => {
    assert.deepEqual(JSON.parse(await text('/api/users/7')), { id: '7', peer: '127.0.0.1' });
    assert.equal((await app.fetch('/api/users/x')).status, 404);
  });

  it('redirects, throws, times out, overrides methods, sends bytes and HEAD', async () => {
    const redirect = await app.fetch('/api/redirect', { redirect: 'manual' });
    assert.equal(redirect.status, 302);
    assert.equal(redirect.headers.get('location'), '/api/etag');
    assert.equal((await app.fetch('/api/forbidden')).status, 403);
    assert.equal((await app.fetch('/api/slow')).status, 504);
    const body = new URLSearchParams({ _method: 'DELETE', a: 'b' });
    assert.deepEqual(JSON.parse(await text('/api/override', { method: 'POST', body })), { a: 'b' });
    const bytes = await app.fetch('/api/bytes');
    assert.equal(bytes.headers.get('content-type'), 'a/b');
    assert.deepEqual(await bytes.bytes(), new Uint8Array([1, 2, 3]));
    const head = await app.fetch('/api/etag', { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.equal(await head.text(), '');
    assert.equal((await app.fetch('/api/secure')).headers.get('x-frame-options'), 'SAMEORIGIN');
  });

  it('is a proxy by fetch(), and mounts other applications', async () => {
    assert.equal(await text('/api/proxy/etag'), 'etag');
    assert.equal(await text('/api/proxy/limited', { method: 'POST', body: 'short' }), 'short');
    assert.equal(await text('/api/mounted/inner/x'), '/inner/x');
  });

  it('can be given as an object with fetch()', async () => {
    assert.equal((await app.fetch('/object/x')).status, 404);
  });
});

describe('other fetch-style applications', () => {
  it('h3 runs', async () => {
    const h3 = new H3()
      .get('/h3/hello/:name', (event) => ({ hello: event.context.params?.['name'] }))
      .post('/h3/echo', async (event) => event.req.text());
    const app = await startApplication({ routes: [route('/h3/*', h3)] });
    assert.deepEqual(await (await app.fetch('/h3/hello/you')).json(), { hello: 'you' });
    assert.equal(await (await app.fetch('/h3/echo', { method: 'POST', body: 'echo' })).text(), 'echo');
    assert.equal((await app.fetch('/h3/nothing')).status, 404);
    await app[Symbol.asyncDispose]();
  });

  it('itty-router runs', async () => {
    const router = AutoRouter({ base: '/itty' });
    router.get('/hello/:name', ({ params }) => ({ hello: params['name'] }));
    const app = await startApplication({ routes: [route('/itty/*', router)] });
    assert.deepEqual(await (await app.fetch('/itty/hello/you')).json(), { hello: 'you' });
    assert.equal((await app.fetch('/itty/nothing')).status, 404);
    await app[Symbol.asyncDispose]();
  });
});
