// http_proxy from a client's side, with an upstream that tells what it was asked.
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { ReverseProxy } from '../../src/web/proxy.ts';
import { get, startHttp, statusOf } from '../support/http-fixture.ts';

interface Asked {
  method: string;
  url: string;
  raw: string[];
  body: string;
}

async function startUpstream(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      asked.push({ method: request.method ?? '', url: request.url ?? '', raw: request.rawHeaders, body });
      answer(request, response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    asked,
    port,
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function startProxy(url: string, preserveHost = false) {
  const proxy = new ReverseProxy();
  const started = startHttp((exchange) => {
    exchange.collectBody(1_000_000, (body) => void proxy.forward(exchange, body, { url, preserveHost }));
  });
  return started.then((http) => ({
    ...http,
    async [Symbol.asyncDispose]() {
      await proxy.close();
      await http[Symbol.asyncDispose]();
    },
  }));
}

const header = (asked: Asked | undefined, name: string): string[] =>
  (asked?.raw ?? []).filter((_, i, raw) => i % 2 === 1 && raw[i - 1]?.toLowerCase() === name);

test('method, body and end-to-end fields are sent on to the url as it is, hop-by-hop fields are not', async () => {
  await using upstream = await startUpstream((_request, response) => response.end('answer'));
  await using http = await startProxy(`${upstream.url}/up?x=1`);
  const client = await http.connect();
  client.send(
    'POST /original?y=2 HTTP/1.1\r\nHost: client.example\r\nContent-Length: 4\r\nX-Keep: a\r\nX-Hop: b\r\n' +
      'Connection: x-hop\r\nKeep-Alive: timeout=1\r\nTE: trailers\r\nCookie: a=1\r\nCookie: b=2\r\n' +
      'X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\nVia: 1.1 other\r\n\r\nbody',
  );
  await client.untilText('answer');
  const [asked] = upstream.asked;
  assert.deepEqual([asked?.method, asked?.url, asked?.body], ['POST', '/up?x=1', 'body']);
  assert.deepEqual(header(asked, 'x-keep'), ['a']);
  for (const name of ['x-hop', 'keep-alive', 'te']) assert.deepEqual(header(asked, name), [], name);
  assert.deepEqual(header(asked, 'cookie'), ['a=1; b=2']);
  assert.deepEqual(header(asked, 'x-forwarded-for'), ['192.0.2.7, 127.0.0.1']);
  assert.deepEqual(header(asked, 'x-forwarded-proto'), ['http']);
  assert.deepEqual(header(asked, 'via'), ['1.1 other, 1.1 howdah']);
  assert.deepEqual(header(asked, 'host'), [`127.0.0.1:${upstream.port}`]);
});

test('preserve_host sends the Host of the client', async () => {
  await using upstream = await startUpstream((_request, response) => response.end('answer'));
  await using http = await startProxy(upstream.url, true);
  const client = await http.connect();
  client.send('GET / HTTP/1.1\r\nHost: client.example:81\r\n\r\n');
  await client.untilText('answer');
  assert.deepEqual(header(upstream.asked[0], 'host'), ['client.example:81']);
});

test('status, fields and body of the upstream are passed on, repeated fields too, hop-by-hop fields not', async () => {
  await using upstream = await startUpstream((_request, response) => {
    response.writeHead(
      418,
      [
        ['Set-Cookie', 'a=1'],
        ['Set-Cookie', 'b=2'],
        ['X-Hop', 'h'],
        ['Connection', 'x-hop'],
        ['Content-Length', '4'],
      ].flat(),
    );
    response.end('tea!');
  });
  await using http = await startProxy(upstream.url);
  const client = await http.connect();
  client.send(get());
  const answer = await client.untilText('tea!');
  assert.equal(statusOf(answer), 418);
  assert.match(answer, /set-cookie: a=1\r\n[^]*set-cookie: b=2\r\n/i);
  assert.match(answer, /content-length: 4/i);
  assert.doesNotMatch(answer, /x-hop|transfer-encoding/i);
});

test('a large answer streams through, and a client that leaves ends the upstream’s', async () => {
  const { promise: cut, resolve } = Promise.withResolvers<void>();
  await using upstream = await startUpstream((_request, response) => {
    response.on('close', resolve);
    const write = (): void => {
      while (response.write(Buffer.alloc(65_536)));
      response.once('drain', write);
    };
    write();
  });
  await using http = await startProxy(upstream.url);
  const client = await http.connect();
  client.send(get());
  await client.until((text) => text.length > 1_000_000);
  client.socket.destroy();
  await cut;
});

test('an upstream that cannot be reached is a 502, one that breaks off resets the connection', async () => {
  await using gone = await startUpstream(() => {});
  const { url } = gone;
  await gone[Symbol.asyncDispose]().catch(() => {});
  await using http = await startProxy(url);
  const client = await http.connect();
  client.send(get());
  assert.equal(statusOf(await client.untilText('request ')), 502);
  await using broken = await startUpstream((_request, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('some');
    setImmediate(() => response.socket?.destroy());
  });
  await using second = await startProxy(broken.url);
  const other = await second.connect();
  other.send(get());
  await other.closed;
});

test('a target that is no http URL is a 502, and a request in a loop of proxies a 508', async () => {
  await using http = await startProxy('ftp://example.org/');
  const client = await http.connect();
  client.send(get());
  assert.equal(statusOf(await client.untilText('request ')), 502);
  await using upstream = await startUpstream((_request, response) => response.end('no'));
  await using looping = await startProxy(upstream.url);
  const second = await looping.connect();
  second.send(get('/', `Via: ${Array.from({ length: 21 }, () => '1.1 howdah').join(', ')}\r\n`));
  assert.equal(statusOf(await second.untilText('request ')), 508);
  assert.equal(upstream.asked.length, 0);
});

test('HEAD is sent on as HEAD', async () => {
  await using upstream = await startUpstream((_request, response) => {
    response.writeHead(200, { 'content-length': '12' });
    response.end();
  });
  await using http = await startProxy(upstream.url);
  const client = await http.connect();
  client.send('HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
  const answer = await client.untilEnd();
  assert.match(answer, /content-length: 12\r\n/i);
  assert.match(answer, /\r\n\r\n$/);
  assert.equal(upstream.asked[0]?.method, 'HEAD');
});
