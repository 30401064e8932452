// Where the certificates of a server come from, in which order, and what is left when some are broken.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { generate } from 'selfsigned';
import { Certificates, NO_CERTIFICATE, type CertificateRow } from '../../src/fleet/certificates.ts';
import { devCertificate } from '../../src/fleet/dev-certificate.ts';
import { ListenerSet, openHere } from '../../src/fleet/listener-set.ts';
import { makeAuthority, signCertificate } from '../support/certificates.ts';

const directory = mkdtempSync(join(tmpdir(), 'howdah-certificates-'));
after(() => rmSync(directory, { recursive: true }));
const silent = { observe: () => undefined };

const authority = await makeAuthority('test authority');
const [one, two] = await Promise.all([
  signCertificate(authority, 'one.test'),
  signCertificate(authority, 'two.test'),
]);
const path = join(directory, 'one.pem');
writeFileSync(path, `${one.certificate}\n${one.privateKey}`);
const files = [{ certificate: path, privateKey: path }];
const none = { files: [], clientAuthority: null, dev: false, dataDirectory: null };

function row(id: number, more: Partial<CertificateRow> = {}): CertificateRow {
  const texts = { certificate: two.certificate, privateKey: two.privateKey };
  return { id, hostNames: [], certificateFile: null, privateKeyFile: null, ...texts, ...more };
}

test('files go before rows, and both before the certificate for development', async () => {
  const all = await new Certificates({ ...none, files, dev: true }, silent).load([row(1)]);
  assert.match(String(all?.fallback.cert), new RegExp(one.certificate.slice(30, 90).replaceAll('+', '\\+')));
  const rows = await new Certificates({ ...none, dev: true }, silent).load([row(1)]);
  assert.equal(rows?.fallback.cert, two.certificate);
  const dev = await new Certificates({ ...none, dev: true }, silent).load([]);
  assert.match(new X509Certificate(String(dev?.fallback.cert)).subject, /howdah development/);
  assert.equal(await new Certificates(none, silent).load([]), null);
});

test('a broken one is left out with its reason; where all are, the former set stays', async () => {
  const certificates = new Certificates(none, silent);
  const good = await certificates.load([row(1, { privateKey: one.privateKey }), row(2)]);
  assert.equal(good?.fallback.cert, two.certificate);
  assert.deepEqual(certificates.problems, [
    'certificate of howdah.certificates, id 1: the private key is not that of the certificate',
  ]);
  const missing = row(3, { certificate: null, certificateFile: join(directory, 'missing.pem') });
  assert.equal(await certificates.load([missing]), good);
  assert.match(certificates.problems.join('\n'), /id 3: ENOENT/);
});

test('client authorities that cannot be read: nothing is served without them', async () => {
  const certificates = new Certificates(
    { ...none, files, clientAuthority: join(directory, 'no.pem') },
    silent,
  );
  assert.equal(await certificates.load([]), null);
  assert.match(certificates.problems.join('\n'), /ENOENT/);
});

test('an expired certificate is served and told of', async () => {
  const past = (days: number) => new Date(Date.now() - days * 86_400_000);
  const made = await generate([{ name: 'commonName', value: 'old' }], {
    keyType: 'ec',
    notBeforeDate: past(3),
    notAfterDate: past(1),
  });
  const certificates = new Certificates(none, silent);
  const set = await certificates.load([row(1, { certificate: made.cert, privateKey: made.private })]);
  assert.equal(set?.fallback.cert, made.cert);
  assert.match(certificates.problems.join('\n'), /it has expired/);
});

test('the certificate for development is kept, and made anew when it is broken or about to expire', async () => {
  const first = await devCertificate(directory);
  const second = await devCertificate(directory);
  const fingerprint = (pem: string) => new X509Certificate(pem).fingerprint256;
  assert.equal(fingerprint(second.certificate), fingerprint(first.certificate));
  const { subjectAltName, ca } = new X509Certificate(first.certificate);
  assert.equal(ca, false);
  assert.match(
    String(subjectAltName),
    /DNS:localhost, DNS:\*\.localhost, IP Address:127\.0\.0\.1, IP Address:0:0:0/,
  );
  const kept = join(directory, 'tls-dev/certificate-and-key.pem');
  writeFileSync(kept, 'broken');
  const third = await devCertificate(directory);
  assert.notEqual(fingerprint(third.certificate), fingerprint(first.certificate));
  const soon = await generate([], { keyType: 'ec', notAfterDate: new Date(Date.now() + 86_400_000) });
  writeFileSync(kept, `${soon.cert}\n${soon.private}`);
  assert.notEqual(fingerprint((await devCertificate(directory)).certificate), fingerprint(soon.cert));
});

test('an https row is served as soon as there is a certificate, and a change of protocol keeps the port', async () => {
  const set = new ListenerSet(
    openHere((socket) => socket.destroy(), silent),
    silent,
  );
  const https = { id: 1, address: '127.0.0.1', port: 0, effectivePort: 0, protocol: 'https' } as const;
  const http = { ...https, id: 2, protocol: 'http' } as const;
  const {
    results: [refused, served],
  } = await set.apply([https, http]);
  assert.deepEqual([refused?.port, refused?.failures[0]?.message], [null, NO_CERTIFICATE]);
  assert.ok(served?.port);
  set.useCertificates(await new Certificates({ ...none, files }, silent).load([]));
  const {
    results: [now],
  } = await set.apply([https, http]);
  assert.ok(now?.port);
  assert.deepEqual(set.urls, [`https://127.0.0.1:${now.port}`, `http://127.0.0.1:${served.port}`]);
  const fixed = { ...https, port: now.port };
  await set.apply([fixed]);
  const {
    results: [changed],
  } = await set.apply([{ ...fixed, protocol: 'http' }]);
  assert.deepEqual([changed?.port, set.urls], [now.port, [`http://127.0.0.1:${now.port}`]]);
  await set.close();
});
