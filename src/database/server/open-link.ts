// Opens an authenticated connection to a PostgreSQL server: the driver `pg` connects, negotiates TLS and logs in; then its socket
// is taken over, and the driver sees nothing of it any more. Tries hosts and ways in order, once each.
import type { Duplex } from 'node:stream';
import { Client, type ClientConfig } from 'pg';
import { HowdahError } from '../../errors.ts';
import {
  describeHost,
  type ConnectionSettings,
  type ServerHost,
  type SessionAttributes,
} from './connection-string.ts';
import { ChannelBindingWatch, type LoginEvents } from './channel-binding.ts';
import { mayTryOtherWay, messageOf, refusedConnection, type Refusal } from './refused-connection.ts';
import { findPassword } from './password-file.ts';
import { ServerLink } from './server-link.ts';
import { tlsAttempts, type TlsAttempt } from './tls-attempts.ts';

/** Where a connection came to, and what the server says of itself. */
export interface OpenedLink {
  readonly link: ServerLink;
  /** `HOST:PORT/DATABASE`. */
  readonly place: string;
  /** `17.5` of `17.5 (Debian …)`. */
  readonly version: string;
}

/** The oldest that the SQL schema is made for. */
const OLDEST_VERSION = 140_000;

const KEEP_ALIVE_DELAY_MS = 30_000;

/** What of a client of `pg` is used beyond its documented interface. */
interface ClientInternals {
  readonly connection?: LoginEvents & { readonly stream?: Duplex };
  readonly processID?: unknown;
  readonly secretKey?: unknown;
}

/**
 * @throws HowdahError HOWDAH_DATABASE_UNREACHABLE with what each host said; HOWDAH_DATABASE_TOO_OLD
 */
export async function openLink(settings: ConnectionSettings): Promise<OpenedLink> {
  if (settings.targetSessionAttributes !== 'prefer-standby') return openFirst(settings);
  try {
    return await openFirst({ ...settings, targetSessionAttributes: 'standby' });
  } catch {
    // What is wrong with the hosts is found again.
    return openFirst({ ...settings, targetSessionAttributes: 'any' });
  }
}

async function openFirst(settings: ConnectionSettings): Promise<OpenedLink> {
  const failures: string[] = [];
  let cause: unknown;
  for (const host of settings.hosts) {
    try {
      const opened = await openHost(settings, host);
      if (opened !== null) return opened;
      failures.push(`${describeHost(host, settings.database)}: not ${settings.targetSessionAttributes}`);
    } catch (error) {
      if (error instanceof HowdahError) throw error;
      cause = error;
      failures.push(`${describeHost(host, settings.database)}: ${messageOf(error)}`);
    }
  }
  throw new HowdahError('HOWDAH_DATABASE_UNREACHABLE', failures.join('; '), { cause });
}

/** null where the host is there but not what is wanted. */
async function openHost(settings: ConnectionSettings, host: ServerHost): Promise<OpenedLink | null> {
  const attempts = tlsAttempts(settings, host);
  const refusals: Refusal[] = [];
  for (const tls of attempts) {
    const binding = new ChannelBindingWatch(settings.channelBinding === 'require');
    const client = new Client(await clientConfig(settings, host, tls, binding));
    // Told again when the socket closes; whoever has taken it over hears that himself.
    client.on('error', () => undefined);
    binding.watch((client as unknown as ClientInternals).connection);
    try {
      await client.connect();
      binding.assertBound();
    } catch (error) {
      void client.end().catch(() => undefined);
      refusals.push({ tls: tls !== false, error });
      if (!mayTryOtherWay(error)) break;
      continue;
    }
    return inspect(client, settings, host, tls);
  }
  throw refusedConnection(settings, refusals);
}

async function inspect(
  client: Client,
  settings: ConnectionSettings,
  host: ServerHost,
  tls: TlsAttempt,
): Promise<OpenedLink | null> {
  try {
    const { rows } = await client.query<{
      number: string;
      name: string;
      pid: number;
      standby: boolean;
      readonly: boolean;
    }>(
      `select current_setting('server_version_num') as number, current_setting('server_version') as name,
         pg_catalog.pg_backend_pid() as pid,
         pg_catalog.pg_is_in_recovery() as standby,
         pg_catalog.pg_is_in_recovery() or current_setting('default_transaction_read_only')::bool as readonly`,
    );
    const [found] = rows;
    if (found === undefined) throw new Error('the server says nothing of itself');
    const place = describeHost(host, settings.database);
    const version = found.name.split(' ')[0] ?? found.name;
    if (Number(found.number) < OLDEST_VERSION) {
      throw new HowdahError('HOWDAH_DATABASE_TOO_OLD', `PostgreSQL ${version} at ${place}`);
    }
    if (!isWanted(settings, found)) {
      await client.end();
      return null;
    }
    return { link: takeOver(client, host, tls, found.pid), place, version };
  } catch (error) {
    void client.end().catch(() => undefined);
    throw error;
  }
}

function isWanted(
  { targetSessionAttributes }: ConnectionSettings,
  { standby, readonly }: { readonly standby: boolean; readonly readonly: boolean },
): boolean {
  const wanted: Readonly<Record<SessionAttributes, boolean>> = {
    any: true,
    'read-write': !readonly,
    'read-only': readonly,
    primary: !standby,
    standby,
    // Asked in two rounds.
    'prefer-standby': true,
  };
  return wanted[targetSessionAttributes];
}

/**
 * The driver's reader is the only one who listens to 'data'; what it hears of errors and of the end is told to a client
 * that nobody uses. Between exchanges nothing is on its way.
 */
function takeOver(client: Client, host: ServerHost, tls: TlsAttempt, backendId: number): ServerLink {
  const { connection, processID, secretKey } = client as unknown as ClientInternals;
  const stream = connection?.stream;
  if (stream?.listenerCount('data') !== 1 || typeof processID !== 'number' || typeof secretKey !== 'number') {
    throw new Error('the socket of the driver pg cannot be taken over: it was made for pg 8.23');
  }
  stream.removeAllListeners('data');
  // A pooler makes up the process that it announces.
  const sharesBackends = processID !== backendId;
  return new ServerLink(stream, { processId: processID, secretKey, host, tls }, sharesBackends);
}

async function clientConfig(
  settings: ConnectionSettings,
  host: ServerHost,
  tls: TlsAttempt,
  binding: ChannelBindingWatch,
): Promise<ClientConfig> {
  const { user, database, connectTimeoutMs, options } = settings;
  const found =
    settings.password === null
      ? await findPassword(settings.passwordFile, { ...host, database, user })
      : null;
  const password = settings.password ?? found?.password ?? null;
  return {
    ...host,
    user,
    database,
    // Asked for only by a server that wants one. Not left out: the driver would look for one by itself.
    password: () => {
      binding.assertBound();
      if (password === null) {
        const refused = found?.refused ?? null;
        const more =
          refused === null
            ? ''
            : ` (${refused} is not used, since others than its owner may read it: chmod 600)`;
        throw new Error(`the server asks for a password, and none is given${more}`);
      }
      return password;
    },
    ssl: tls,
    enableChannelBinding: settings.channelBinding === 'require',
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_DELAY_MS,
    application_name: 'howdah',
    ...(options === null ? {} : { options }),
  };
}
