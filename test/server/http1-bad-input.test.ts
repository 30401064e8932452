// What an HTTP/1 connection answers to requests that are none: the status, an explanation, and the end of the
// connection. The grammar itself is tested in test/protocol/http1.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get, startHttp, statusOf } from '../support/http-fixture.ts';

const CASES: readonly (readonly [name: string, request: string, status: number])[] = [
  ['no HTTP at all', '\x16\x03\x01\x02\x00\x01\x00\r\n\r\n', 400],
  ['a bare LF', 'GET / HTTP/1.1\nHost: h\n\n', 400],
  ['a missing Host', 'GET / HTTP/1.1\r\n\r\n', 400],
  ['two Hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 400],
  ['a space before the colon', 'GET / HTTP/1.1\r\nHost: h\r\nX : y\r\n\r\n', 400],
  ['a folded line', 'GET / HTTP/1.1\r\nHost: h\r\nX: y\r\n z\r\n\r\n', 400],
  ['a NUL in a value', 'GET / HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n', 400],
  [
    'both lengths',
    'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n',
    400,
  ],
  ['two lengths', 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n', 400],
  ['a negative length', 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n', 400],
  ['an unknown coding', 'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: br\r\n\r\n', 501],
  ['an unknown expectation', 'POST / HTTP/1.1\r\nHost: h\r\nExpect: more\r\nContent-Length: 1\r\n\r\n', 417],
  ['a request line that is too long', `GET /${'a'.repeat(9000)} HTTP/1.1\r\nHost: h\r\n\r\n`, 414],
  ['a field that is too long', get('/', `X: ${'a'.repeat(5000)}\r\n`), 431],
  ['too many fields', get('/', 'X: y\r\n'.repeat(101)), 431],
  ['an unknown version', 'GET / HTTP/3.0\r\nHost: h\r\n\r\n', 505],
];

for (const [name, request, status] of CASES) {
  test(`${name} is a ${status}, explained, and the end of the connection`, async () => {
    await using http = await startHttp((exchange) =>
      exchange.respond({ status: 200, fields: [], body: 'no' }),
    );
    const client = await http.connect();
    const answer = await client.say(`${request}${get('/next')}`);
    assert.equal(statusOf(answer), status);
    assert.match(answer, /\r\nconnection: close\r\n/i);
    assert.match(answer, new RegExp(`\r\n\r\n${status} [^\n]+\n[^\n]+\n$`));
    assert.equal(answer.match(/HTTP\/1\.1 \d/g)?.length, 1);
    const refused = await http.observed('request-refused');
    assert.equal(refused.status, status);
  });
}

test('a bad request after good ones is refused after their answers', async () => {
  await using http = await startHttp((exchange) =>
    exchange.respond({ status: 200, fields: [], body: 'good' }),
  );
  const client = await http.connect();
  const answers = await client.say(`${get()}${get()}nonsense\r\n\r\n`);
  assert.deepEqual(
    [...answers.matchAll(/HTTP\/1\.1 (\d+)/g)].map((m) => m[1]),
    ['200', '200', '400'],
  );
});

test('a bad chunk is a 400 while nothing was answered, and the handler hears that its request is over', async () => {
  const { promise: left, resolve } = Promise.withResolvers<string>();
  await using http = await startHttp((exchange) => {
    exchange.onClose(() => resolve('closed'));
    exchange.collectBody(100, () => resolve('complete'));
  });
  const client = await http.connect();
  const answer = await client.say('POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n');
  assert.equal(statusOf(answer), 400);
  assert.equal(await left, 'closed');
});

test('a bad chunk after the answer was begun resets the connection', async () => {
  await using http = await startHttp((exchange) => {
    const body = exchange.bodyStream();
    exchange.respondStreamed({ status: 200, fields: [], body });
  });
  const client = await http.connect();
  client.send('POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n');
  await client.untilText('1\r\na\r\n');
  client.send('zz\r\n');
  await client.closed;
  assert.doesNotMatch(client.text, /\r\n0\r\n\r\n$/);
});

test('a stream handler may change, not drop, an early error', async () => {
  await using http = await startHttp(() => {}, {
    handlers: [
      {
        open: (_stream, next) => next(),
        earlyError: (response, partial) => ({
          ...response,
          body: `changed ${partial?.method} ${partial?.path}`,
        }),
      },
      { open: () => assert.fail('no stream is opened') },
    ],
  });
  const client = await http.connect();
  const answer = await client.say('GET /x HTTP/1.1\r\nHost: h\r\nX : y\r\n\r\n');
  assert.equal(statusOf(answer), 400);
  assert.match(answer, /changed GET \/x$/);
});

test('after every kind of bad input the server still serves', async () => {
  await using http = await startHttp((exchange) =>
    exchange.respond({ status: 200, fields: [], body: 'alive' }),
  );
  await Promise.all(
    CASES.map(async ([, request]) => {
      const client = await http.connect();
      await client.say(request);
    }),
  );
  const client = await http.connect();
  client.send(get());
  await client.untilText('alive');
});
