// What a handler can do beside its answer: hints before it, trailers on both sides, pushes, messages. Over HTTP/1.1 and HTTP/2, with and
// without middlewares in between.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as http from 'node:http';
import * as http2 from 'node:http2';
import { after, before, describe, it } from 'node:test';
import type { Context } from '../../src/web/handler.ts';
import { route } from '../../src/web/route.ts';
import { startApplication, type ApplicationFixture } from '../support/application-fixture.ts';

interface Asked {
  readonly method?: string;
  readonly body?: string;
  readonly trailers?: Record<string, string>;
  /** Whether promises are taken; HTTP/2 only. */
  readonly takesPushes?: boolean;
}

interface Seen {
  readonly status: number;
  readonly body: string;
  readonly trailers: Readonly<Record<string, unknown>>;
  readonly informs: readonly (readonly [status: number, link: string | undefined])[];
  /** Path, `accept` and body of what was pushed. */
  readonly pushed: readonly (readonly [path: string, accept: string | undefined, body: string])[];
}

type Client = (port: number, path: string, asked?: Asked) => Promise<Seen>;

async function textOf(stream: AsyncIterable<unknown>): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}

const overHttp1: Client = async (port, path, { method = 'GET', body, trailers } = {}) => {
  const headers: http.OutgoingHttpHeaders =
    trailers === undefined ? {} : { 'transfer-encoding': 'chunked', trailer: Object.keys(trailers).join() };
  const request = http.request({ port, path, method, headers, agent: false });
  const informs: [number, string | undefined][] = [];
  request.on('error', () => {});
  request.on('information', ({ statusCode, headers: fields }) => {
    informs.push([statusCode, fields.link as string | undefined]);
  });
  if (body !== undefined) request.write(body);
  if (trailers !== undefined) request.addTrailers(trailers);
  request.end();
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const text = await textOf(response);
  return {
    status: response.statusCode ?? 0,
    body: text,
    trailers: { ...response.trailers },
    informs,
    pushed: [],
  };
};

const overHttp2: Client = async (port, path, asked = {}) => {
  const { method = 'GET', body, trailers, takesPushes = true } = asked;
  const settings = { enablePush: takesPushes };
  const session = http2.connect(`http://127.0.0.1:${port}`, { settings });
  const pushes: Promise<readonly [string, string | undefined, string]>[] = [];
  session.on('stream', (stream, head: http2.IncomingHttpHeaders) => {
    pushes.push(textOf(stream).then((text) => [String(head[':path']), head.accept, text] as const));
  });
  const stream = session.request(
    { ':path': path, ':method': method },
    { endStream: body === undefined, waitForTrailers: trailers !== undefined },
  );
  if (trailers !== undefined) stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  const informs: [number, string | undefined][] = [];
  stream.on('headers', (fields: http2.IncomingHttpHeaders & { ':status': number }) => {
    informs.push([fields[':status'], fields['link'] as string | undefined]);
  });
  let seen: http2.IncomingHttpHeaders = {};
  stream.on('trailers', (fields: http2.IncomingHttpHeaders) => (seen = fields));
  if (body !== undefined) stream.end(body);
  const [head] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders & { ':status': number }];
  const text = await textOf(stream);
  const pushed = (await Promise.all(pushes)).toSorted(([a], [b]) => (a < b ? -1 : 1));
  session.close();
  return {
    status: head[':status'],
    body: text,
    trailers: Object.fromEntries(Object.entries(seen)),
    informs,
    pushed,
  };
};

const CLIENTS = [
  ['HTTP/1.1', overHttp1],
  ['HTTP/2', overHttp2],
] as const;

/** Requests that wait for messages, by the name that they were given. */
const waiting = new Map<string, Context>();
let begun: () => void = () => undefined;
const results: unknown[] = [];

async function* pieces(): AsyncGenerator<Buffer> {
  yield Buffer.from('a');
  await Promise.resolve();
  yield Buffer.from('b');
}

const routes = [
  route('/hints', (_, context) => {
    context.inform(103, { link: '</a.css>; rel=preload' });
    context.inform(102, []);
    const late = Promise.resolve().then(() => {
      context.inform(103, { link: '</b.css>' });
      return new Response('hinted');
    });
    return late;
  }),
  route('/no-hints', (_, context) => {
    for (const status of [101, 200, 99, 103.5, '103' as unknown as number])
      assert.throws(() => context.inform(status, {}), RangeError);
    assert.throws(() => context.inform(103, { 'a b': 'c' }), TypeError);
    return new Response('none');
  }),
  route('POST /trailers', async (request, context) => {
    assert.deepEqual([...context.trailers], []);
    const text = await request.text();
    return new Response(`${text} ${context.trailers.get('x-sum')}`);
  }),
  route('/whole', (_, context) => {
    context.setTrailers({ 'x-sum': '1' });
    return new Response('whole');
  }),
  route('/streamed', (_, context) => {
    let bytes = 0;
    async function* counted(): AsyncGenerator<Buffer> {
      for await (const piece of pieces()) {
        bytes += piece.length;
        yield piece;
      }
    }
    context.setTrailers(() => ({ 'x-sum': String(bytes), connection: 'close' }));
    return new Response(ReadableStream.from(counted()));
  }),
  route('/target', {
    handleExchange(exchange) {
      const trailers = (): string[] => ['x-sum', '2'];
      exchange.respondStreamed({ status: 200, fields: [], body: pieces(), trailers });
    },
  }),
  route('/bad-trailers', (_, context) => {
    context.setTrailers(() => ({ 'x-sum': 'a\nb' }));
    return new Response(ReadableStream.from(pieces()));
  }),
  route('/empty', (_, context) => {
    context.setTrailers({ 'x-sum': '0' });
    return new Response(null, { status: 204 });
  }),
  route('/page', (_, context) => {
    results.push(context.push('/style.css?v=1', { accept: 'text/css' }), context.push('/b.js'));
    assert.throws(() => context.push('style.css'), TypeError);
    return new Response('page');
  }),
  route('GET /style.css', (request) => new Response(`style ${new URL(request.url).search}`)),
  route('GET /b.js', () => new Response('script')),
  route('/wait/:name', (_, context) => {
    const heard: unknown[] = [];
    return new Promise<Response>((resolve) => {
      let stop: () => void = () => undefined;
      const other = context.onMessage((message) => {
        if (message === 'stop') other();
        else heard.push('other');
      });
      stop = context.onMessage((message) => {
        heard.push(message);
        if (message !== 'answer') return;
        stop();
        resolve(Response.json(heard));
      });
      waiting.set(context.bindings.name, context);
      begun();
    });
  }),
];

/** Those that look like what the server tells itself. */
const MESSAGES = [
  'stop',
  7,
  null,
  { kind: 'data', data: 'x' },
  { kind: 'stop' },
  { kind: 'response', status: 500, fields: [], body: 'x' },
];

for (const [protocol, ask] of CLIENTS) {
  for (const middlewares of [[], [(_: Request, __: unknown, next: () => Promise<Response>) => next()]]) {
    describe(`over ${protocol}${middlewares.length === 0 ? '' : ', behind a middleware of the application'}`, () => {
      let app: ApplicationFixture;
      before(async () => {
        app = await startApplication({ routes, middlewares });
      });
      after(() => app[Symbol.asyncDispose]());

      it('informational responses go before the answer', async () => {
        assert.deepEqual(await ask(app.port, '/hints'), {
          status: 200,
          body: 'hinted',
          trailers: {},
          informs: [
            [103, '</a.css>; rel=preload'],
            [102, undefined],
            [103, '</b.css>'],
          ],
          pushed: [],
        });
        assert.equal((await ask(app.port, '/no-hints')).body, 'none');
      });

      it('trailers of the request are there when its body has been read', async () => {
        const asked = { method: 'POST', body: 'text', trailers: { 'x-sum': '4' } };
        assert.equal((await ask(app.port, '/trailers', asked)).body, 'text 4');
        assert.equal((await ask(app.port, '/trailers', { method: 'POST', body: 'text' })).body, 'text null');
      });

      it('trailers follow the body, whole or streamed, and where there is one only', async () => {
        for (const [path, body, sum] of [
          ['/whole', 'whole', '1'],
          ['/streamed', 'ab', '2'],
          ['/target', 'ab', '2'],
        ] as const) {
          const seen = await ask(app.port, path);
          assert.deepEqual([seen.body, seen.trailers], [body, { 'x-sum': sum }], path);
        }
        const head = await ask(app.port, '/whole', { method: 'HEAD' });
        assert.deepEqual([head.status, head.trailers], [200, {}]);
        const empty = await ask(app.port, '/empty');
        assert.deepEqual([empty.status, empty.trailers], [204, {}]);
      });

      it('trailers that cannot be sent are told, and the client does not take the answer for whole', async () => {
        await assert.rejects(ask(app.port, '/bad-trailers'));
        await app.observed('internal-error');
      });

      it('pushes go to a client that takes them, and are answered by the routes', async () => {
        results.length = 0;
        const { pushed, body } = await ask(app.port, '/page');
        const takes = protocol === 'HTTP/2';
        const expected = [
          ['/b.js', undefined, 'script'],
          ['/style.css?v=1', 'text/css', 'style ?v=1'],
        ];
        assert.deepEqual([body, pushed, results], ['page', takes ? expected : [], [takes, takes]]);
        results.length = 0;
        await ask(app.port, '/page', { takesPushes: false });
        assert.deepEqual(results, [false, false]);
      });

      it('messages reach the request that they are for, in order, until it is answered', async () => {
        const asking = new Map<string, Promise<Seen>>();
        for (const name of ['one', 'two']) {
          const there = new Promise<void>((resolve) => (begun = resolve));
          asking.set(name, ask(app.port, `/wait/${name}`));
          await there;
        }
        for (const message of MESSAGES) waiting.get('two')?.cast(message);
        waiting.get('one')?.cast('answer');
        assert.equal((await asking.get('one'))?.body, '["other","answer"]');
        waiting.get('one')?.cast('dropped');
        waiting.get('two')?.cast('answer');
        assert.equal((await asking.get('two'))?.body, JSON.stringify([...MESSAGES, 'answer']));
      });
    });
  }
}

it('trailers are left out for a client of HTTP/1.0', async () => {
  await using app = await startApplication({ routes });
  const client = await app.connect();
  client.send('GET /whole HTTP/1.0\r\n\r\n');
  const text = await client.untilEnd();
  assert.match(text, /\r\n\r\nwhole$/);
});
