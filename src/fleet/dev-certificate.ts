// A self-signed certificate for development, kept in the data directory so that the exception a browser has made for it
// survives a restart. Nobody but this machine's browsers should trust it.
import { X509Certificate } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface DevCertificate {
  readonly certificate: string;
  readonly privateKey: string;
}

const DAY_MS = 24 * 3_600_000;
/** Browsers take no certificate for longer than 398 days (CA/Browser Forum, Baseline Requirements §6.3.2). */
const LIFETIME_MS = 397 * DAY_MS;
const RENEWED_BEFORE_MS = 7 * DAY_MS;

const NAMES = [
  { type: 2, value: 'localhost' },
  { type: 2, value: '*.localhost' },
  { type: 7, ip: '127.0.0.1' },
  { type: 7, ip: '::1' },
] as const;

/**
 * The certificate for localhost of a data directory, made where there is none or it is about to expire. null: made anew,
 * and kept nowhere.
 *
 * @throws Error of the file system
 */
export async function devCertificate(dataDirectory: string | null): Promise<DevCertificate> {
  if (dataDirectory === null) return makeCertificate();
  const directory = join(dataDirectory, 'tls-dev');
  // One file, replaced in one step: a certificate with the key of another would be worse than none.
  const path = join(directory, 'certificate-and-key.pem');
  const kept = await readKept(path);
  if (kept !== null) return kept;
  const made = await makeCertificate();
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeFile(`${path}.next`, `${made.certificate.trimEnd()}\n${made.privateKey.trimEnd()}\n`, {
    mode: 0o600,
  });
  await rename(`${path}.next`, path);
  return made;
}

async function readKept(path: string): Promise<DevCertificate | null> {
  let text: string;
  try {
    text = await readFile(path, 'latin1');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  try {
    const validTo = Date.parse(new X509Certificate(text).validTo);
    return validTo - Date.now() > RENEWED_BEFORE_MS ? { certificate: text, privateKey: text } : null;
  } catch {
    return null;
  }
}

async function makeCertificate(): Promise<DevCertificate> {
  // Some megabytes that only --tls-dev needs.
  const { generate } = await import('selfsigned');
  const now = Date.now();
  const { cert, private: privateKey } = await generate(
    [{ name: 'commonName', value: 'howdah development' }],
    {
      keyType: 'ec',
      curve: 'P-256',
      algorithm: 'sha256',
      // A clock that is a little behind must not refuse it.
      notBeforeDate: new Date(now - DAY_MS),
      notAfterDate: new Date(now - DAY_MS + LIFETIME_MS),
      extensions: [
        { name: 'basicConstraints', cA: false, critical: true },
        { name: 'keyUsage', digitalSignature: true, critical: true },
        { name: 'extKeyUsage', serverAuth: true },
        { name: 'subjectAltName', altNames: [...NAMES] },
      ],
    },
  );
  return { certificate: cert, privateKey };
}
