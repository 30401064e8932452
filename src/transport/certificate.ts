// A certificate with its private key, read from PEM and checked, and the host names that it is for. Not where it comes
// from (fleet/), and not which one a client gets (certificate-set.ts).
import { createPrivateKey, X509Certificate } from 'node:crypto';

export interface CertificateText {
  /** PEM: the server's certificate first, then those between it and a root. */
  readonly certificate: string;
  /** PEM, not encrypted. */
  readonly privateKey: string;
  /** `example.org`, `*.example.org` (one label) or `*` (any); empty: the DNS names in the certificate. */
  readonly hostNames: readonly string[];
}

export interface Certificate extends CertificateText {
  readonly validTo: Date;
}

/** RFC 1123 §2.1 without a limit of length, an asterisk for the first label (RFC 9525 §6.3), or an asterisk alone. */
const HOST_PATTERN =
  /^(?:\*|(?:\*\.)?[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*)$/;

/**
 * Checks that certificate and key can be read and belong together. Host names come back in lower case.
 *
 * @throws Error with a reason that has nothing of the texts in it: they may be files that were not meant
 */
export function parseCertificate({ certificate, privateKey, hostNames }: CertificateText): Certificate {
  const parsed = readOrThrow('the certificate is not PEM', () => new X509Certificate(certificate));
  const key = readOrThrow('the private key is not PEM without a passphrase', () =>
    createPrivateKey(privateKey),
  );
  if (!parsed.checkPrivateKey(key)) throw new Error('the private key is not that of the certificate');
  const names = hostNames.length > 0 ? hostNames : dnsNames(parsed);
  const patterns = names.map((name) => name.toLowerCase().replace(/(?<=[^*])\.$/, ''));
  const bad = patterns.find((pattern) => !HOST_PATTERN.test(pattern));
  if (bad !== undefined) throw new Error(`not a host name, *.host name or *: ${JSON.stringify(bad)}`);
  return { certificate, privateKey, hostNames: patterns, validTo: new Date(parsed.validTo) };
}

function readOrThrow<T>(reason: string, read: () => T): T {
  try {
    return read();
  } catch {
    throw new Error(reason);
  }
}

/** Names that are IP addresses are left out: a client does not send those (RFC 6066 §3). */
function dnsNames({ subjectAltName }: X509Certificate): string[] {
  return [...(subjectAltName ?? '').matchAll(/(?:^|, )DNS:([^,"]+)/g)].map(([, name = '']) => name);
}
