// How much of the server's core others had during a run: what tells a slow server from a busy machine.
import { coreTimeUs } from './cpu-time.ts';

export interface CoreReading {
  /** How long the core was busy, and how long by the server, both in microseconds since some beginning. */
  readonly coreUs: number | null;
  readonly serverUs: number | null;
  readonly atMs: number;
}

/** Reads the core beside what the server has used of it so far. */
export function readCore(core: number | null, serverUs: number | null): CoreReading {
  return { coreUs: coreTimeUs(core), serverUs, atMs: performance.now() };
}

/** Share of the time between two readings that others had the core, 0 to 1; null where it cannot be told. */
export function othersShare(before: CoreReading, after: CoreReading): number | null {
  if (before.coreUs === null || after.coreUs === null) return null;
  if (before.serverUs === null || after.serverUs === null) return null;
  const othersUs = after.coreUs - before.coreUs - (after.serverUs - before.serverUs);
  // Both clocks tick: a little less than nothing is nothing.
  return Math.min(1, Math.max(0, othersUs / ((after.atMs - before.atMs) * 1000)));
}
