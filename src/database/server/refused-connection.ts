// Why a host has not been connected to: what was tried and what was said, in the words of the connection string.
import type { ConnectionSettings } from './connection-string.ts';

/** One way that was tried, and how it failed. */
export interface Refusal {
  readonly tls: boolean;
  readonly error: unknown;
}

/** SQLSTATEs that no other way of connecting to the same host changes: wrong password, no such database, too many. */
const REFUSED_FOR_GOOD = new Set(['28P01', '3D000', '53300', '57P03']);

/** What the driver says where the server answers that it has no TLS. */
const NO_TLS = 'The server does not support SSL connections';

/** Codes of Node.js and OpenSSL for a certificate that is not trusted. */
const CERTIFICATE = /^(?:ERR_TLS_CERT_|CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_(?:GET_ISSUER|VERIFY_LEAF))/;

/** TLS that the server does not want, or a rule of its pg_hba.conf that is for the other way. */
export function mayTryOtherWay(error: unknown): boolean {
  const code = codeOf(error);
  if (code === null) return true;
  // Errors of the system (ECONNREFUSED, ENOENT) are the same for both ways; 28000 is what pg_hba.conf says.
  return !REFUSED_FOR_GOOD.has(code) && !/^E[A-Z]+$/.test(code);
}

/** What to throw after the last way; with all that was said, where each way was refused for a reason of its own. */
export function refusedConnection(settings: ConnectionSettings, refusals: readonly Refusal[]): Error {
  const telling = refusals.filter(({ error }) => messageOf(error) !== NO_TLS);
  const told = telling.length > 0 ? telling : refusals;
  const texts = told.map(({ error }) => explained(settings, error));
  const differ = new Set(texts).size > 1;
  const text = differ
    ? told.map(({ tls }, index) => `${texts[index]} (${tls ? 'with' : 'without'} TLS)`).join(', ')
    : texts[0];
  return new Error(text, { cause: told.at(-1)?.error });
}

function explained(
  { sslMode, sslRootCertificate, channelBinding }: ConnectionSettings,
  error: unknown,
): string {
  const message = messageOf(error);
  if (message === NO_TLS) {
    const asking =
      sslMode === 'prefer' || sslMode === 'allow'
        ? `channel_binding=${channelBinding}`
        : `sslmode=${sslMode}`;
    return `the server has no TLS, and ${asking} asks for it`;
  }
  const code = codeOf(error);
  if (code === null || !CERTIFICATE.test(code)) return message;
  const remedy =
    sslRootCertificate === null && code !== 'ERR_TLS_CERT_ALTNAME_INVALID'
      ? '; sslrootcert=FILE names the authority that signed it'
      : '';
  return `the server's certificate is refused by sslmode=${sslMode}: ${message}${remedy}`;
}

export function messageOf(error: unknown): string {
  // Of a name with several addresses, all of which failed.
  if (error instanceof AggregateError) return error.errors.map(messageOf).join(', ');
  return error instanceof Error ? error.message : String(error);
}

function codeOf(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}
