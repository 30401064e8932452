// What the command line says of listeners, brought into omni_httpd.listeners and checked against what is served. Opens nothing.
import type { SqlResult } from '../database/exchange-result.ts';
import type { ApplicationListener } from '../web/define-application.ts';
import { HowdahError } from '../errors.ts';
import type { ListenerResult } from './listener-set.ts';

export type ListenerProtocol = 'http' | 'https';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export const DEFAULT_LISTEN: ListenAddress = { host: '127.0.0.1', port: 8080 };
export const DEFAULT_TLS_LISTEN: ListenAddress = { host: '127.0.0.1', port: 8443 };

interface Rows {
  query(text: string): Promise<SqlResult>;
  exec(text: string): Promise<unknown>;
}

/** What --listen and --tls-listen say goes before what an older database has. */
export async function moveFirstListener(
  database: Rows,
  protocol: ListenerProtocol,
  { host, port }: ListenAddress,
): Promise<void> {
  await addListener(database, protocol, { host, port });
  const address = quoted(host);
  await database.exec(
    `begin; set local howdah.server_write = 'on';
     update omni_httpd.listeners set address = ${address}, port = ${port}
     where id = (select min(id) from omni_httpd.listeners where protocol = '${protocol}')
       and (host(address), port::int) is distinct from (host(${address}::inet), ${port});
     commit`,
  );
}

/** Unless there is one with this protocol. */
export async function addListener(
  database: Rows,
  protocol: ListenerProtocol,
  { host, port }: ListenAddress,
): Promise<void> {
  await database.exec(
    `begin; set local howdah.server_write = 'on';
     insert into omni_httpd.listeners (address, port, protocol)
     select ${quoted(host)}, ${port}, '${protocol}'
     where not exists (select from omni_httpd.listeners where protocol = '${protocol}');
     commit`,
  );
}

/** Adds those that are not there; each of them may be a row that was there before. Port 0 is there where the address has any row. */
export async function ensureListeners(
  database: Rows,
  listeners: readonly ApplicationListener[],
): Promise<void> {
  for (const { address = DEFAULT_LISTEN.host, port, protocol = 'http' } of listeners) {
    await database.exec(
      `begin; set local howdah.server_write = 'on';
       insert into omni_httpd.listeners (address, port, protocol)
       select ${quoted(address)}, ${port}, '${protocol}'
       where not exists (
         select from omni_httpd.listeners
         where host(address) = host(${quoted(address)}::inet) and port = ${port} and protocol = '${protocol}'
       );
       commit`,
    );
  }
}

/**
 * An address that somebody asked for by name is that one or an error, never a port nearby.
 * @throws HowdahError HOWDAH_ADDRESS_UNUSABLE
 */
export async function assertListening(
  database: Rows,
  protocol: ListenerProtocol,
  listen: ListenAddress | null,
  results: readonly ListenerResult[],
): Promise<void> {
  if (listen === null) return;
  const { rows } = await database.query(
    `select min(id) from omni_httpd.listeners where protocol = '${protocol}'`,
  );
  const [failure] = results.find(({ id }) => id === Number(rows[0]?.[0]))?.failures ?? [];
  if (failure === undefined) return;
  throw new HowdahError('HOWDAH_ADDRESS_UNUSABLE', `${listen.host}:${listen.port}: ${failure.message}`);
}

/** A line for each row that is not served. */
export function notServed(results: readonly ListenerResult[]): string[] {
  return results.flatMap(({ address, port, failures }) =>
    port === null ? [`${address} is not served: ${failures.at(-1)?.message ?? 'no reason is known'}`] : [],
  );
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
