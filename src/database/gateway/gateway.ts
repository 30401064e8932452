// The socket by which SQL clients (psql, drivers) use the embedded engine: a PostgreSQL server without authentication, so on
// loopback or a UNIX socket only. Listens and accepts; what a client does is gateway-client.ts.
import { chmodSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { basename, dirname, resolve } from 'node:path';
import type { Observer } from '../../observe/observation.ts';
import type { EmbeddedDatabase } from '../embedded/embedded-database.ts';
import { HowdahError } from '../../errors.ts';
import { GatewayClient } from './gateway-client.ts';
import { GatewayRoom } from './gateway-room.ts';

/** A TCP address, or the path of a UNIX socket. */
export type GatewayAddress = { readonly host: string; readonly port: number } | { readonly path: string };

export interface GatewayOptions {
  /** Clients at once; one more is refused with 53300. Default 100, PostgreSQL's own max_connections. */
  readonly maxClients?: number;
  /** How long a client may hold the engine without giving it anything to do, in ms; default 10 000. */
  readonly gatewayHoldMs?: number;
}

export interface Gateway {
  /** For psql and drivers. */
  readonly url: string;
  /** `HOST:PORT` with the effective port, or the socket's path. */
  readonly address: string;
  /** Stops listening and disconnects all clients; what they have open is rolled back. */
  close(): Promise<void>;
}

const DEFAULT_MAX_CLIENTS = 100;
const DEFAULT_HOLD_MS = 10_000;

/** Who connects and never says who he is keeps no place. */
const STARTUP_TIMEOUT_MS = 60_000;

/** What a server reports of its settings (documentation of the protocol, "Asynchronous Operations"). */
const REPORTED = [
  'application_name',
  'client_encoding',
  'DateStyle',
  'default_transaction_read_only',
  'in_hot_standby',
  'integer_datetimes',
  'IntervalStyle',
  'is_superuser',
  'scram_iterations',
  'search_path',
  'server_encoding',
  'server_version',
  'session_authorization',
  'standard_conforming_strings',
  'TimeZone',
] as const;

/**
 * @throws HowdahError HOWDAH_ADDRESS_UNUSABLE where the address is not loopback or cannot be listened on
 */
export async function startGateway(
  database: EmbeddedDatabase,
  address: GatewayAddress,
  observer: Observer,
  options: GatewayOptions = {},
): Promise<Gateway> {
  if ('host' in address && !isLoopback(address.host)) {
    throw new HowdahError(
      'HOWDAH_ADDRESS_UNUSABLE',
      `${address.host} is not a loopback address, and SQL clients are not asked who they are`,
    );
  }
  const room = new GatewayRoom(database, {
    maxClients: options.maxClients ?? DEFAULT_MAX_CLIENTS,
    holdMs: options.gatewayHoldMs ?? DEFAULT_HOLD_MS,
    parameters: await readParameters(database),
  });
  const clients = new Set<GatewayClient>();
  let nextId = 1;
  const server = createServer((socket) => {
    const client = new GatewayClient(socket, nextId, room);
    nextId += 1;
    clients.add(client);
    closeUnlessStarted(socket, client, room);
    void client.closed.then(() => clients.delete(client));
  });
  await listen(server, address);
  server.on('error', (error) => observer.observe({ kind: 'internal-error', where: 'gateway', error }));
  const stopNotifications = database.onAnyNotification((channel, payload) => room.notify(channel, payload));
  const stopLosses = database.onLost((loss) => {
    room.forgetObjects();
    for (const client of clients) client.lost(loss);
  });
  return {
    ...describe(server, address),
    async close() {
      const closed = new Promise((done) => server.close(done));
      const leaving = [...clients];
      for (const client of leaving)
        client.end('57P01', 'terminating connection due to administrator command');
      await Promise.all(leaving.map((client) => client.closed));
      await closed;
      stopNotifications();
      stopLosses();
    },
  };
}

async function readParameters(database: EmbeddedDatabase): Promise<Map<string, string>> {
  const names = REPORTED.map((name) => `('${name}')`).join(', ');
  const { rows } = await database.query(
    `SELECT name, pg_catalog.current_setting(name, true) FROM (VALUES ${names}) AS reported (name)`,
  );
  return new Map(rows.map(([name, value]) => [name ?? '', value ?? '']));
}

function closeUnlessStarted(socket: Socket, client: GatewayClient, room: GatewayRoom): void {
  const timer = setTimeout(() => {
    if (!room.members.has(client)) client.end('08P01', 'no startup packet came');
  }, STARTUP_TIMEOUT_MS);
  timer.unref();
  socket.once('close', () => clearTimeout(timer));
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

async function listen(server: Server, address: GatewayAddress): Promise<void> {
  try {
    if ('path' in address) {
      await removeStaleSocket(address.path);
      await listening(server, () => server.listen(address.path));
      chmodSync(address.path, 0o600);
    } else {
      await listening(server, () => server.listen(address.port, address.host));
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new HowdahError('HOWDAH_ADDRESS_UNUSABLE', `SQL clients: ${reason}`, { cause: error });
  }
}

function listening(server: Server, begin: () => void): Promise<void> {
  return new Promise((done, failed) => {
    server.once('error', failed);
    server.once('listening', () => {
      server.off('error', failed);
      done();
    });
    begin();
  });
}

/** A socket file outlives a process that was killed; nobody answers at it then. */
function removeStaleSocket(path: string): Promise<void> {
  return new Promise((done) => {
    const probe = connect(path);
    probe.on('connect', () => {
      probe.destroy();
      done(); // listening will fail, and say so
    });
    probe.on('error', (error) => {
      if ('code' in error && error.code === 'ECONNREFUSED') rmSync(path, { force: true });
      done();
    });
  });
}

function describe(server: Server, address: GatewayAddress): { url: string; address: string } {
  if ('path' in address) {
    const path = resolve(address.path);
    // libpq makes the file's name from a port; other names can only be given as they are.
    const port = /^\.s\.PGSQL\.(\d+)$/.exec(basename(path))?.[1];
    const url =
      port === undefined
        ? path
        : `postgres://postgres@/postgres?host=${encodeURIComponent(dirname(path))}&port=${port}`;
    return { url, address: path };
  }
  const { port } = server.address() as AddressInfo;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return { url: `postgres://${host}:${port}`, address: `${host}:${port}` };
}
