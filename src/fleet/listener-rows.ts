// What the command line says of listeners, brought into omni_httpd.listeners and checked against what is served. Opens nothing.
import type { SqlResult } from '../database/exchange-result.ts';
import type { ApplicationListener } from '../web/define-application.ts';
import { HowdahError } from '../errors.ts';
import type { ListenerResult } from './listener-set.ts';
import type { ServeOptions } from './serve-options.ts';

export type ListenerProtocol = 'http' | 'https';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export const DEFAULT_LISTEN: ListenAddress = { host: '127.0.0.1', port: 8080 };
const DEFAULT_TLS_LISTEN: ListenAddress = { host: '127.0.0.1', port: 8443 };

interface Rows {
  query(text: string): Promise<SqlResult>;
  exec(text: string): Promise<unknown>;
}

/** What a server is told of its listeners. */
type Asked = Pick<ServeOptions, 'listen' | 'listeners' | 'tls'>;

/** Those that were asked for, and what the application wants. */
export async function writeListeners(database: Rows, { listen, listeners, tls }: Asked): Promise<void> {
  if (listen !== null) await moveFirstListener(database, 'http', listen);
  else await ensureListeners(database, listeners ?? []);
  if (tls.listen !== null) await moveFirstListener(database, 'https', tls.listen);
  else if (tls.dev || tls.files.length > 0) await addListener(database, 'https', DEFAULT_TLS_LISTEN);
}

/**
 * An address that somebody asked for by name is that one or an error, never a port nearby.
 * @throws HowdahError HOWDAH_ADDRESS_UNUSABLE
 */
export async function assertListening(
  database: Rows,
  { listen, tls }: Asked,
  results: readonly ListenerResult[],
): Promise<void> {
  await assertServed(database, 'http', listen, results);
  await assertServed(database, 'https', tls.listen, results);
}

/** What --listen and --tls-listen say goes before what an older database has. */
async function moveFirstListener(
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
async function addListener(
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
async function ensureListeners(database: Rows, listeners: readonly ApplicationListener[]): Promise<void> {
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

async function assertServed(
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
