// Routes of an application: patterns, bindings, constraints, methods, and what is answered where nothing matches.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { int, nonempty, type Constraint } from '../../src/web/constraint.ts';
import type { Handler } from '../../src/web/handler.ts';
import { route, middleware } from '../../src/web/route.ts';
import { startApplication, type ApplicationFixture } from '../support/application-fixture.ts';

const date: Constraint<Date> = (text) => {
  const value = new Date(`${text}T00:00:00Z`);
  return Number.isNaN(value.getTime()) ? undefined : value;
};
date.reverse = (value) => value.toISOString().slice(0, 10);

const echo: Handler = (request, { bindings }) =>
  Response.json({ method: request.method, url: request.url, bindings });

describe('routes of an application', () => {
  let app: ApplicationFixture;
  const said = async (path: string, init?: RequestInit): Promise<unknown> =>
    (await app.fetch(path, init)).json();

  before(async () => {
    app = await startApplication({
      routes: [
        route('GET /users/:id', { constraints: { id: int } }, (_, { bindings }) => {
          const { id } = bindings;
          // The type of a binding with a constraint is that of its values.
          return Response.json({ id: id + 1 });
        }),
        route('GET /users/:name', (_, { bindings }) => Response.json({ name: bindings.name.toUpperCase() })),
        route('POST,PUT /users/:id', echo),
        route('GET /days/:day', { constraints: { day: date } }, (_, { bindings }) =>
          Response.json({ year: bindings.day.getUTCFullYear() }),
        ),
        route('GET /files/*', (_, { bindings }) => new Response(bindings['0'])),
        route('GET /optional/:part?', (_, { bindings }) => Response.json({ part: bindings.part ?? null })),
        route('GET //:tenant.example.com/hello', (_, { bindings }) => new Response(bindings.tenant)),
        route('GET http://api.example.com/hello', () => new Response('api')),
        route('GET /search', { search: 'q=:q' }, (_, context) => Response.json(context.bindings)),
        route('GET /priority', () => new Response('low')),
        route('GET /priority', { priority: 1 }, () => new Response('high')),
        route('GET /headless', () => new Response('get', { headers: { 'x-from': 'get' } })),
        route('HEAD /headless', () => new Response(null, { headers: { 'x-from': 'head' } })),
        route('PROPFIND /dav', echo),
        route('/any', echo),
      ],
    });
  });
  after(() => app[Symbol.asyncDispose]());

  it('gives bindings that constraints have converted, and tries the next route where they do not allow the text', async () => {
    assert.deepEqual(await said('/users/41'), { id: 42 });
    assert.deepEqual(await said('/users/anna'), { name: 'ANNA' });
    assert.deepEqual(await said('/days/2026-11-25'), { year: 2026 });
    assert.equal((await app.fetch('/days/never')).status, 404);
  });

  it('decodes bindings, and answers 400 to what is not UTF-8', async () => {
    assert.deepEqual(await said('/users/a%20%C3%A4'), { name: 'A Ä' });
    assert.equal((await app.fetch('/users/%ff')).status, 400);
  });

  it('names what a wildcard takes 0, and leaves out a group that took no part', async () => {
    assert.equal(await (await app.fetch('/files/a/b.txt')).text(), 'a/b.txt');
    assert.deepEqual(await said('/optional'), { part: null });
    assert.deepEqual(await said('/optional/x'), { part: 'x' });
  });

  it('matches hosts, with any port, and queries', async () => {
    const client = await app.connect();
    client.send('GET /hello HTTP/1.1\r\nHost: acme.example.com:8080\r\n\r\n');
    client.send('GET /hello HTTP/1.1\r\nHost: api.example.com\r\nConnection: close\r\n\r\n');
    const text = await client.untilEnd();
    assert.match(text, /\r\n\r\nacme/);
    // Both match: the first in order answers.
    assert.match(text, /\r\n\r\napi$/);
    assert.deepEqual(await said('/search?q=elephant'), { q: 'elephant' });
    assert.equal((await app.fetch('/search')).status, 404);
  });

  it('puts the highest priority first', async () => {
    assert.equal(await (await app.fetch('/priority')).text(), 'high');
  });

  it('answers HEAD with the GET route, without its body, unless there is a HEAD route', async () => {
    const head = await app.fetch('/users/41', { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.equal(head.headers.get('content-length'), '9');
    assert.equal(await head.text(), '');
    assert.equal((await app.fetch('/headless', { method: 'HEAD' })).headers.get('x-from'), 'head');
  });

  it('answers 405 with Allow to a method that no route for the path has, and OPTIONS with 204', async () => {
    const refused = await app.fetch('/users/41', { method: 'DELETE' });
    assert.equal(refused.status, 405);
    assert.equal(refused.headers.get('allow'), 'GET, HEAD, POST, PUT, OPTIONS');
    const options = await app.fetch('/users/41', { method: 'OPTIONS' });
    assert.equal(options.status, 204);
    assert.equal(options.headers.get('allow'), 'GET, HEAD, POST, PUT, OPTIONS');
    assert.equal((await app.fetch('/days/never', { method: 'POST' })).status, 404);
    assert.deepEqual(await said('/any', { method: 'OPTIONS' }), {
      method: 'OPTIONS',
      url: `${app.origin}/any`,
      bindings: {},
    });
  });

  it('answers 404 where no route has the path, and matches methods that HTTP does not know', async () => {
    assert.equal((await app.fetch('/nothing')).status, 404);
    const client = await app.connect();
    assert.match(
      await client.say('PROPFIND /dav HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n'),
      /"PROPFIND"/,
    );
  });

  it('answers 400 to a target that is no URI', async () => {
    const client = await app.connect();
    assert.match(
      await client.say('GET / HTTP/1.1\r\nHost: a:99999\r\nConnection: close\r\n\r\n'),
      /^HTTP\/1.1 400/,
    );
  });

  it('serves other routes from one request to the next of a connection', async () => {
    const other = await startApplication({ routes: [route('GET /', () => new Response('old'))] });
    const client = await other.connect();
    client.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await client.untilText('old');
    other.replace({ routes: [route('GET /', () => new Response('new'))] });
    client.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await client.untilText('new');
    await other[Symbol.asyncDispose]();
  });
});

describe('route()', () => {
  const target: Handler = () => new Response();

  it('makes paths of bindings', () => {
    const day = route('GET /days/:day/:slot', { constraints: { day: date, slot: int } }, target);
    assert.equal(day.path({ day: new Date('2026-11-25'), slot: 3 }), '/days/2026-11-25/3');
    assert.equal(route('/a/:b', target).path({ b: 'x y/z' }), '/a/x%20y%2Fz');
    assert.throws(
      () => route('/a/:b', { constraints: { b: nonempty } }, target).path({ b: '' }),
      /"" is not allowed for b/,
    );
    assert.throws(() => route('/a/*', target).path({ '0': 'x' }), /no path can be made of "\*"/);
  });

  const wrong: readonly (readonly [string, () => unknown, RegExp])[] = [
    ['no pattern', () => route(7 as never, target), /the pattern is a text, not a number/],
    ['an empty pattern', () => route('', target), /a pattern is a path/],
    ['a path without /', () => route('users', target), /a pattern is a path/],
    ['a method in small letters', () => route('get /', target), /the method is written GET/],
    ['a pattern that URLPattern rejects', () => route('/:a(', target), /not a valid URL pattern/],
    ['a group twice', () => route('/:a/:a', target), /not a valid URL pattern/],
    ['no target', () => route('/', undefined as never), /the target is a function.*not undefined/],
    ['a target that is none', () => route('/', { get: target } as never), /not an object of Object/],
    [
      'a constraint that is no function',
      () => route('/:a', { constraints: { a: /x/ as never } }, target),
      /not a function/,
    ],
    [
      'a constraint on no group',
      () => route('/:a', { constraints: { b: int } }, target),
      /no group of that name/,
    ],
    [
      'an unknown option',
      () => route('/', { methods: ['GET'] } as never, target),
      /there is no option methods/,
    ],
    [
      'a priority that is no number',
      () => route('/', { priority: '1' as never }, target),
      /the priority is a whole number/,
    ],
    ['a timeout that is none', () => route('/', { timeoutMs: -1 }, target), /timeoutMs is a number above 0/],
    ['a middleware that is none', () => route('/', { middlewares: [{}] as never }, target), /not a function/],
    ['middleware() of no function', () => middleware('x' as never), /a function is expected, not a string/],
  ];
  for (const [what, make, message] of wrong) {
    it(`refuses ${what}`, () => {
      assert.throws(make, (error) => error instanceof TypeError && message.test(error.message));
    });
  }
});
