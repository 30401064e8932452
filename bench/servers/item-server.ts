// A fresh PostgreSQL server, the newest that is installed, with the rows and the function of the SQL scenarios.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { startPostgres } from '../../test/support/postgres.ts';

export interface ItemServer {
  /** The PG* variables by which clients find it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Of the process that all its others are children of. */
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

export async function startItemServer(): Promise<ItemServer> {
  const server = await startPostgres();
  const environment = {
    PGHOST: server.socketDir,
    PGPORT: String(server.port),
    PGUSER: 'postgres',
    PGDATABASE: 'postgres',
  };
  const client = new Client({ host: server.socketDir, user: 'postgres', database: 'postgres' });
  await client.connect();
  for (const name of ['items/10-items.sql', 'notes/10-notes.sql']) {
    await client.query(readFileSync(new URL(`../sql/${name}`, import.meta.url), 'utf8'));
  }
  await client.end();
  const [pid] = readFileSync(join(server.socketDir, 'data/postmaster.pid'), 'latin1').split('\n');
  return { environment, pid: Number(pid), stop: () => server.stop() };
}
