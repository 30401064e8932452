// The file by which a process holds a data directory, and in which others find how to reach it. Reads and writes it; who may
// hold the directory is decided in data-lock.ts.
import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runs, type ProcessIdentity } from './process-identity.ts';

/** What a running server says about itself. */
export interface Runtime {
  readonly pid: number;
  /** ISO 8601. */
  readonly startedAt: string;
  /** `HOST:PORT` or the path of a UNIX socket; null where SQL clients are not admitted. */
  readonly gateway: string | null;
  /** Effective addresses of the listeners, as URLs. */
  readonly listeners: readonly string[];
}

export interface Claim {
  readonly identity: ProcessIdentity;
  readonly runtime: Runtime;
}

/** A claim whose process cannot be asked for (another container) counts as live while it was touched within this time. */
export const CLAIM_FRESH_MS = 15_000;

const CLAIM_NAME = /^howdah-\d+-\w*\.lock$/;

/** A name that no other process, before or after, has: so a stale claim can be removed without a race. */
export function claimPath(directory: string, identity: ProcessIdentity): string {
  const unique = identity.startTime === '' ? Date.now().toString(36) : identity.startTime;
  return join(directory, `howdah-${identity.pid}-${unique}.lock`);
}

/** Replaces the file in one step, so that readers see the old or the new one. */
export function writeClaim(path: string, claim: Claim): void {
  const next = `${path}.next`;
  writeFileSync(next, `${JSON.stringify(claim, null, 2)}\n`, { mode: 0o600 });
  renameSync(next, path);
}

/** Claims of other processes that run, or may run. Removes those of processes that are gone. */
export function liveClaims(directory: string, ownPath: string | null): Claim[] {
  const live: Claim[] = [];
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    if (!CLAIM_NAME.test(name) || path === ownPath) continue;
    const claim = readClaim(path);
    if (claim === null) continue;
    const running = runs(claim.identity) ?? isFresh(path);
    if (running) live.push(claim);
    else rmSync(path, { force: true });
  }
  return live;
}

/** How to reach the server that holds `directory`; null where none does. */
export function readRuntime(directory: string): Runtime | null {
  try {
    return liveClaims(directory, null)[0]?.runtime ?? null;
  } catch {
    return null;
  }
}

function readClaim(path: string): Claim | null {
  try {
    const claim: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return isClaim(claim) ? claim : null;
  } catch {
    return null; // it was removed just now; claims appear whole, by rename
  }
}

function isClaim(value: unknown): value is Claim {
  if (typeof value !== 'object' || value === null || !('identity' in value) || !('runtime' in value))
    return false;
  const { identity, runtime } = value;
  if (typeof identity !== 'object' || identity === null || typeof runtime !== 'object') return false;
  return runtime !== null && 'pid' in identity && 'startTime' in identity && 'place' in identity;
}

function isFresh(path: string): boolean {
  try {
    return Date.now() - statSync(path).mtimeMs < CLAIM_FRESH_MS;
  } catch {
    return false;
  }
}
