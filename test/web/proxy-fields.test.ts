// What http_proxy says of a client's certificate, and of the length of what it passes on.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { CertificateSet } from '../../src/transport/certificate-set.ts';
import { ReverseProxy } from '../../src/web/proxy.ts';
import { makeAuthority, signCertificate, type TestCertificate } from '../support/certificates.ts';
import { startHttp, type FixtureOptions } from '../support/http-fixture.ts';
import { authority, first, handshake, parsed } from '../transport/tls-fixture.ts';

/** Tells the fields about certificates that it was sent. */
const upstream = createServer((request, response) => {
  const { rawHeaders } = request;
  const lines = rawHeaders.filter((_, i) => /^client-cert/i.test(rawHeaders[i - (i % 2)] ?? ''));
  const body = JSON.stringify(lines);
  response.writeHead(200, { 'Content-Length': Buffer.byteLength(body) }).end(body);
});
upstream.listen(0, '127.0.0.1');
await once(upstream, 'listening');
const { port } = upstream.address() as AddressInfo;
const proxy = new ReverseProxy();
after(async () => {
  await proxy.close();
  upstream.close();
});

const start = (options: FixtureOptions = {}) =>
  startHttp((exchange) => {
    const target = { url: `http://127.0.0.1:${port}/`, preserveHost: false };
    exchange.collectBody(1000, (body) => void proxy.forward(exchange, body, target));
  }, options);

test('the certificate that a client has shown is passed on, and never one that it only speaks of (RFC 9440 §2.2, §2.4)', async () => {
  const clients = await makeAuthority('client authority');
  const known = await signCertificate(clients, 'known');
  const certificates = new CertificateSet([parsed(first)], [clients.certificate]);
  await using http = await start({ listener: { tls: { certificates, clientCertificates: 'requested' } } });
  const told = async (of: TestCertificate | null): Promise<unknown[]> => {
    const credentials = of === null ? {} : { cert: of.certificate, key: of.privateKey };
    const socket = await handshake(http.port, credentials);
    socket.write('GET / HTTP/1.1\r\nHost: h\r\nClient-Cert: :bGll:\r\nClient-Cert-Chain: :bGll:\r\n\r\n');
    let one = '';
    while (!one.endsWith(']')) one += String((await once(socket, 'data'))[0]);
    socket.destroy();
    const trusting = { ca: authority.certificate, servername: 'first.test', ...credentials };
    const session = connectHttp2(`https://127.0.0.1:${http.port}`, trusting);
    const stream = session.request({ ':path': '/', 'client-cert': ':bGll:', 'client-cert-chain': ':bGll:' });
    const two = (await stream.toArray()).join('');
    session.destroy();
    return [one.slice(one.indexOf('\r\n\r\n') + 4), two].map((text) => JSON.parse(text) as unknown);
  };
  const field = ['client-cert', `:${new X509Certificate(known.certificate).raw.toString('base64')}:`];
  assert.deepEqual(await told(known), [field, field]);
  assert.deepEqual(await told(null), [[], []]);
});

test('the length of an answer is passed on, over HTTP/1.1 and HTTP/2, to HEAD as well', async () => {
  await using http = await start();
  for (const [method, body] of [
    ['GET', '[]'],
    ['HEAD', ''],
  ] as const) {
    const response = await fetch(`http://127.0.0.1:${http.port}/`, { method });
    assert.deepEqual([response.headers.get('content-length'), await response.text()], ['2', body], method);
    const session = connectHttp2(`http://127.0.0.1:${http.port}`);
    const stream = session.request({ ':path': '/', ':method': method });
    const [head] = (await once(stream, 'response')) as [Record<string, string>];
    assert.deepEqual([head['content-length'], (await stream.toArray()).join('')], ['2', body], method);
    session.destroy();
  }
});
