// What sslmode means for one connection (libpq's table in "SSL Mode Descriptions"): which ways are tried, and what is checked
// of the server's certificate. Opens nothing.
import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { HowdahError } from '../../errors.ts';
import type { ConnectionSettings, ServerHost } from './connection-string.ts';

/** false: without TLS. */
export type TlsAttempt = ConnectionOptions | false;

/**
 * The ways to connect, in order; the next is tried where the one before was refused.
 *
 * @throws HowdahError HOWDAH_DATABASE_URL where there is none, or a file of a certificate cannot be read
 */
export function tlsAttempts(settings: ConnectionSettings, host: ServerHost): TlsAttempt[] {
  const attempts = attemptsOf(settings, host);
  if (settings.channelBinding !== 'require') return attempts;
  const bound = attempts.filter((attempt) => attempt !== false);
  if (bound.length > 0) return bound;
  const without = host.host.startsWith('/') ? `the UNIX socket ${host.host}` : `sslmode=${settings.sslMode}`;
  throw new HowdahError(
    'HOWDAH_DATABASE_URL',
    `channel_binding=require asks for TLS, and ${without} is without`,
  );
}

function attemptsOf(settings: ConnectionSettings, { host }: ServerHost): TlsAttempt[] {
  // No TLS over a UNIX socket, whatever sslmode says, as in libpq.
  if (host.startsWith('/')) return [false];
  switch (settings.sslMode) {
    case 'disable':
      return [false];
    case 'allow':
      return [false, unchecked(settings)];
    case 'prefer':
      return [unchecked(settings), false];
    case 'require':
      // With a root certificate, as verify-ca.
      return [settings.sslRootCertificate === null ? unchecked(settings) : checkedChain(settings)];
    case 'verify-ca':
      return [checkedChain(settings)];
    case 'verify-full':
    default:
      return [{ ...ownCertificate(settings), ...authorities(settings), rejectUnauthorized: true }];
  }
}

function unchecked(settings: ConnectionSettings): ConnectionOptions {
  return { ...ownCertificate(settings), rejectUnauthorized: false };
}

function checkedChain(settings: ConnectionSettings): ConnectionOptions {
  return {
    ...ownCertificate(settings),
    ...authorities(settings),
    rejectUnauthorized: true,
    checkServerIdentity: () => undefined,
  };
}

/** Without a file, those that Node.js trusts; libpq asks for `sslrootcert=system` to do so. */
function authorities({ sslRootCertificate }: ConnectionSettings): ConnectionOptions {
  if (sslRootCertificate === null || sslRootCertificate === 'system') return {};
  return { ca: read(sslRootCertificate) };
}

function ownCertificate({ sslCertificate, sslKey }: ConnectionSettings): ConnectionOptions {
  if (sslCertificate === null || sslKey === null) return {};
  return { cert: read(sslCertificate), key: read(sslKey) };
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new HowdahError('HOWDAH_DATABASE_URL', error instanceof Error ? error.message : String(error), {
      cause: error,
    });
  }
}
