// TLS on a listener as its clients see it: names, swaps, client certificates, and what is not TLS.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { test } from 'node:test';
import { type ConnectionOptions } from 'node:tls';
import { CertificateSet } from '../../src/transport/certificate-set.ts';
import { TICKET_SECRET_LIFETIME_MS, TicketKeys } from '../../src/transport/ticket-keys.ts';
import { makeAuthority } from '../support/certificates.ts';
import { ECHO, frame, upgradeRequest, webSocketsOf } from '../server/websocket-fixture.ts';
import { get, RawClient, startHttp } from '../support/http-fixture.ts';
import { answer, authority, both, first, handshake, parsed, second, start } from './tls-fixture.ts';

async function nameSeen(port: number, servername: string): Promise<string | undefined> {
  const socket = await handshake(port, { servername, rejectUnauthorized: false });
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return String(subject.CN);
}

test('requests are answered over TLS, and their scheme is https', async () => {
  await using http = await start();
  assert.equal(http.listener.url, `https://127.0.0.1:${http.port}`);
  const socket = await handshake(http.port);
  assert.match(await answer(socket), /^HTTP\/1\.1 200 OK\r\n[^]*https 127\.0\.0\.1$/);
  socket.destroy();
});

test('a client gets the certificate for the name that it asks for, and the first for any other (RFC 6066 §3)', async () => {
  await using http = await start();
  assert.equal(await nameSeen(http.port, 'first.test'), 'first.test');
  assert.equal(await nameSeen(http.port, 'SECOND.test'), 'second.test');
  assert.equal(await nameSeen(http.port, 'a.wild.test'), 'wild');
  assert.equal(await nameSeen(http.port, 'a.b.wild.test'), 'first.test');
  assert.equal(await nameSeen(http.port, ''), 'first.test');
});

test('new certificates are for handshakes from then on, and an open connection goes on', async () => {
  await using http = await start();
  const open = await handshake(http.port);
  http.listener.useCertificates(new CertificateSet([parsed(second)]));
  assert.equal(await nameSeen(http.port, ''), 'second.test');
  assert.equal(await nameSeen(http.port, 'second.test'), 'second.test');
  assert.equal(await nameSeen(http.port, 'first.test'), 'second.test');
  assert.match(await answer(open), /200 OK/);
  open.destroy();
});

test('a session is resumed, also after the certificates were exchanged', async () => {
  await using http = await start();
  const session = await sessionOf(http.port);
  http.listener.useCertificates(new CertificateSet([parsed(first), parsed(second)]));
  assert.equal(await isResumed(http.port, session), true);
});

/** A session that a client may resume, of a connection that has ended. */
async function sessionOf(port: number): Promise<Buffer> {
  const socket = await handshake(port);
  const tickets = once(socket, 'session') as Promise<[Buffer]>;
  await answer(socket);
  const [session] = await tickets;
  socket.destroy();
  return session;
}

async function isResumed(port: number, session: Buffer): Promise<boolean> {
  const socket = await handshake(port, { session });
  const reused = socket.isSessionReused();
  socket.destroy();
  return reused;
}

test('a session is resumed by all who have the secret of its tickets, and not with another secret', async () => {
  const ours = new TicketKeys();
  const theirs = new TicketKeys(ours.secret);
  await using one = await start({ ticketKeys: ours });
  await using other = await start({ ticketKeys: theirs });
  const session = await sessionOf(one.port);
  assert.equal(await isResumed(other.port, session), true);
  theirs.use(new TicketKeys().secret);
  assert.equal(await isResumed(other.port, session), false);
  theirs.use(ours.secret);
  assert.equal(await isResumed(other.port, session), true);
});

test('the secret of tickets lives for a day (RFC 9325 §3.4), and no millisecond more', () => {
  const keys = new TicketKeys();
  const { secret } = keys;
  assert.equal(keys.renew(secret.sinceMs + TICKET_SECRET_LIFETIME_MS - 1), false);
  assert.equal(keys.secret, secret);
  assert.equal(keys.renew(secret.sinceMs + TICKET_SECRET_LIFETIME_MS), true);
  assert.notEqual(keys.secret.base64, secret.base64);
  assert.equal(keys.secret.sinceMs, secret.sinceMs + TICKET_SECRET_LIFETIME_MS);
});

test('a session is not resumed where other authorities are trusted than when it began', async () => {
  await using http = await start({
    certificates: new CertificateSet([parsed(first)], [authority.certificate]),
  });
  const session = await sessionOf(http.port);
  assert.equal(await isResumed(http.port, session), true);
  const { certificate } = await makeAuthority('another');
  http.listener.useCertificates(new CertificateSet([parsed(first)], [certificate]));
  assert.equal(await isResumed(http.port, session), false);
});

test('a connection that was accepted before a drain shakes hands in it, and is answered', async () => {
  await using http = await start();
  const accepted = connectTcp(http.port, '127.0.0.1');
  await http.listener.untilConnections((connections) => connections === 1);
  const drained = http.server.drain(60_000, http.listener.drain());
  const socket = await handshake(http.port, { socket: accepted });
  assert.match(await answer(socket), /^HTTP\/1\.1 200 OK\r\n[^]*connection: close\r\n/i);
  socket.destroy();
  await drained;
});

test('a connection that does not come to shake hands holds up a drain to its deadline only', async () => {
  await using http = await start();
  const silent = connectTcp(http.port, '127.0.0.1').on('error', () => undefined);
  await http.listener.untilConnections((connections) => connections === 1);
  await http.server.drain(10, http.listener.drain());
  silent.destroy();
});

test('a client that leaves in its handshake is let go at once', async () => {
  await using http = await start({ handshakeTimeoutMs: 600_000 });
  const leaving = connectTcp(http.port, '127.0.0.1');
  await http.listener.untilConnections((connections) => connections === 1);
  leaving.end();
  await http.listener.untilConnections((connections) => connections === 0);
  leaving.destroy();
});

test('a client that ends its side when it has asked is answered', async () => {
  await using http = await start();
  const socket = await handshake(http.port, {
    socket: connectTcp({ port: http.port, host: '127.0.0.1', allowHalfOpen: true }),
  });
  socket.end(get());
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  assert.match(chunk.toString('latin1'), /^HTTP\/1\.1 200 OK/);
  socket.destroy();
});

test('ALPN chooses h2 before http/1.1, and refuses what is neither (RFC 7301 §3.2)', async () => {
  await using http = await start();
  const offers: [string[], string | false][] = [
    [['http/1.1', 'h2'], 'h2'],
    [['http/1.1'], 'http/1.1'],
  ];
  for (const [ALPNProtocols, chosen] of offers) {
    const socket = await handshake(http.port, { ALPNProtocols });
    assert.equal(socket.alpnProtocol, chosen);
    socket.destroy();
  }
  await assert.rejects(handshake(http.port, { ALPNProtocols: ['spdy/3'] }), /no application protocol/);
  assert.equal((await http.observed('handshake-failed')).reason, 'no application protocol');
  const none = await handshake(http.port);
  assert.equal(none.alpnProtocol, false);
  none.destroy();
});

test('TLS 1.2 is spoken, TLS 1.1 is not (RFC 9325 §3.1.1)', async () => {
  await using http = await start();
  const socket = await handshake(http.port, { maxVersion: 'TLSv1.2' });
  assert.equal(socket.getProtocol(), 'TLSv1.2');
  assert.match(await answer(socket), /200 OK/);
  socket.destroy();
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
  await assert.rejects(handshake(http.port, old));
});

test('a cipher without forward secrecy is refused (RFC 9325 §4.1)', async () => {
  await using http = await start();
  const weak = { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA256:ECDHE-ECDSA-AES128-SHA256' } as const;
  await assert.rejects(handshake(http.port, weak), /handshake failure/);
});

test('a handshake that does not end in time is closed, and takes no connection away', async () => {
  await using http = await start({ handshakeTimeoutMs: 100 });
  const silent = await RawClient.connect(http.port);
  await silent.untilEnd();
  assert.equal((await http.observed('handshake-failed')).reason, 'the handshake did not end in time');
  while (http.listener.connections > 0) await new Promise(setImmediate);
});

test('plain HTTP on a TLS port is closed with a reason, and the next client is served', async () => {
  await using http = await start();
  const plain = await RawClient.connect(http.port);
  assert.doesNotMatch(await plain.say(get()), /HTTP/);
  assert.equal((await http.observed('handshake-failed')).reason, 'HTTP without TLS was spoken');
  const socket = await handshake(http.port);
  assert.match(await answer(socket), /200 OK/);
  socket.destroy();
});

test('a client that leaves in the handshake leaves nothing behind', async () => {
  await using http = await start();
  const gone = await RawClient.connect(http.port);
  gone.send(Buffer.from([0x16, 3, 1, 2, 0]));
  while (http.listener.connections === 0) await new Promise(setImmediate);
  gone.socket.resetAndDestroy();
  while (http.listener.connections > 0) await new Promise(setImmediate);
  const socket = await handshake(http.port);
  assert.match(await answer(socket), /200 OK/);
  socket.destroy();
});

test('a WebSocket goes over TLS from its handshake to its end, which is that of the session too (RFC 6455 §4.2.2, §7.1.1, §10.6)', async () => {
  await using http = await startHttp(webSocketsOf(ECHO), { listener: { tls: { certificates: both } } });
  const socket = await handshake(http.port);
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  const ended = once(socket, 'end');
  socket.write(upgradeRequest());
  socket.write(Buffer.concat([frame(0x81, 'over TLS'), frame(0x88, Buffer.from([0x03, 0xe8]))]));
  await ended;
  assert.match(text, /^HTTP\/1\.1 101 /);
  assert.ok(text.endsWith('\x81\x08over TLS\x88\x02\x03\xe8'), JSON.stringify(text));
  socket.end();
});

test('a half-closed client still gets its answer, and the connection then ends', async () => {
  await using http = await start();
  const socket = await handshake(http.port, { allowHalfOpen: true } as ConnectionOptions);
  socket.end(get());
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'close');
  assert.match(Buffer.concat(chunks).toString(), /200 OK/);
  while (http.listener.connections > 0) await new Promise(setImmediate);
});

test('an answer that fails half-way ends without close_notify (RFC 9112 §9.8)', async () => {
  async function* body(): AsyncGenerator<Buffer> {
    yield Buffer.from('begun');
    await Promise.resolve();
    throw new Error('no more');
  }
  await using http = await startHttp(
    (exchange) => exchange.respondStreamed({ status: 200, fields: [], body: body() }),
    { listener: { tls: { certificates: both } } },
  );
  const socket = await handshake(http.port);
  socket.on('error', () => {});
  let received = '';
  socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
  socket.write(get());
  // That the end was not announced, this client takes as a reset or as an end, as OpenSSL has it.
  await once(socket, 'close');
  assert.match(received, /^HTTP\/1\.1 200 OK/);
  assert.doesNotMatch(received, /\r\n0\r\n\r\n$/);
});

test('h2c is not chosen by ALPN (RFC 9113 §3.2)', async () => {
  await using http = await start();
  await assert.rejects(handshake(http.port, { ALPNProtocols: ['h2c'] }));
  const socket = await handshake(http.port, { ALPNProtocols: ['h2c', 'http/1.1'] });
  assert.equal(socket.alpnProtocol, 'http/1.1');
  socket.destroy();
});

test('after the handshake the server sends its preface without waiting for the client’s (RFC 9113 §3.2, §3.4)', async () => {
  await using http = await start();
  const socket = await handshake(http.port, { ALPNProtocols: ['h2'] });
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  // SETTINGS, without flags, on stream 0.
  assert.equal(chunk.toString('hex', 3, 9), '040000000000');
  socket.destroy();
});

test('HTTP/2 over TLS that ALPN has not agreed on is refused (RFC 9113 §3.3)', async () => {
  await using http = await start();
  for (const more of [{}, { ALPNProtocols: ['http/1.1'] }]) {
    const socket = await handshake(http.port, more);
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    assert.match(chunk.toString('latin1'), /^HTTP\/1\.1 505 /);
    socket.destroy();
  }
});
