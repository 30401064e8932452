// Certificates for tests: an authority, and certificates that it has signed.
import { generate } from 'selfsigned';

export interface TestCertificate {
  readonly certificate: string;
  readonly privateKey: string;
}

const CURVE = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256' } as const;

/** An authority named `name`. */
export async function makeAuthority(name: string): Promise<TestCertificate> {
  const { cert, private: privateKey } = await generate([{ name: 'commonName', value: name }], {
    ...CURVE,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  return { certificate: cert, privateKey };
}

/** A certificate for servers and clients; `names` are its DNS names. */
export async function signCertificate(
  authority: TestCertificate,
  name: string,
  names: readonly string[] = [name],
): Promise<TestCertificate> {
  const { cert, private: privateKey } = await generate([{ name: 'commonName', value: name }], {
    ...CURVE,
    ca: { cert: authority.certificate, key: authority.privateKey },
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
      { name: 'subjectAltName', altNames: names.map((value) => ({ type: 2, value })) },
    ],
  });
  return { certificate: cert, privateKey };
}
