// The directory of a PostgreSQL cluster: made whole or not at all. Does not guard it against a second process.
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

interface Cluster {
  close(): Promise<void>;
}

/**
 * Makes the cluster unless it is there. It is made beside its place and renamed, because a process that is killed in the
 * middle of writing it would leave a directory that looks like a cluster and is none.
 *
 * @returns whether it had to be made
 */
export async function prepareCluster(
  directory: string,
  open: (directory: string) => Promise<Cluster>,
): Promise<boolean> {
  if (existsSync(join(directory, 'PG_VERSION'))) return false;
  const unfinished = `${directory}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true, mode: 0o700 });
  const cluster = await open(unfinished);
  await cluster.close();
  renameSync(unfinished, directory);
  return true;
}
