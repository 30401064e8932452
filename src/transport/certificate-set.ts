// The certificates that clients of a listener may get, and which one by the name that they ask for (SNI, RFC 6066 §3).
// Immutable: new certificates are a new set.
import { createSecureContext, type SecureContext } from 'node:tls';
import type { Certificate } from './certificate.ts';

/** RFC 9325 §3.1.1: nothing older than TLS 1.2. */
const MIN_VERSION = 'TLSv1.2';

/**
 * TLS 1.3's, and of TLS 1.2's those with forward secrecy and AEAD (RFC 9325 §4.2), which leaves none that RFC 9113
 * Appendix A forbids. The order is Mozilla's "intermediate".
 */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

export interface ContextOptions {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string[];
  readonly minVersion: 'TLSv1.2';
  readonly ciphers: string;
}

export class CertificateSet {
  readonly certificates: readonly [Certificate, ...Certificate[]];
  readonly clientAuthorities: readonly string[];
  /** For clients that name no host, and for names that no pattern fits. */
  readonly fallback: ContextOptions;
  readonly #exact = new Map<string, SecureContext>();
  /** By what follows the asterisk and its dot. */
  readonly #wildcards = new Map<string, SecureContext>();
  #any: SecureContext | null = null;

  /**
   * Of two certificates for a name the first is taken; the first of all is the fallback. `clientAuthorities`: PEM of
   * those whose client certificates are accepted; empty: those that Node.js trusts.
   *
   * @throws Error where OpenSSL does not take a certificate (too short a key, say)
   */
  constructor(
    certificates: readonly [Certificate, ...Certificate[]],
    clientAuthorities: readonly string[] = [],
  ) {
    this.certificates = certificates;
    this.clientAuthorities = clientAuthorities;
    this.fallback = contextOptions(certificates[0], clientAuthorities);
    for (const certificate of certificates) {
      const context = createSecureContext(contextOptions(certificate, clientAuthorities));
      for (const name of certificate.hostNames) this.#add(name, context);
    }
  }

  /** The certificate for a name as a client sends it; null: the fallback. */
  find(serverName: string): SecureContext | null {
    const name = serverName.toLowerCase();
    const exact = this.#exact.get(name);
    if (exact !== undefined) return exact;
    const dot = name.indexOf('.');
    const wildcard = dot > 0 ? this.#wildcards.get(name.slice(dot + 1)) : undefined;
    return wildcard ?? this.#any;
  }

  #add(name: string, context: SecureContext): void {
    if (name === '*') {
      this.#any ??= context;
      return;
    }
    const [into, key] = name.startsWith('*.')
      ? [this.#wildcards, name.slice('*.'.length)]
      : [this.#exact, name];
    if (!into.has(key)) into.set(key, context);
  }
}

function contextOptions(
  { certificate, privateKey }: Certificate,
  authorities: readonly string[],
): ContextOptions {
  const options = { cert: certificate, key: privateKey, minVersion: MIN_VERSION, ciphers: CIPHERS } as const;
  return authorities.length === 0 ? options : { ...options, ca: [...authorities] };
}
