// Another revision of this repository in a directory of its own, ready to be run: a work tree of git with its packages.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const LOCK = 'package-lock.json';

export interface Checkout {
  readonly directory: string;
  /** The commit, shortened. */
  readonly commit: string;
  remove(): void;
}

function git(...args: readonly string[]): string {
  return execFileSync('git', ['-C', ROOT, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();
}

/** The packages of this checkout where the lock files agree, else its own. */
function providePackages(directory: string): void {
  const locks = [ROOT, directory].map((each) => readFileSync(join(each, LOCK), 'utf8'));
  if (locks[0] === locks[1]) symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  else {
    console.error('installing the packages of the other revision …');
    execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: directory,
      stdio: ['ignore', 2, 2],
    });
  }
  // As scripts/bootstrap.mjs does in a clone.
  execFileSync(process.execPath, [join(directory, 'scripts/make-cluster-image.mjs')], {
    cwd: directory,
    stdio: ['ignore', 2, 2],
  });
}

/** Throws with git's message where there is no such revision. */
export function checkOut(revision: string): Checkout {
  let commit: string;
  try {
    commit = git('rev-parse', '--verify', '--short', `${revision}^{commit}`);
  } catch {
    throw new Error(`there is no revision ${revision}`);
  }
  const parent = mkdtempSync(join(tmpdir(), 'howdah-check-'));
  // A PostgreSQL server is not run as root, but as a user who needs to get at what the packages have for it.
  chmodSync(parent, 0o755);
  const directory = join(parent, commit);
  const remove = (): void => {
    try {
      git('worktree', 'remove', '--force', directory);
    } catch {
      // It was not made: there is nothing to tell git.
    }
    rmSync(parent, { recursive: true, force: true });
  };
  try {
    git('worktree', 'add', '--detach', '--quiet', directory, commit);
    providePackages(directory);
  } catch (error) {
    remove();
    throw error;
  }
  return { directory, commit, remove };
}
