// Client certificates: who is let in without one, and what handlers see of one (RFC 9440).
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { test } from 'node:test';
import { CertificateSet } from '../../src/transport/certificate-set.ts';
import type { Exchange } from '../../src/web/exchange.ts';
import { makeAuthority, signCertificate, type TestCertificate } from '../support/certificates.ts';
import { startHttp } from '../support/http-fixture.ts';
import { answer, authority, first, handshake, parsed, second, start } from './tls-fixture.ts';

test('a required client certificate: without one, or with a stranger’s, there is no connection', async () => {
  const clients = await makeAuthority('client authority');
  const [known, stranger] = await Promise.all([
    signCertificate(clients, 'client'),
    signCertificate(authority, 'stranger'),
  ]);
  const certificates = new CertificateSet([parsed(first), parsed(second)], [clients.certificate]);
  await using http = await start({ certificates, clientCertificates: 'required' });
  for (const servername of ['first.test', 'second.test', 'unknown.test']) {
    const rejectUnauthorized = false;
    const credentials = (of: TestCertificate) => ({ cert: of.certificate, key: of.privateKey });
    const socket = await handshake(http.port, { servername, rejectUnauthorized, ...credentials(known) });
    assert.match(await answer(socket), /200 OK/);
    socket.destroy();
    for (const more of [{}, credentials(stranger)]) {
      const refused = handshake(http.port, { servername, rejectUnauthorized, ...more }).then(answer);
      await assert.rejects(refused, servername);
    }
  }
});

test('a requested client certificate may be left out', async () => {
  await using http = await start({ clientCertificates: 'requested' });
  const socket = await handshake(http.port);
  assert.match(await answer(socket), /200 OK/);
  socket.destroy();
});

test('handlers see a client certificate that was verified, and none that was not', async () => {
  const clients = await makeAuthority('client authority');
  const certificates = new CertificateSet([parsed(first)], [clients.certificate]);
  await using http = await startHttp(
    (exchange) => {
      const body = exchange.connection.clientCertificate?.subject ?? 'none';
      exchange.respond({ status: 200, fields: [], body });
    },
    { listener: { tls: { certificates, clientCertificates: 'requested' } } },
  );
  const seen = async (of?: TestCertificate): Promise<string> => {
    const credentials = of === undefined ? {} : { cert: of.certificate, key: of.privateKey };
    const socket = await handshake(http.port, credentials);
    const text = await answer(socket);
    socket.destroy();
    return text.slice(text.indexOf('\r\n\r\n') + 4);
  };
  assert.equal(await seen(await signCertificate(clients, 'known')), 'CN=known');
  assert.equal(await seen(await signCertificate(authority, 'stranger')), 'none');
  assert.equal(await seen(), 'none');
});

test('handlers see the certificate as a field of each request, and never one that a client has sent (RFC 9440 §2.2, §2.4)', async () => {
  const clients = await makeAuthority('client authority');
  const known = await signCertificate(clients, 'known');
  const certificates = new CertificateSet([parsed(first)], [clients.certificate]);
  const tell = (exchange: Exchange): void => {
    const { fields } = exchange.head;
    const lines = fields.filter((_, i) => fields[i - (i % 2)]?.startsWith('client-cert') === true);
    exchange.respond({ status: 200, fields: [], body: JSON.stringify(lines) });
  };
  const tls = { certificates, clientCertificates: 'requested' } as const;
  await using http = await startHttp(tell, { listener: { tls } });
  const url = `https://127.0.0.1:${http.port}`;
  const trusting = { ca: authority.certificate, servername: 'first.test' };
  const lie = { 'client-cert': ':bGll:', 'client-cert-chain': ':bGll:' };
  const told = async (of: TestCertificate | null): Promise<unknown[]> => {
    const credentials = of === null ? {} : { cert: of.certificate, key: of.privateKey };
    const socket = await handshake(http.port, credentials);
    const fields = 'Client-Cert: :bGll:\r\nclient-CERT-chain: :bGll:';
    socket.write(`GET / HTTP/1.1\r\nHost: h\r\n${fields}\r\n\r\n`.repeat(2));
    let one = '';
    while (one.split('HTTP/1.1 200').length < 3 || !one.endsWith(']'))
      one += String((await once(socket, 'data'))[0]);
    socket.destroy();
    const session = connectHttp2(url, { ...trusting, ...credentials });
    const two = await Promise.all(
      [0, 1].map(async () => {
        const stream = session.request({ ':path': '/', ...lie });
        return JSON.parse((await stream.toArray()).join('')) as unknown;
      }),
    );
    session.destroy();
    return [
      ...one
        .split('\r\n\r\n')
        .slice(1)
        .map((text) => JSON.parse(text.slice(0, text.indexOf(']') + 1)) as unknown),
      ...two,
    ];
  };
  const der = new X509Certificate(known.certificate).raw.toString('base64');
  const field = ['client-cert', `:${der}:`];
  assert.deepEqual(await told(known), [field, field, field, field]);
  assert.deepEqual(await told(await signCertificate(authority, 'stranger')), [[], [], [], []]);
  assert.deepEqual(await told(null), [[], [], [], []]);
});
