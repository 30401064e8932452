// What handlers give is a Response, as the fetch standard has them, although it is none of the platform's as long as nobody needs that.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { route } from '../../src/web/route.ts';
import { startApplication, type ApplicationFixture } from '../support/application-fixture.ts';

describe('the response of a handler', () => {
  let app: ApplicationFixture;
  let respond: (request: Request) => Response | Promise<Response> = () => new Response();
  const said = async (next: typeof respond, init?: RequestInit): Promise<Response> => {
    respond = next;
    return app.fetch('/', init);
  };

  before(async () => {
    app = await startApplication({ routes: [route('/*', (request) => respond(request))] });
  });
  after(() => app[Symbol.asyncDispose]());

  it('is a Response, with the properties of one', async () => {
    const response = new Response('t\u00e4xt', { status: 201, headers: { 'X-One': '1' } });
    assert.ok(response instanceof Response);
    assert.equal(response.constructor, Response);
    assert.equal(Object.prototype.toString.call(response), '[object Response]');
    assert.equal(response.status, 201);
    assert.equal(response.ok, true);
    assert.equal(response.statusText, '');
    assert.equal(response.type, 'default');
    assert.equal(response.headers.get('content-type'), 'text/plain;charset=UTF-8');
    assert.equal(response.headers.get('x-one'), '1');
    assert.equal(response.bodyUsed, false);
    const clone = response.clone();
    assert.equal(await clone.text(), 't\u00e4xt');
    assert.ok(response.body instanceof ReadableStream);
    assert.equal(await response.text(), 't\u00e4xt');
    assert.equal(response.bodyUsed, true);
    await assert.rejects(response.text(), TypeError);
    assert.deepEqual(await Response.json({ a: 1 }).json(), { a: 1 });
    assert.equal(Response.json([]).headers.get('content-type'), 'application/json');
    assert.equal(Response.redirect('http://h/').status, 302);
    assert.equal(new Response(null).body, null);
    assert.equal(await new Response(new Uint8Array([97])).text(), 'a');
    class Special extends Response {
      readonly special = true;
    }
    const special = new Special('x', { status: 202 });
    assert.ok(special instanceof Response);
    assert.equal(special.status, 202);
    assert.equal(await special.text(), 'x');
  });

  it('is refused where the fetch standard refuses it', () => {
    assert.throws(() => new Response('x', { status: 199 }), RangeError);
    assert.throws(() => new Response('x', { status: 204 }), TypeError);
    assert.throws(() => new Response('x', { headers: { 'a b': 'c' } }), TypeError);
    assert.throws(() => new Response('x', { headers: { a: 'b\r\nc' } }), TypeError);
    assert.throws(() => Response.json(undefined), TypeError);
    assert.throws(() => (Response as unknown as () => void)(), TypeError);
  });

  it('does not change with what it was made of', async () => {
    const bytes = new Uint8Array([97]);
    const headers = new Headers({ a: '1' });
    const response = new Response(bytes, { headers });
    bytes[0] = 98;
    headers.set('a', '2');
    assert.equal(response.headers.get('a'), '1');
    assert.equal(await response.text(), 'a');
  });

  it('is sent with its status, its headers and each of its cookies', async () => {
    const response = await said(() => {
      const made = new Response('body', { status: 418, headers: { 'x-one': '1' } });
      made.headers.append('set-cookie', 'a=1');
      made.headers.append('set-cookie', 'b=2');
      return made;
    });
    assert.equal(response.status, 418);
    assert.equal(response.headers.get('x-one'), '1');
    assert.deepEqual(response.headers.getSetCookie(), ['a=1', 'b=2']);
    assert.equal(response.headers.get('content-length'), '4');
    assert.equal(await response.text(), 'body');
  });

  const bodies: readonly (readonly [string, () => RequestInit['body'], string])[] = [
    ['a text', () => 'text', 'text'],
    ['nothing', () => null, ''],
    ['bytes', () => new Uint8Array([104, 105]), 'hi'],
    ['a view of other bytes', () => new Uint8Array(Buffer.from('xhix').buffer.slice(0)).subarray(0, 0), ''],
    ['a buffer', () => new Uint8Array([104, 105]).buffer, 'hi'],
    ['a Blob', () => new Blob(['blob']), 'blob'],
    ['URLSearchParams', () => new URLSearchParams({ a: 'b' }), 'a=b'],
    [
      'a stream',
      () => ReadableStream.from([Buffer.from('a'), Buffer.from('b')]) as RequestInit['body'],
      'ab',
    ],
  ];
  for (const [what, body, text] of bodies) {
    it(`can have ${what} as its body`, async () => {
      const response = await said(() => new Response(body() ?? null));
      assert.equal(await response.text(), text);
    });
  }

  it('can come from elsewhere: from fetch(), an older class, another library', async () => {
    const upstream = await startApplication({
      routes: [route('/', () => new Response('far', { headers: { via: 'x' } }))],
    });
    const passed = await said(() => fetch(`${upstream.origin}/`));
    assert.equal(passed.headers.get('via'), 'x');
    assert.equal(await passed.text(), 'far');
    await upstream[Symbol.asyncDispose]();
    class Foreign {
      status = 203;
      headers = new Map([['x-foreign', 'yes']]);
      body = ReadableStream.from([Buffer.from('foreign')]);
    }
    const foreign = await said(() => new Foreign() as unknown as Response);
    assert.equal(foreign.status, 203);
    assert.equal(foreign.headers.get('x-foreign'), 'yes');
    assert.equal(await foreign.text(), 'foreign');
    const cloned = await said(() => new Response('cloned').clone());
    assert.equal(await cloned.text(), 'cloned');
  });

  it('has no content where its status has none, and none for HEAD', async () => {
    assert.equal((await said(() => new Response(null, { status: 204 }))).headers.get('content-length'), null);
    assert.equal((await said(() => new Response(null, { status: 304 }))).status, 304);
    let cancelled = false;
    const stream = new ReadableStream({
      pull(controller) {
        controller.enqueue(Buffer.from('x'));
      },
      cancel() {
        cancelled = true;
      },
    });
    const head = await said(() => new Response(stream, { headers: { etag: '"1"' } }), { method: 'HEAD' });
    assert.equal(head.headers.get('etag'), '"1"');
    assert.equal(cancelled, true);
  });
});
