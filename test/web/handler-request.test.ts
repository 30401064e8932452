// What handlers are given is a Request, as the fetch standard has them, although none is made as long as nobody needs it.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Handler } from '../../src/web/handler.ts';
import { route } from '../../src/web/route.ts';
import { startApplication, type ApplicationFixture } from '../support/application-fixture.ts';

/** Runs `check` inside a handler, with whatever request the test sends; what it throws fails the test. */
interface Inside {
  send(check: (request: Request) => unknown, init?: RequestInit, path?: string): Promise<void>;
}

describe('the request of a handler', () => {
  let app: ApplicationFixture;
  let check: (request: Request) => unknown = () => undefined;
  const inside: Inside = {
    async send(next, init, path = '/x?y=z') {
      check = next;
      const response = await app.fetch(path, init);
      assert.equal(await response.text(), 'ok');
    },
  };
  const run: Handler = async (request) => {
    try {
      await check(request);
      return new Response('ok');
    } catch (error) {
      return new Response(error instanceof Error ? error.stack : String(error));
    }
  };

  before(async () => {
    app = await startApplication({ routes: [route('/*', { maxBodyBytes: 100_000 }, run)] });
  });
  after(() => app[Symbol.asyncDispose]());

  const post = (body: RequestInit['body'], headers = {}): RequestInit => ({
    method: 'POST',
    body: body ?? null,
    headers,
  });

  it('is a Request, with the properties of one', async () => {
    await inside.send(
      (request) => {
        assert.ok(request instanceof Request);
        assert.equal(request.constructor, Request);
        assert.equal(Object.prototype.toString.call(request), '[object Request]');
        assert.equal(request.method, 'POST');
        assert.equal(request.url, `${app.origin}/x?y=z`);
        assert.equal(request.headers.get('X-One'), '1');
        assert.equal(request.headers.get('x-none'), null);
        assert.ok(request.headers instanceof Headers);
        assert.equal(request.headers, request.headers);
        assert.equal(request.redirect, 'follow');
        assert.equal(request.bodyUsed, false);
        assert.equal(request.keepalive, false);
      },
      post('a', { 'x-one': '1' }),
    );
  });

  it('has a canonical URL', async () => {
    const client = await app.connect();
    let url = '';
    check = (request) => {
      url = request.url;
    };
    client.send("GET /a/../b%20c?q='x' HTTP/1.1\r\nHost: EXAMPLE.com:80\r\nConnection: close\r\n\r\n");
    await client.untilEnd();
    assert.equal(url, 'http://example.com/b%20c?q=%27x%27');
  });

  it('has no body where the request has none', async () => {
    await inside.send(async (request) => {
      assert.equal(request.body, null);
      assert.equal(await request.text(), '');
      assert.equal(request.bodyUsed, false);
    });
  });

  it('gives its body as text, JSON, bytes, buffer, blob and form', async () => {
    await inside.send(
      async (request) => assert.equal(await request.text(), '\u00e4\u20ac'),
      post('\ufeff\u00e4\u20ac'),
    );
    await inside.send(
      async (request) => assert.deepEqual(await request.json(), { a: [1] }),
      post('{"a":[1]}'),
    );
    await inside.send((request) => assert.rejects(request.json(), SyntaxError), post('{'));
    await inside.send(
      async (request) => assert.deepEqual(await request.bytes(), new Uint8Array([97, 98])),
      post('ab'),
    );
    await inside.send(async (request) => {
      const buffer = await request.arrayBuffer();
      assert.ok(buffer instanceof ArrayBuffer);
      assert.equal(buffer.byteLength, 2);
    }, post('ab'));
    await inside.send(
      async (request) => {
        const blob = await request.blob();
        assert.equal(blob.type, 'text/x');
        assert.equal(await blob.text(), 'ab');
      },
      post('ab', { 'content-type': 'text/x' }),
    );
    const form = new FormData();
    form.set('name', 'v\u00e4lue');
    form.set('file', new File(['content'], 'a.txt'));
    await inside.send(async (request) => {
      const received = await request.formData();
      assert.equal(received.get('name'), 'v\u00e4lue');
      const file = received.get('file');
      assert.ok(file instanceof File);
      assert.equal(await file.text(), 'content');
    }, post(form));
    await inside.send(
      async (request) => {
        assert.equal((await request.formData()).get('a'), 'b c');
      },
      post(new URLSearchParams({ a: 'b c' })),
    );
  });

  it('can have its body read once', async () => {
    await inside.send(async (request) => {
      const first = request.text();
      assert.equal(request.bodyUsed, true);
      await assert.rejects(request.text(), TypeError);
      assert.equal(await first, 'once');
      await assert.rejects(request.json(), TypeError);
      assert.throws(() => request.clone(), TypeError);
    }, post('once'));
  });

  it('gives its body as a stream', async () => {
    const large = 'x'.repeat(90_000);
    await inside.send(async (request) => {
      assert.ok(request.body instanceof ReadableStream);
      assert.equal(request.body, request.body);
      let length = 0;
      for await (const chunk of request.body) length += (chunk as Uint8Array).byteLength;
      assert.equal(length, large.length);
      assert.equal(request.bodyUsed, true);
    }, post(large));
  });

  it('can be cloned, and both have the body', async () => {
    await inside.send(
      async (request) => {
        const clone = request.clone();
        assert.ok(clone instanceof Request);
        assert.equal(clone.headers.get('x-one'), '1');
        assert.deepEqual(await Promise.all([request.text(), clone.text()]), ['twice', 'twice']);
        assert.equal(request.bodyUsed, true);
      },
      post('twice', { 'x-one': '1' }),
    );
  });

  it('can be what another request is made of, and what is fetched', async () => {
    await inside.send(
      async (request) => {
        const changed = new Request(request, { headers: { 'x-one': '2' } });
        assert.ok(changed instanceof Request);
        assert.equal(changed.method, 'POST');
        assert.equal(changed.headers.get('x-one'), '2');
        assert.equal(await changed.text(), 'moved');
        assert.equal(request.bodyUsed, true);
      },
      post('moved', { 'x-one': '1' }),
    );
    const upstream = await startApplication({
      routes: [route('/*', async (request) => new Response(`${request.method} ${await request.text()}`))],
    });
    await inside.send(async (request) => {
      const answer = await fetch(new Request(`${upstream.origin}/there`, request));
      assert.equal(await answer.text(), 'POST forwarded');
    }, post('forwarded'));
    await upstream[Symbol.asyncDispose]();
  });

  it('has headers that can be gone over, copied and changed', async () => {
    await inside.send(
      (request) => {
        const { headers } = request;
        assert.equal(headers.has('X-ONE'), true);
        assert.deepEqual(
          [...headers].filter(([name]) => name.startsWith('x-')),
          [['x-one', '1']],
        );
        assert.equal(new Headers(headers).get('x-one'), '1');
        assert.equal(Object.fromEntries(headers.entries())['x-one'], '1');
        headers.set('x-two', '2');
        assert.equal(headers.get('x-two'), '2');
        assert.equal(request.headers.get('x-two'), '2');
        assert.equal(new Request(request).headers.get('x-two'), '2');
        assert.throws(() => headers.get('a b'), TypeError);
      },
      { headers: { 'x-one': '1' } },
    );
  });

  it('joins repeated fields as HTTP has it', async () => {
    const client = await app.connect();
    const seen: (string | null)[] = [];
    check = ({ headers }) => {
      seen.push(
        headers.get('accept'),
        headers.get('cookie'),
        [...headers].find(([name]) => name === 'accept')?.[1] ?? '',
      );
    };
    client.send(
      'GET / HTTP/1.1\r\nHost: h\r\nAccept: a\r\nAccept: b\r\nCookie: c=1\r\nCookie: d=2\r\nConnection: close\r\n\r\n',
    );
    await client.untilEnd();
    assert.deepEqual(seen, ['a, b', 'c=1; d=2', 'a, b']);
  });

  it('is refused with 413 where its body is larger than allowed, whichever way it is read', async () => {
    const large = 'x'.repeat(100_001);
    let failure: unknown;
    for (const read of [
      (request: Request) => request.text(),
      (request: Request) => request.body?.getReader().read(),
    ]) {
      const streamed = new ReadableStream({
        start(controller) {
          controller.enqueue(Buffer.from(large));
          controller.close();
        },
      });
      for (const body of [large, streamed]) {
        failure = undefined;
        check = async (request) => {
          try {
            let all = 0;
            if (read.length === 1 && request.body !== null && body === streamed) {
              for await (const chunk of request.body) all += (chunk as Uint8Array).length;
            } else await read(request);
            assert.ok(all >= 0);
          } catch (error) {
            failure = error;
            throw error;
          }
        };
        const response = await app.fetch('/', { method: 'POST', body, duplex: 'half' });
        assert.equal(response.status, 413);
        await response.text();
        assert.match(String(failure), /larger than allowed/);
      }
    }
  });

  it('has a signal that is aborted when the client leaves', async () => {
    const client = await app.connect();
    const aborted = Promise.withResolvers<unknown>();
    const started = Promise.withResolvers<void>();
    check = async ({ signal }) => {
      assert.equal(signal.aborted, false);
      signal.addEventListener('abort', () => aborted.resolve(signal.reason));
      started.resolve();
      await aborted.promise;
    };
    client.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await started.promise;
    client.socket.resetAndDestroy();
    const reason = await aborted.promise;
    assert.equal((reason as DOMException).name, 'AbortError');
  });

  it('fails to give a body whose client leaves before its end', async () => {
    const client = await app.connect();
    const failed = Promise.withResolvers<unknown>();
    const started = Promise.withResolvers<void>();
    check = async (request) => {
      const reading = request.text();
      started.resolve();
      await reading.catch((error: unknown) => failed.resolve(error));
    };
    client.send('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf');
    await started.promise;
    client.socket.destroy();
    assert.match(String(await failed.promise), /the client left/);
  });
});
