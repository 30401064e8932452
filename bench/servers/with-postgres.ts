// A PostgreSQL server of its own with the items in it, on a UNIX socket, and a contestant beside it that finds it by the PG*
// variables: `with-postgres.ts COMMAND…`. Prints what the contestant prints; ends with it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { startItemServer } from './item-server.ts';

const [command = '', ...args] = process.argv.slice(2);
const { environment, stop } = await startItemServer();
const child = spawn(command, args, {
  stdio: ['ignore', 'inherit', 'inherit'],
  env: { ...process.env, ...environment },
});
process.on('SIGTERM', () => child.kill('SIGTERM'));
const [code] = (await once(child, 'exit')) as [number | null];
await stop();
process.exit(code ?? 1);
