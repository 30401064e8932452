// What a run cost the processor: how much of the server's core others had, which tells a slow server from a busy machine, and the
// CPU time of an operation with its parts.
import { coreTimeUs, cpuTimes } from './cpu-time.ts';
import type { CountedRun, CpuSplit } from './scenario.ts';

/** Above this share of the server's core, what others did shows in the speed. */
export const MOST_OTHERS = 0.1;

export interface CoreReading {
  /** How long the core was busy, and how long by the server, both in microseconds since some beginning. */
  readonly coreUs: number | null;
  readonly serverUs: number | null;
  /** Of serverUs what the database's processes had; null where there are none. */
  readonly databaseUs: number | null;
  readonly atMs: number;
}

/** Reads the core beside what something else has used of it so far. */
export function readCore(core: number | null, serverUs: number | null): CoreReading {
  return { coreUs: coreTimeUs(core), serverUs, databaseUs: null, atMs: performance.now() };
}

/** Reads the core beside what the server has used of it so far. */
export function readServer(core: number | null, pid: number): CoreReading {
  const times = cpuTimes(pid);
  return { ...readCore(core, times?.allUs ?? null), databaseUs: times?.databaseUs ?? null };
}

/** Share of the time between two readings that others had the core, 0 to 1; null where it cannot be told. */
export function othersShare(before: CoreReading, after: CoreReading): number | null {
  if (before.coreUs === null || after.coreUs === null) return null;
  if (before.serverUs === null || after.serverUs === null) return null;
  const othersUs = after.coreUs - before.coreUs - (after.serverUs - before.serverUs);
  // Both clocks tick: a little less than nothing is nothing.
  return Math.min(1, Math.max(0, othersUs / ((after.atMs - before.atMs) * 1000)));
}

/** Of the load generator's core; from here on it is what is measured. */
const BUSY_LOAD_SHARE = 0.97;

/** What a reader should know of a run in which the load generator had that share of its core (null: not known), or null. */
export function loadRemark(busy: number | null): string | null {
  return busy !== null && busy >= BUSY_LOAD_SHARE
    ? 'the load generator was the limit: its core was full'
    : null;
}

function split(
  before: CoreReading,
  after: CoreReading,
  operations: number,
  loadUs: number | null,
): CpuSplit | null {
  if (before.databaseUs === null || after.databaseUs === null) return null;
  if (before.serverUs === null || after.serverUs === null) return null;
  const databaseUs = after.databaseUs - before.databaseUs;
  return {
    ownUs: (after.serverUs - before.serverUs - databaseUs) / operations,
    databaseUs: databaseUs / operations,
    loadUs: loadUs === null ? null : loadUs / operations,
  };
}

/** What an operation cost between two readings of the server; `loadUs` is the load generator's CPU time for all of them. */
export function costOf(
  before: CoreReading,
  after: CoreReading,
  operations: number,
  loadUs: number | null,
): Pick<CountedRun, 'cpuUs' | 'cpuSplit' | 'othersShare'> {
  const parts = split(before, after, operations, loadUs);
  return {
    cpuUs:
      before.serverUs === null || after.serverUs === null
        ? null
        : (after.serverUs - before.serverUs) / operations,
    ...(parts === null ? {} : { cpuSplit: parts }),
    othersShare: othersShare(before, after),
  };
}
