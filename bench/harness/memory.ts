// How much memory a server has, from /proc (proc(5)). Linux only.
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { descendants } from './cpu-time.ts';

/** Parses the sum of /proc/PID/smaps_rollup: what is shared among processes counts for each in part. */
export function parseProportionalBytes(rollup: string): number | null {
  const kilobytes = /^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1];
  return kilobytes === undefined ? null : Number(kilobytes) * 1024;
}

/** Memory of a process and its descendants that is in RAM, in bytes; null where it cannot be read. */
export function memoryBytes(pid: number): number | null {
  try {
    const parts = descendants(pid).map((id) =>
      parseProportionalBytes(readFileSync(`/proc/${id}/smaps_rollup`, 'latin1')),
    );
    return parts.reduce((sum: number | null, each) => (sum === null || each === null ? null : sum + each), 0);
  } catch {
    return null;
  }
}

const READINGS = 12;
const READING_MS = 250;

/** The least of some readings over some seconds: the garbage collector runs when it wants to. */
export async function settledMemoryBytes(pid: number): Promise<number | null> {
  let least: number | null = null;
  for (let reading = 0; reading < READINGS; reading++) {
    await wait(READING_MS);
    const now = memoryBytes(pid);
    if (now !== null) least = least === null ? now : Math.min(least, now);
  }
  return least;
}
