// Which certificate a host name gets, and what is refused as one.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { CertificateSet } from '../../src/transport/certificate-set.ts';
import { parseCertificate } from '../../src/transport/certificate.ts';
import { makeAuthority, signCertificate } from '../support/certificates.ts';

const authority = await makeAuthority('test authority');
const leaf = await signCertificate(authority, 'a.test', ['a.test', '*.B.test']);

test('a certificate is for its DNS names, in lower case, unless others are given', () => {
  assert.deepEqual(parseCertificate({ ...leaf, hostNames: [] }).hostNames, ['a.test', '*.b.test']);
  assert.deepEqual(parseCertificate({ ...leaf, hostNames: ['C.test.'] }).hostNames, ['c.test']);
});

test('what is no certificate, no key or another key is refused, and nothing of it is told', () => {
  const secret = 'root:x:0:0';
  const cases: [object, RegExp][] = [
    [{ certificate: secret }, /^the certificate is not PEM$/],
    [{ certificate: '' }, /^the certificate is not PEM$/],
    [{ privateKey: secret }, /^the private key is not PEM without a passphrase$/],
    [{ privateKey: authority.privateKey }, /^the private key is not that of the certificate$/],
  ];
  for (const [more, message] of cases) {
    assert.throws(() => parseCertificate({ ...leaf, hostNames: [], ...more }), { message });
  }
});

test('a key with a passphrase is refused', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const encrypted = privateKey.export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'p',
  });
  assert.throws(
    () => parseCertificate({ ...leaf, privateKey: String(encrypted), hostNames: [] }),
    /passphrase/,
  );
});

test('patterns that are no host name, and asterisks elsewhere than as the first label, are refused', () => {
  for (const bad of ['', 'a b', 'a.*.test', '*a.test', '**', '*.', '.a', 'a..b', '-a', 'a:1', '*.*.test']) {
    assert.throws(() => parseCertificate({ ...leaf, hostNames: [bad] }), /not a host name/, bad);
  }
  for (const good of ['a', '*', '*.a', 'xn--bcher-kva.example', '_x.a', '127.0.0.1']) {
    assert.doesNotThrow(() => parseCertificate({ ...leaf, hostNames: [good] }), good);
  }
});

test('the exact name goes before the wildcard, that before *, and the first of two (RFC 9525 §6.3)', () => {
  const named = (...hostNames: string[]) => parseCertificate({ ...leaf, hostNames });
  const set = new CertificateSet([named('a.test'), named('*.test'), named('*'), named('a.test', '*.a.test')]);
  const [exact, wildcard, any] = ['a.test', 'b.test', 'c.b.test'].map((name) => set.find(name));
  assert.equal(new Set([exact, wildcard, any]).size, 3);
  assert.ok(exact && wildcard && any);
  assert.equal(set.find('A.TEST'), exact);
  assert.equal(set.find('test'), any);
  assert.notEqual(set.find('x.a.test'), any);
  assert.equal(set.find(''), any);
});

test('an asterisk stands for one label, and a name that nothing fits gets the fallback', () => {
  const set = new CertificateSet([parseCertificate({ ...leaf, hostNames: ['*.test'] })]);
  assert.ok(set.find('a.test'));
  for (const name of ['a.b.test', 'test', '.test', 'a.testing', 'other'])
    assert.equal(set.find(name), null, name);
  assert.equal(set.fallback.cert, leaf.certificate);
});
