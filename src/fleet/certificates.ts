// The certificates of a server: from files, from howdah.certificates, and the one for development, in this order. Reads them
// anew at each load; one that is broken is left out and told, and a set that has become empty does not replace another.
import { readFile } from 'node:fs/promises';
import type { Observer } from '../observe/observation.ts';
import { CertificateSet } from '../transport/certificate-set.ts';
import { parseCertificate, type Certificate } from '../transport/certificate.ts';
import { devCertificate } from './dev-certificate.ts';

/** Paths of PEM files. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly privateKey: string;
}

export interface CertificateOptions {
  readonly files: readonly CertificateFiles[];
  /** Path of PEM with the authorities whose client certificates are required; null: no client is asked for one. */
  readonly clientAuthority: string | null;
  /** Whether a self-signed certificate serves where nothing else does. */
  readonly dev: boolean;
  /** Where that is kept; null: nowhere. */
  readonly dataDirectory: string | null;
}

/** A row of howdah.certificates. Of text and file, one is null. */
export interface CertificateRow {
  readonly id: number;
  readonly hostNames: readonly string[];
  readonly certificate: string | null;
  readonly certificateFile: string | null;
  readonly privateKey: string | null;
  readonly privateKeyFile: string | null;
}

interface Source {
  readonly name: string;
  readonly read: () => Promise<Certificate>;
}

/** What to do where there is none. */
export const NO_CERTIFICATE =
  'there is no usable certificate: give --tls-cert and --tls-key, a row of howdah.certificates, or --tls-dev';

export class Certificates {
  readonly #options: CertificateOptions;
  readonly #observer: Observer;
  #problems: string[] = [];
  #current: CertificateSet | null = null;

  constructor(options: CertificateOptions, observer: Observer) {
    this.#options = options;
    this.#observer = observer;
  }

  /** What was left out at the last load, each with its reason. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  /** The set in force after reading everything anew; null where there has never been one. Never rejects. */
  async load(rows: readonly CertificateRow[]): Promise<CertificateSet | null> {
    this.#problems = [];
    const certificates: Certificate[] = [];
    for (const { name, read } of this.#sources(rows)) {
      const certificate = await this.#try(name, read);
      if (certificate === null) continue;
      certificates.push(certificate);
      // Still served: a clock may be wrong, and whoever looks at it with a browser sees why.
      if (certificate.validTo.getTime() < Date.now()) {
        this.#report(
          name,
          `it has expired on ${certificate.validTo.toISOString()}, and is served all the same`,
        );
      }
    }
    const [first, ...others] = certificates;
    if (first === undefined) return this.#current;
    const set = await this.#try('the set of all', async () => {
      const { clientAuthority } = this.#options;
      // Without the authority, everybody or nobody would be let in: the former set stays.
      const authorities = clientAuthority === null ? [] : [await readFile(clientAuthority, 'latin1')];
      return new CertificateSet([first, ...others], authorities);
    });
    this.#current = set ?? this.#current;
    return this.#current;
  }

  #sources(rows: readonly CertificateRow[]): Source[] {
    const { files, dev, dataDirectory } = this.#options;
    const sources = files.map(({ certificate, privateKey }) => ({
      name: certificate,
      read: async () =>
        parseCertificate({
          certificate: await readFile(certificate, 'latin1'),
          privateKey: await readFile(privateKey, 'latin1'),
          hostNames: [],
        }),
    }));
    for (const row of rows) {
      sources.push({ name: `howdah.certificates, id ${row.id}`, read: () => readRow(row) });
    }
    if (dev) {
      sources.push({
        name: '--tls-dev',
        read: async () => parseCertificate({ ...(await devCertificate(dataDirectory)), hostNames: [] }),
      });
    }
    return sources;
  }

  async #try<T>(source: string, read: () => Promise<T>): Promise<T | null> {
    try {
      return await read();
    } catch (error) {
      this.#report(source, error instanceof Error ? error.message : String(error));
      return null;
    }
  }

  #report(source: string, reason: string): void {
    this.#problems.push(`certificate of ${source}: ${reason}`);
    this.#observer.observe({ kind: 'certificate-failed', source, reason });
  }
}

async function readRow(row: CertificateRow): Promise<Certificate> {
  return parseCertificate({
    certificate: row.certificate ?? (await readFile(row.certificateFile ?? '', 'latin1')),
    privateKey: row.privateKey ?? (await readFile(row.privateKeyFile ?? '', 'latin1')),
    hostNames: row.hostNames,
  });
}
