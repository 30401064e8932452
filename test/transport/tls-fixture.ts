// Servers over TLS with certificates for several names, and clients that shake hands with them.
import { once } from 'node:events';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { CertificateSet } from '../../src/transport/certificate-set.ts';
import { parseCertificate } from '../../src/transport/certificate.ts';
import type { TlsOptions } from '../../src/transport/tls-acceptor.ts';
import { makeAuthority, signCertificate, type TestCertificate } from '../support/certificates.ts';
import { get, startHttp } from '../support/http-fixture.ts';

export const authority = await makeAuthority('test authority');
export const [first, second, wild] = await Promise.all([
  signCertificate(authority, 'first.test'),
  signCertificate(authority, 'second.test'),
  signCertificate(authority, 'wild', ['*.wild.test']),
]);
export const parsed = (certificate: TestCertificate) => parseCertificate({ ...certificate, hostNames: [] });
export const both = new CertificateSet([parsed(first), parsed(second), parsed(wild)]);

export const start = (tls: Partial<TlsOptions> = {}) =>
  startHttp(
    (exchange) =>
      exchange.respond({ status: 200, fields: [], body: `${exchange.scheme} ${exchange.peer.address}` }),
    { listener: { tls: { certificates: both, ...tls } } },
  );

/** Resolves when the handshake is done; with TLS 1.3 the server may refuse the client's certificate even then. */
export async function handshake(port: number, more: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({
    port,
    host: '127.0.0.1',
    ca: authority.certificate,
    servername: 'first.test',
    ...more,
  });
  await once(socket, 'secureConnect');
  return socket;
}

export async function answer(socket: TLSSocket): Promise<string> {
  const closed = once(socket, 'close').then(() => {
    throw new Error('closed without an answer');
  });
  socket.write(get());
  const [chunk] = (await Promise.race([once(socket, 'data'), closed])) as [Buffer];
  closed.catch(() => {});
  return chunk.toString('latin1');
}
