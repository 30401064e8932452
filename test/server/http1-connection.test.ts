// HTTP/1 over real sockets, byte by byte: what a client sees of connections, pipelines, bodies and their ends. What all
// protocols do alike is in cases.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Exchange } from '../../src/web/exchange.ts';
import { get, startHttp, statusOf } from '../support/http-fixture.ts';

const text = (exchange: Exchange, body: string): void => {
  exchange.respond({ status: 200, fields: ['content-type', 'text/plain'], body });
};
const echo = (exchange: Exchange): void => {
  exchange.collectBody(1_000_000, (body) =>
    text(exchange, `${exchange.head.method} ${exchange.head.path} ${body.toString()}`),
  );
};
const chunked = (body: string): string => `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;

test('answers carry date, server, content-length and the handler’s fields', async () => {
  await using http = await startHttp((exchange) => text(exchange, 'hi'));
  const client = await http.connect();
  client.send(get());
  const answer = await client.untilText('hi');
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(answer, /\r\ndate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n/i);
  assert.match(answer, /\r\nserver: howdah\r\n/i);
  assert.match(answer, /\r\ncontent-length: 2\r\n/i);
  assert.match(answer, /\r\ncontent-type: text\/plain\r\n/);
});

test('pipelined requests are answered in their order, also when the first takes longer (RFC 9112 §9.3.2)', async () => {
  const waiting: Exchange[] = [];
  await using http = await startHttp((exchange) => {
    if (exchange.head.path === '/slow') waiting.push(exchange);
    else text(exchange, exchange.head.path);
  });
  const client = await http.connect();
  client.send(get('/slow') + get('/a') + get('/b'));
  while (waiting.length === 0) await new Promise(setImmediate);
  assert.equal(client.text, '');
  waiting[0]?.respond({ status: 200, fields: [], body: '/slow' });
  const answers = await client.untilText('/b');
  assert.ok(
    answers.indexOf('/slow') < answers.indexOf('/a') && answers.indexOf('/a') < answers.indexOf('/b'),
  );
});

test('a client that has closed its side gets all its answers and then the end, whenever its requests are read', async () => {
  const waiting: Exchange[] = [];
  const large = Buffer.alloc(2_000_000, 'x').toString();
  await using http = await startHttp((exchange) => {
    if (exchange.head.path === '/later') waiting.push(exchange);
    else text(exchange, exchange.head.path === '/large' ? large : exchange.head.path);
  });
  const reader = await http.connect();
  reader.send('POST /later HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab');
  const pipeline = await http.connect();
  pipeline.socket.pause();
  pipeline.send(get('/later') + get('/large') + get('/large') + get('/last'));
  for (const client of [reader, pipeline]) client.socket.end();
  const other = await http.connect();
  for (let i = 1; i <= 2 || waiting.length < 2; i += 1) {
    other.send(get('/other'));
    await other.untilText('/other', i);
  }
  waiting.forEach(echo);
  assert.match(await reader.untilEnd(), /POST \/later ab$/);
  pipeline.socket.resume();
  assert.match((await pipeline.untilEnd()).slice(-100), /\r\n\r\n\/last$/);
});

test('a client that gives its body up once it is answered still gets the whole answer', async () => {
  const body = Buffer.alloc(20_000_000, 'x');
  await using http = await startHttp((exchange) => exchange.respond({ status: 413, fields: [], body }));
  const client = await http.connect();
  client.send('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n');
  await client.untilText('413');
  client.socket.pause();
  client.send('some of it');
  client.socket.end();
  const other = await http.connect();
  for (let i = 1; i <= 2; i += 1) {
    other.send(get());
    await other.until((text) => text.length > i * body.length);
  }
  client.socket.resume();
  const [head = '', rest = ''] = (await client.untilEnd()).split('\r\n\r\n');
  assert.match(head, /^HTTP\/1\.1 413/);
  assert.equal(rest.length, body.length);
});

test('a thousand pipelined requests in one write are all answered', async () => {
  await using http = await startHttp((exchange) => text(exchange, exchange.head.path), {
    server: { maxKeepalive: 5000 },
  });
  const client = await http.connect();
  client.send(Array.from({ length: 1000 }, (_, i) => get(`/${i}`)).join(''));
  const answers = await client.untilText('\r\n\r\n/', 1000);
  const paths = [...answers.matchAll(/\r\n\r\n\/(\d+)/g)].map((m) => Number(m[1]));
  assert.deepEqual(
    paths,
    Array.from({ length: 1000 }, (_, i) => i),
  );
});

test('HEAD has the fields of GET and no body (RFC 9110 §9.3.2)', async () => {
  await using http = await startHttp((exchange) => text(exchange, 'four'));
  const client = await http.connect();
  client.send(`HEAD / HTTP/1.1\r\nHost: h\r\n\r\n${get('/', 'connection: close\r\n')}`);
  const answers = await client.untilEnd();
  const [head = '', rest = ''] = answers.split(/\r\n\r\n(.*)/s);
  assert.match(head, /content-length: 4/i);
  assert.match(rest, /^HTTP\/1\.1 200 OK/);
});

test('connection: close is honoured, and said (RFC 9112 §9.6)', async () => {
  await using http = await startHttp(echo);
  const client = await http.connect();
  const answer = await client.say(get('/', 'connection: close\r\n'));
  assert.match(answer, /\r\nconnection: close\r\n/i);
});

test('HTTP/1.0 closes unless the client asks to keep the connection', async () => {
  await using http = await startHttp(echo);
  const closing = await http.connect();
  assert.equal(statusOf(await closing.say('GET / HTTP/1.0\r\n\r\n')), 200);
  const keeping = await http.connect();
  keeping.send('GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
  assert.match(await keeping.untilText('GET /1'), /\r\nconnection: keep-alive\r\n/i);
  keeping.send('GET /2 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
  await keeping.untilText('GET /2');
});

test('a connection is closed after maxKeepalive requests', async () => {
  await using http = await startHttp(echo, { server: { maxKeepalive: 2 } });
  const client = await http.connect();
  const answers = await client.say(get('/1') + get('/2') + get('/3'));
  assert.match(answers, /GET \/2/);
  assert.doesNotMatch(answers, /GET \/3/);
  assert.equal(answers.match(/connection: close/gi)?.length, 1);
});

test('bodies come with content-length and chunked, also in small pieces', async () => {
  await using http = await startHttp(echo);
  const client = await http.connect();
  client.send('POST /l HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello');
  await client.untilText('POST /l hello');
  for (const byte of `POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n${chunked('world')}`) {
    client.send(byte);
    await new Promise(setImmediate);
  }
  await client.untilText('POST /c world');
});

test('100 (Continue) is sent when the body is first read, and not before (RFC 9110 §10.1.1)', async () => {
  const waiting: Exchange[] = [];
  await using http = await startHttp((exchange) => waiting.push(exchange));
  const client = await http.connect();
  client.send('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n');
  while (waiting.length === 0) await new Promise(setImmediate);
  assert.equal(client.text, '');
  const [exchange] = waiting;
  assert.ok(exchange);
  echo(exchange);
  await client.untilText('HTTP/1.1 100 Continue\r\n\r\n');
  client.send('ok');
  await client.untilText('POST / ok');
});

test('an answer without reading an expected body closes the connection instead of saying 100', async () => {
  await using http = await startHttp((exchange) => exchange.fail(403));
  const client = await http.connect();
  const answer = await client.say(
    'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n',
  );
  assert.equal(statusOf(answer), 403);
  assert.match(answer, /connection: close/i);
});

test('an unread body within maxSkipBodyBytes is skipped and the connection kept', async () => {
  await using http = await startHttp((exchange) => text(exchange, exchange.head.path));
  const client = await http.connect();
  client.send(`POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc${get('/2')}`);
  assert.equal((await client.untilText('/2')).match(/HTTP\/1\.1 200/g)?.length, 2);
});

test('an unread body beyond maxSkipBodyBytes closes the connection', async () => {
  const options = { server: { maxSkipBodyBytes: 10 } };
  await using http = await startHttp((exchange) => text(exchange, exchange.head.path), options);
  const announced = await http.connect();
  assert.match(
    await announced.say('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n'),
    /connection: close/i,
  );
  const fits = await http.connect();
  fits.send(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n0123456789${get('/2')}`);
  await fits.untilText('/2');
  const unannounced = await http.connect();
  unannounced.send('POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n');
  await unannounced.untilText('\r\n\r\n/');
  unannounced.send('b\r\n01234567890\r\n');
  assert.equal((await unannounced.untilEnd()).match(/HTTP\/1\.1 /g)?.length, 1);
});

test('a body over the limit is a 413 before it is read, and at the limit it is not', async () => {
  await using http = await startHttp((exchange) => {
    exchange.collectBody(4, (body) => text(exchange, `got ${body.toString()}`));
  });
  const announced = await http.connect();
  announced.send('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n');
  assert.equal(statusOf(await announced.untilText('\r\n\r\n')), 413);
  const counted = await http.connect();
  counted.send(`POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n${chunked('12345')}`);
  assert.equal(statusOf(await counted.untilText('\r\n\r\n')), 413);
  const exact = await http.connect();
  exact.send('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n1234');
  await exact.untilText('got 1234');
  exact.send(`POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n${chunked('5678')}`);
  await exact.untilText('got 5678');
});

test('a streamed answer is chunked, keeps the connection, and waits for a client that does not read', async () => {
  const piece = Buffer.alloc(65_536, 'x');
  let made = 0;
  async function* body(): AsyncGenerator<Buffer> {
    while (made < 400) {
      made += 1;
      yield piece;
    }
    await Promise.resolve();
  }
  await using http = await startHttp((exchange) => {
    if (exchange.head.path === '/2') text(exchange, 'second');
    else exchange.respondStreamed({ status: 200, fields: [], body: body() });
  });
  const client = await http.connect();
  client.socket.pause();
  client.send(get('/1') + get('/2'));
  let before = -1;
  while (made !== before) {
    before = made;
    for (let i = 0; i < 50; i += 1) await new Promise(setImmediate);
  }
  assert.ok(made < 400, `${made} of 400 pieces were made for a client that reads none`);
  client.socket.resume();
  const answers = await client.untilText('second');
  assert.match(answers, /transfer-encoding: chunked/i);
  assert.equal(made, 400);
  assert.ok(answers.length > 400 * 65_536);
});

test('a streamed answer that fails half-way resets the connection', async () => {
  async function* body(): AsyncGenerator<Buffer> {
    yield Buffer.from('begun');
    await Promise.resolve();
    throw new Error('no more');
  }
  await using http = await startHttp((exchange) => {
    exchange.respondStreamed({ status: 200, fields: [], body: body() });
  });
  const client = await http.connect();
  client.send(get());
  await client.closed;
  assert.doesNotMatch(client.text, /\r\n0\r\n\r\n$/);
  assert.equal((await http.observed('internal-error')).kind, 'internal-error');
});

test('abort closes the connection without an answer, after the answers before it', async () => {
  await using http = await startHttp((exchange) => {
    if (exchange.head.path === '/abort') exchange.abort();
    else text(exchange, exchange.head.path);
  });
  const alone = await http.connect();
  assert.equal(await alone.say(get('/abort')), '');
  const second = await http.connect();
  const answers = await second.say(get('/first') + get('/abort') + get('/third'));
  assert.match(answers, /\/first$/);
});

test('a client that leaves is told to the handler, and its late answer is dropped', async () => {
  const { promise: left, resolve } = Promise.withResolvers<Exchange>();
  await using http = await startHttp((exchange) => exchange.onClose(() => resolve(exchange)));
  const client = await http.connect();
  client.send(get());
  client.socket.resetAndDestroy();
  const exchange = await left;
  assert.equal(exchange.closed, true);
  exchange.respond({ status: 200, fields: [], body: 'too late' });
  const done = await http.observed('request-done');
  assert.deepEqual([done.status, done.end], [0, 'client-left']);
});

test('a half-closed client still gets its answers (RFC 9112 §9.6)', async () => {
  const waiting: Exchange[] = [];
  await using http = await startHttp((exchange) => waiting.push(exchange));
  const client = await http.connect();
  client.socket.end(get('/1') + get('/2'));
  for (const path of ['/1', '/2']) {
    while (waiting.length === 0) await new Promise(setImmediate);
    const exchange = waiting.shift();
    assert.equal(exchange?.head.path, path);
    exchange?.respond({ status: 200, fields: [], body: path });
  }
  const answers = await client.untilEnd();
  assert.match(answers, /\/1HTTP[^]*\/2$/);
});

test('early hints go before the answer, and not to HTTP/1.0 (RFC 9110 §15.2)', async () => {
  await using http = await startHttp((exchange) => {
    exchange.inform(103, ['link', '</a.css>; rel=preload']);
    text(exchange, 'page');
  });
  const client = await http.connect();
  client.send(get());
  assert.match(
    await client.untilText('page'),
    /^HTTP\/1\.1 103 Early Hints\r\nlink: <\/a\.css>; rel=preload\r\n\r\nHTTP\/1\.1 200/,
  );
  const old = await http.connect();
  assert.match(await old.say('GET / HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 200/);
});

test('bytes after a response to connection: close are ignored and the answer is not lost', async () => {
  await using http = await startHttp(echo);
  const client = await http.connect();
  const answer = await client.say(`${get('/', 'connection: close\r\n')}${'garbage\r\n'.repeat(10_000)}`);
  assert.match(answer, /GET \/ $/);
});

test('CR, LF or NUL in a response field is a 500, never on the wire', async () => {
  for (const value of ['a\r\nx: y', 'a\nb', 'a\0b']) {
    await using http = await startHttp((exchange) => {
      exchange.respond({ status: 200, fields: ['x-bad', value], body: 'b' });
    });
    const client = await http.connect();
    client.send(get());
    const answer = await client.untilText('request ');
    assert.equal(statusOf(answer), 500);
    assert.doesNotMatch(answer, /x-bad/);
  }
});

test('a handler that answers before it reads what the client asked leave to send gets it, and no 100 stands in its answer (RFC 9110 §10.1.1)', async () => {
  await using http = await startHttp((exchange) =>
    exchange.respondStreamed({ status: 200, fields: [], body: exchange.bodyStream() }),
  );
  const client = await http.connect();
  client.send('POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n');
  await client.untilText('\r\n\r\n');
  client.send('hello');
  const answer = await client.untilEnd();
  assert.equal(statusOf(answer), 200);
  assert.ok(answer.endsWith('\r\n\r\n5\r\nhello\r\n0\r\n\r\n'), answer);
});
