// The PROXY protocol on listeners: who is believed, what handlers see, and what ends a connection.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { connect as connectHttp2 } from 'node:http2';
import type { Socket } from 'node:net';
import { ProxyTlv } from '../../src/protocol/proxy/header.ts';
import { AllowedPeers } from '../../src/transport/allowed-peers.ts';
import { CertificateSet } from '../../src/transport/certificate-set.ts';
import { parseCertificate } from '../../src/transport/certificate.ts';
import type { ListenerOptions } from '../../src/transport/listener.ts';
import type { Exchange } from '../../src/web/exchange.ts';
import { makeAuthority, signCertificate } from '../support/certificates.ts';
import { get, startHttp, type HttpFixture, type RawClient } from '../support/http-fixture.ts';
import { binaryHeader, tlv } from '../support/proxy-header.ts';

const LOCAL = new AllowedPeers(['127.0.0.0/8', '::1']);
const NOBODY = new AllowedPeers(['192.0.2.0/24']);
const LINE = 'PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n';

/** Says who asks, as a handler sees it. */
function tell(exchange: Exchange): void {
  const { peer, local, connection } = exchange;
  const { proxy } = connection;
  const tlvs = [...(proxy?.tlvs ?? [])].map(([type, value]) => `${type}=${value.toString()}`);
  const through = proxy === null ? 'nobody' : `${proxy.address} ${proxy.port > 0} ${tlvs.join()}`;
  const body = `${peer.address} ${peer.port} to ${local.address} ${local.port} through ${through};`;
  exchange.respond({ status: 200, fields: [], body });
}

function start(listener: Partial<ListenerOptions> = {}): Promise<HttpFixture> {
  return startHttp(tell, { listener: { proxy: { allowed: LOCAL }, ...listener } });
}

async function asked(http: HttpFixture, ...pieces: readonly (string | Buffer)[]): Promise<string> {
  const client: RawClient = await http.connect();
  for (const piece of pieces) {
    client.send(piece);
    await new Promise(setImmediate);
  }
  const text = await client.until((text) => text.endsWith(';'));
  return text.slice(text.indexOf('\r\n\r\n') + 4);
}

test('handlers see the client that the proxy names, and through whom it came', async () => {
  await using http = await start();
  const through = 'through 127.0.0.1 true ';
  assert.equal(await asked(http, LINE + get()), `192.0.2.7 56324 to 198.51.100.1 443 ${through};`);
  assert.equal(
    await asked(http, LINE.slice(0, 20), LINE.slice(20), get()),
    `192.0.2.7 56324 to 198.51.100.1 443 ${through};`,
  );
  const six = binaryHeader({
    source: ['2001:db8::7', 9],
    destination: ['::ffff', 80],
    tlvs: [tlv(ProxyTlv.UNIQUE_ID, 'id'), tlv(0xe0, 'x')],
  });
  assert.equal(await asked(http, six, get()), `2001:db8::7 9 to ::ffff 80 ${through}5=id,224=x;`);
});

test('a header without a client leaves the addresses of the connection', async () => {
  await using http = await start();
  for (const header of ['PROXY UNKNOWN\r\n', binaryHeader({ command: 0 })]) {
    assert.match(
      await asked(http, header, get()),
      /^127\.0\.0\.1 \d+ to 127\.0\.0\.1 \d+ through 127\.0\.0\.1 true ;$/,
    );
  }
});

test('a header of somebody who is not allowed one is a bad request, and who sends none is served', async () => {
  await using http = await start({ proxy: { allowed: NOBODY } });
  assert.match(await asked(http, get()), /^127\.0\.0\.1 \d+ to 127\.0\.0\.1 \d+ through nobody;$/);
  const spoofing = await http.connect();
  spoofing.send(LINE + get());
  assert.match(await spoofing.untilEnd(), /^HTTP\/1\.1 400 /);
});

test('whoever is allowed a header must begin with one', async () => {
  await using http = await start();
  const client = await http.connect();
  assert.equal(await client.say(get()), '');
  assert.match((await http.observed('proxy-header-refused')).reason, /does not begin with one/);
  assert.match(await asked(http, LINE + get()), /^192\.0\.2\.7 /);
});

test('a header that does not come in time ends the connection, and a client that leaves leaves nothing behind', async () => {
  await using http = await start({ proxy: { allowed: LOCAL, headerTimeoutMs: 50 } });
  const silent = await http.connect();
  silent.send(LINE.slice(0, 10));
  assert.equal(await silent.untilEnd(), '');
  assert.match((await http.observed('proxy-header-refused')).reason, /in time/);
  const leaving = await http.connect();
  leaving.send(LINE.slice(0, 10));
  leaving.socket.resetAndDestroy();
  await http.listener.untilConnections((connections) => connections === 0);
});

test('the header stands before TLS, each connection with its own, in HTTP/1.1 and HTTP/2', async () => {
  const authority = await makeAuthority('proxy test authority');
  const leaf = parseCertificate({ ...(await signCertificate(authority, 'localhost')), hostNames: [] });
  await using http = await start({ tls: { certificates: new CertificateSet([leaf]) } });
  const secure = async (header: string | Buffer, protocol: string): Promise<Socket> => {
    const { socket } = await http.connect();
    socket.removeAllListeners('data');
    socket.write(header);
    const tls = connectTls({
      socket,
      ca: authority.certificate,
      servername: 'localhost',
      ALPNProtocols: [protocol],
    });
    await once(tls, 'secureConnect');
    return tls;
  };
  const headers = [1, 2, 3].map((n) => binaryHeader({ source: [`192.0.2.${n}`, n] }));
  const sockets = await Promise.all(headers.map((header) => secure(header, 'http/1.1')));
  for (const [i, socket] of sockets.entries()) {
    socket.write(get());
    const [answer] = (await once(socket, 'data')) as [Buffer];
    assert.ok(answer.toString().includes(`\r\n\r\n192.0.2.${i + 1} ${i + 1} to `));
    socket.destroy();
  }
  const socket = await secure(LINE, 'h2');
  const session = connectHttp2('https://localhost', { createConnection: () => socket });
  let body = '';
  for await (const chunk of session.request({ ':path': '/' })) body += String(chunk);
  assert.match(body, /^192\.0\.2\.7 56324 to 198\.51\.100\.1 443 through 127\.0\.0\.1 /);
  session.destroy();
});

test('addresses, networks and unix are allowed peers, and nothing else is one', () => {
  const at = (remoteAddress?: string): Socket => ({ remoteAddress }) as Socket;
  const peers = new AllowedPeers(['192.0.2.7', '10.0.0.0/8', 'fd00::/8', '::1']);
  for (const address of ['192.0.2.7', '10.255.0.1', '::ffff:10.0.0.1', 'fd12::1', '::1']) {
    assert.equal(peers.has(at(address)), true, address);
  }
  for (const address of ['192.0.2.8', '11.0.0.1', '::ffff:11.0.0.1', 'fc00::1', '::2']) {
    assert.equal(peers.has(at(address)), false, address);
  }
  assert.equal(peers.has(at()), false);
  assert.equal(new AllowedPeers(['unix']).has(at()), true);
  assert.equal(new AllowedPeers(['0.0.0.0/0']).has(at('203.0.113.9')), true);
  for (const text of [
    '',
    'localhost',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/',
    '10.0.0.0/a',
    '1.2.3.4/8/8',
    'fe80::1%eth0',
    '*',
  ]) {
    assert.throws(() => new AllowedPeers([text]), /neither an address/, text);
  }
});
