// What every protocol must do alike: one body of cases over http, https, h2c (prior knowledge) and h2. What is peculiar to one
// is in http1-*.test.ts, http2-connection.test.ts and h2c-upgrade.test.ts.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Exchange } from '../../src/web/exchange.ts';
import { startHttp, type FixtureOptions, type HttpFixture } from '../support/http-fixture.ts';
import { answerTo, TRANSPORTS, type CaseClient, type Question, type Transport } from './case-clients.ts';

const text = (exchange: Exchange, body: string): void => {
  exchange.respond({ status: 200, fields: ['content-type', 'text/plain'], body });
};
const echo = (exchange: Exchange): void => {
  exchange.collectBody(4_000_000, (body) =>
    text(exchange, `${exchange.head.method} ${exchange.head.path} ${body.toString('latin1')}`),
  );
};

interface Case extends AsyncDisposable {
  readonly http: HttpFixture;
  readonly client: CaseClient;
  ask(path: string, question?: Question): ReturnType<typeof answerTo>;
}

async function start(
  transport: Transport,
  handle: (exchange: Exchange) => void,
  options: FixtureOptions = {},
): Promise<Case> {
  const http = await startHttp(handle, { ...options, listener: transport.listener });
  const client = transport.connect(http.port);
  return {
    http,
    client,
    ask: (path, question) => answerTo(client.ask(path, question)),
    async [Symbol.asyncDispose]() {
      client.close();
      await http[Symbol.asyncDispose]();
    },
  };
}

/** Pieces until there are `count`, as long as somebody takes them. */
function pieces(count: number): { made: number; body(): AsyncGenerator<Buffer> } {
  const source = {
    made: 0,
    async *body(): AsyncGenerator<Buffer> {
      while (source.made < count) {
        source.made += 1;
        yield Buffer.alloc(65_536, 'x');
      }
      await Promise.resolve();
    },
  };
  return source;
}

async function* brokenBody(): AsyncGenerator<Buffer> {
  yield Buffer.from('begun');
  await Promise.resolve();
  throw new Error('no more');
}

const turn = (): Promise<void> => new Promise(setImmediate);

type Run = (transport: Transport) => Promise<void>;
const CASES: Readonly<Record<string, Run>> = {
  async 'answers carry date, server, content-length and the handler’s fields'(transport) {
    await using on = await start(transport, echo);
    const { status, headers, body } = await on.ask('/a?b');
    assert.deepEqual([status, body], [200, 'GET /a ']);
    assert.deepEqual([headers['content-length'], headers['server']], ['7', 'howdah']);
    assert.equal(headers['content-type'], 'text/plain');
    assert.match(String(headers['date']), /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/);
  },

  async 'the body of a request is read once, also where there is none'(transport) {
    await using on = await start(transport, (exchange) => {
      exchange.collectBody(10, (body) => {
        assert.throws(() => exchange.bodyStream(), /read once/);
        assert.throws(() => exchange.collectBody(10, () => undefined), /read once/);
        text(exchange, `${body.length} bytes`);
      });
    });
    assert.equal((await on.ask('/')).body, '0 bytes');
    assert.equal((await on.ask('/', { method: 'POST', body: 'abc' })).body, '3 bytes');
  },

  async 'one connection serves one request after another'(transport) {
    await using on = await start(transport, echo);
    for (const path of ['/1', '/2', '/3']) assert.equal((await on.ask(path)).body, `GET ${path} `);
    assert.equal(on.http.server.connections, 1);
    assert.equal(on.http.listener.connections, 1);
  },

  async 'a handler sees scheme, method, target, fields, peer and listener'(transport) {
    await using on = await start(transport, (exchange) => {
      const { scheme, head, listenerId, peer, local } = exchange;
      const x = head.fields[head.fields.indexOf('x-one') + 1];
      text(
        exchange,
        JSON.stringify([scheme, head.method, head.path, head.query, x, listenerId, peer.address, local.port]),
      );
    });
    const { body } = await on.ask('/p?q', { method: 'PUT', headers: { 'x-one': 'two' }, body: '' });
    const expected = [transport.scheme, 'PUT', '/p', 'q', 'two', 1, '127.0.0.1', on.http.port];
    assert.deepEqual(JSON.parse(body), expected);
  },

  async 'HEAD has the fields of GET and no body (RFC 9110 §9.3.2)'(transport) {
    await using on = await start(transport, (exchange) => text(exchange, 'four'));
    const { status, headers, body } = await on.ask('/', { method: 'HEAD' });
    assert.deepEqual([status, headers['content-length'], body], [200, '4', '']);
    assert.equal((await on.ask('/')).body, 'four');
  },

  async 'bodies come with an announced length and without one'(transport) {
    await using on = await start(transport, echo);
    const announced = { method: 'POST', headers: { 'content-length': 5 }, body: 'hello' };
    assert.equal((await on.ask('/a', announced)).body, 'POST /a hello');
    const asked = on.client.ask('/b', { method: 'POST' });
    for (const part of ['wo', 'rl', 'd']) {
      asked.sink.write(part);
      await turn();
    }
    asked.sink.end();
    assert.equal((await answerTo(asked)).body, 'POST /b world');
  },

  async 'bodies of megabytes go both ways, whole'(transport) {
    await using on = await start(transport, (exchange) => {
      exchange.collectBody(4_000_000, (body) => exchange.respond({ status: 200, fields: [], body }));
    });
    const body = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * i) >> 3));
    const answer = await on.ask('/', { method: 'POST', body });
    assert.ok(Buffer.from(answer.body, 'latin1').equals(body));
  },

  async 'a body at the limit is read; one over it is a 413, announced or not, and the next request is served'(
    transport,
  ) {
    await using on = await start(transport, (exchange) => {
      exchange.collectBody(4, (body) => text(exchange, body.toString()));
    });
    const announced = { method: 'POST', headers: { 'content-length': 5 }, body: '12345' };
    assert.equal((await on.ask('/', announced)).status, 413);
    const asked = on.client.ask('/', { method: 'POST' });
    asked.sink.end('12345');
    assert.equal((await answerTo(asked)).status, 413);
    assert.equal((await on.ask('/', { method: 'POST', body: '1234' })).body, '1234');
  },

  async '100 (Continue) is sent when the body is first read, and not before (RFC 9110 §10.1.1)'(transport) {
    const waiting: Exchange[] = [];
    await using on = await start(transport, (exchange) => waiting.push(exchange));
    const headers = { expect: '100-continue', 'content-length': 2 };
    const asked = on.client.ask('/', { method: 'POST', headers });
    let continued = false;
    void asked.continued.then(() => (continued = true));
    (asked.sink as unknown as { flushHeaders?: () => void }).flushHeaders?.();
    while (waiting.length === 0) await turn();
    for (let i = 0; i < 20; i += 1) await turn();
    assert.equal(continued, false);
    const [exchange] = waiting;
    assert.ok(exchange);
    echo(exchange);
    await asked.continued;
    asked.sink.end('ok');
    assert.equal((await answerTo(asked)).body, 'POST / ok');
  },

  async 'a request body can be read as it comes'(transport) {
    await using on = await start(transport, (exchange) => {
      void (async () => {
        let length = 0;
        for await (const chunk of exchange.bodyStream()) length += chunk.length;
        text(exchange, `read ${length}`);
      })();
    });
    assert.equal((await on.ask('/', { method: 'POST', body: Buffer.alloc(500_000) })).body, 'read 500000');
  },

  async 'a client that sends a body that nobody reads is held back'(transport) {
    const waiting: Exchange[] = [];
    await using on = await start(transport, (exchange) => waiting.push(exchange));
    const asked = on.client.ask('/', { method: 'POST' });
    let taken = 0;
    const piece = Buffer.alloc(1_000_000);
    // Sockets of a machine hold some megabytes; without bounds this would not end.
    while (taken < 200 && asked.sink.write(piece)) taken += 1;
    while (waiting.length === 0) await turn();
    let before = -1;
    while (before !== asked.sink.writableLength) {
      before = asked.sink.writableLength;
      for (let i = 0; i < 50; i += 1) await turn();
    }
    for (let i = 0; i < 100; i += 1) asked.sink.write(piece);
    for (let i = 0; i < 200; i += 1) await turn();
    assert.ok(asked.sink.writableLength > 50_000_000, `only ${asked.sink.writableLength} bytes wait`);
    asked.leave();
  },

  async 'a streamed answer waits for a client that does not read, and is whole in the end'(transport) {
    const source = pieces(400);
    await using on = await start(transport, (exchange) =>
      exchange.respondStreamed({ status: 200, fields: [], body: source.body() }),
    );
    const { source: answer } = await on.client.ask('/').head();
    let before = -1;
    while (source.made !== before) {
      before = source.made;
      for (let i = 0; i < 50; i += 1) await turn();
    }
    assert.ok(source.made < 400, `${source.made} of 400 pieces were made for a client that reads none`);
    let length = 0;
    for await (const chunk of answer) length += (chunk as Buffer).length;
    assert.equal(length, 400 * 65_536);
    assert.equal((await on.ask('/')).status, 200);
  },

  async 'an answer that fails half-way is not whole for its client'(transport) {
    await using on = await start(transport, (exchange) =>
      exchange.respondStreamed({ status: 200, fields: [], body: brokenBody() }),
    );
    await assert.rejects(on.ask('/'));
    await on.http.observed('internal-error');
    assert.equal((await on.http.observed('request-done')).end, 'failed');
  },

  async 'abort ends a request without an answer'(transport) {
    await using on = await start(transport, (exchange) => {
      if (exchange.head.path === '/abort') exchange.abort();
      else echo(exchange);
    });
    await assert.rejects(on.ask('/abort'));
    assert.equal((await on.http.observed('request-done')).end, 'aborted');
    assert.equal((await on.ask('/next')).body, 'GET /next ');
  },

  async 'a client that leaves is told to the handler, and its late answer is dropped'(transport) {
    const { promise: left, resolve } = Promise.withResolvers<Exchange>();
    const { promise: came, resolve: arrive } = Promise.withResolvers<void>();
    await using on = await start(transport, (exchange) => {
      exchange.onClose(() => resolve(exchange));
      arrive();
    });
    const asked = on.client.ask('/');
    await came;
    asked.leave();
    const exchange = await left;
    assert.equal(exchange.closed, true);
    text(exchange, 'too late');
    const done = await on.http.observed('request-done');
    assert.deepEqual([done.status, done.end], [0, 'client-left']);
  },

  async 'early hints go before the answer (RFC 8297)'(transport) {
    await using on = await start(transport, (exchange) => {
      exchange.inform(103, ['link', '</a.css>; rel=preload']);
      text(exchange, 'page');
    });
    const asked = on.client.ask('/');
    assert.equal((await answerTo(asked)).body, 'page');
    assert.deepEqual(
      asked.informs.map(([status, headers]) => [status, headers['link']]),
      [[103, '</a.css>; rel=preload']],
    );
  },

  async 'CR, LF or NUL in a response field is a 500, never on the wire'(transport) {
    await using on = await start(transport, (exchange) => {
      const value = `a${decodeURIComponent(exchange.head.path.slice(1))}b`;
      exchange.respond({ status: 200, fields: ['x-bad', value], body: 'b' });
    });
    for (const path of ['/%0d%0ax:%20y', '/%0a', '/%00']) {
      const { status, headers } = await on.ask(path);
      assert.deepEqual([status, headers['x-bad'], headers['x']], [500, undefined, undefined]);
    }
  },

  async 'fields about the connection are the engine’s: a handler’s are dropped'(transport) {
    await using on = await start(transport, (exchange) => {
      const fields = [
        'connection',
        'x-hop',
        'transfer-encoding',
        'chunked',
        'keep-alive',
        'timeout=1',
        'x-end',
        '1',
      ];
      exchange.respond({ status: 200, fields, body: 'body' });
    });
    const { headers, body } = await on.ask('/');
    assert.deepEqual([body, headers['x-end'], headers['transfer-encoding']], ['body', '1', undefined]);
    assert.notEqual(headers['connection'], 'x-hop');
    assert.notEqual(headers['keep-alive'], 'timeout=1');
  },

  async '204 and 304 have no body and no length of one (RFC 9110 §15.3.5, §15.4.5)'(transport) {
    await using on = await start(transport, (exchange) => {
      exchange.respond({ status: Number(exchange.head.path.slice(1)), fields: [], body: null });
    });
    for (const status of [204, 304]) {
      const answer = await on.ask(`/${status}`);
      assert.deepEqual(
        [answer.status, answer.body, answer.headers['content-length']],
        [status, '', undefined],
      );
    }
  },

  async 'draining finishes what runs, and takes no further connection'(transport) {
    const waiting: Exchange[] = [];
    await using on = await start(transport, (exchange) => waiting.push(exchange));
    const answer = on.ask('/');
    while (waiting.length === 0) await turn();
    await on.http.listener.suspend();
    const drained = on.http.server.drain(10_000);
    const [exchange] = waiting;
    assert.ok(exchange);
    text(exchange, 'last');
    assert.equal((await answer).body, 'last');
    await drained;
    assert.equal(on.http.server.connections, 0);
  },

  async 'an idle connection is closed'(transport) {
    await using on = await start(transport, echo, { server: { idleTimeoutMs: 150 } });
    await on.ask('/');
    while (on.http.listener.connections > 0) await turn();
  },
};

for (const transport of TRANSPORTS) {
  describe(transport.name, () => {
    for (const [name, run] of Object.entries(CASES)) {
      test(name, { skip: transport.skips?.[name] ?? false }, () => run(transport));
    }
    test('what is skipped is a case', () => {
      for (const name of Object.keys(transport.skips ?? {})) assert.ok(name in CASES, name);
    });
  });
}
