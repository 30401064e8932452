// The directory of a PostgreSQL cluster: whole, or known not to be. Does not guard it against a second process.
//
// A process that is killed while it makes a cluster leaves a directory that looks like one and is none. So a mark lies
// beside it until it is whole, and whoever finds the mark makes it anew: nothing in it was ever served.
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const mark = (directory: string): string => `${directory}.unfinished`;

/** Makes room for a cluster unless there is one. Returns whether one has to be made, and `finishCluster` called then. */
export function beginCluster(directory: string): boolean {
  const unfinished = existsSync(mark(directory));
  if (!unfinished && existsSync(join(directory, 'PG_VERSION'))) return false;
  if (unfinished) rmSync(directory, { recursive: true, force: true });
  else writeFileSync(mark(directory), '');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return true;
}

/** The cluster is whole. */
export function finishCluster(directory: string): void {
  rmSync(mark(directory));
}
