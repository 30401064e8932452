// PgBouncer for tests, in transaction mode in front of a server of postgres.ts, with its socket beside that one's.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { serverUser, type TestPostgres } from './postgres.ts';

const PROGRAM = '/usr/sbin/pgbouncer';

/** Part of the socket's name only: nothing listens on it. */
const PORT = 6432;

export interface TestPgBouncer {
  readonly port: number;
  stop(): Promise<void>;
}

export const hasPgBouncer = (): boolean => existsSync(PROGRAM);

/** @param poolSize connections to the server, for each user and database */
export async function startPgBouncer(
  { socketDir, port }: TestPostgres,
  user: string,
  poolSize: number,
): Promise<TestPgBouncer> {
  const owner = serverUser();
  const files: Readonly<Record<string, string>> = {
    'users.txt': `"${user}" ""\n`,
    'pgbouncer.ini': `[databases]
* = host=${socketDir} port=${port}
[pgbouncer]
listen_port = ${PORT}
unix_socket_dir = ${socketDir}
auth_type = trust
auth_file = ${join(socketDir, 'users.txt')}
pool_mode = transaction
default_pool_size = ${poolSize}
`,
  };
  for (const [name, text] of Object.entries(files)) {
    const path = join(socketDir, name);
    writeFileSync(path, text);
    if (owner.uid !== undefined && owner.gid !== undefined) chownSync(path, owner.uid, owner.gid);
  }
  const child = spawn(PROGRAM, [join(socketDir, 'pgbouncer.ini')], {
    ...owner,
    cwd: socketDir,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  await new Promise<void>((ready, failed) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      log += text;
      if (log.includes('process up:')) ready();
    });
    child.once('error', failed);
    child.once('exit', (code) => failed(new Error(`pgbouncer ended with ${code}: ${log}`)));
  });
  return {
    port: PORT,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGQUIT');
      await exited;
    },
  };
}
