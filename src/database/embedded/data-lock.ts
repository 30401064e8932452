// Keeps a second process out of a data directory. Says nothing about what is in it.
//
// Each process writes a claim under a name of its own, then looks for others. Both orders of two starters end well: whoever
// looks second sees the other's claim, since his own was written before. When both see each other, both withdraw and try
// again after different times. No file is ever taken over, so there is no moment in which two think they hold it.
import { existsSync, mkdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { dirname } from 'node:path';
import { HowdahError } from '../../errors.ts';
import { ownIdentity } from './process-identity.ts';
import {
  CLAIM_FRESH_MS,
  claimPath,
  liveClaims,
  writeClaim,
  type Claim,
  type Runtime,
} from './runtime-file.ts';

/** Times that two processes which started in the same moment try again. */
const TRIES = 5;

/** Directories held by this process: its own claims are no hindrance to itself, so they are counted here. */
const held = new Set<string>();

export interface DataLock {
  /** What `readRuntime` tells of this process from now on. */
  update(runtime: Partial<Omit<Runtime, 'pid' | 'startedAt'>>): void;
  release(): void;
}

/**
 * @throws HowdahError HOWDAH_DATA_LOCKED where another process (or this one) has it, HOWDAH_DATA_UNUSABLE where it cannot
 *   be created or written to
 */
export async function lockDataDirectory(directory: string): Promise<DataLock> {
  makeDirectory(directory);
  const key = directoryKey(directory);
  if (held.has(key)) throw new HowdahError('HOWDAH_DATA_LOCKED', `this process (${process.pid})`);
  const identity = ownIdentity();
  const path = claimPath(directory, identity);
  let claim: Claim = {
    identity,
    runtime: { pid: process.pid, startedAt: new Date().toISOString(), gateway: null, listeners: [] },
  };
  held.add(key);
  try {
    for (let attempt = 1; ; attempt += 1) {
      const others = usable(() => {
        writeClaim(path, claim);
        return liveClaims(directory, path);
      });
      const other = others[0];
      if (other === undefined) break;
      rmSync(path, { force: true });
      // Somebody who has been there for longer than our tries take stays; somebody who starts as we do may withdraw, too.
      if (attempt === TRIES) throw lockedBy(other);
      await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 30 * attempt));
    }
  } catch (error) {
    held.delete(key);
    throw error;
  }
  // For processes that cannot see whether this one runs.
  const heartbeat = setInterval(() => touch(path), CLAIM_FRESH_MS / 5);
  heartbeat.unref();
  return {
    update(runtime) {
      claim = { identity, runtime: { ...claim.runtime, ...runtime } };
      usable(() => writeClaim(path, claim));
    },
    release() {
      clearInterval(heartbeat);
      rmSync(path, { force: true });
      held.delete(key);
    },
  };
}

function lockedBy(other: Claim): HowdahError {
  const { pid, startedAt, gateway } = other.runtime;
  const reachable = gateway === null ? '' : `, SQL clients at ${gateway}`;
  return new HowdahError('HOWDAH_DATA_LOCKED', `process ${pid}, since ${startedAt}${reachable}`);
}

function makeDirectory(directory: string): void {
  usable(() => makeMissing(directory));
  if (!usable(() => statSync(directory)).isDirectory()) {
    throw new HowdahError('HOWDAH_DATA_UNUSABLE', `${directory} is not a directory`);
  }
}

/** mkdir's own `recursive` never returns where the system answers ENOENT although the parent is there, as /proc does. */
function makeMissing(directory: string): void {
  if (existsSync(directory)) return;
  makeMissing(dirname(directory));
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    // Somebody else may have been faster.
    if (!existsSync(directory)) throw error;
  }
}

function directoryKey(directory: string): string {
  const { dev, ino } = usable(() => statSync(directory, { bigint: true }));
  return `${dev} ${ino}`;
}

function usable<T>(use: () => T): T {
  try {
    return use();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new HowdahError('HOWDAH_DATA_UNUSABLE', reason, { cause: error });
  }
}

function touch(path: string): void {
  const now = new Date();
  try {
    utimesSync(path, now, now);
  } catch {
    // The directory went away under the server; PostgreSQL will say so better.
  }
}
