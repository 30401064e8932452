// How many CPUs this process may use: those of the machine that it may run on, and what its control groups allow.
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path/posix';

const CGROUPS = '/sys/fs/cgroup';

/** At least 1. A group that allows one and a half is worth two workers, which share it. */
export function availableCpus(
  machine: number = availableParallelism(),
  read: (path: string) => string | null = readOrNull,
): number {
  return Math.max(1, Math.min(machine, Math.ceil(allowedByGroups(read))));
}

/** The least that the process' group and those above it allow; Infinity: as much as there is. */
function allowedByGroups(read: (path: string) => string | null): number {
  let least = Infinity;
  for (const line of (read('/proc/self/cgroup') ?? '').split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (path === undefined || controllers === undefined) continue;
    if (controllers === '') {
      for (const group of upwards(path))
        least = Math.min(least, quota(read(join(CGROUPS, group, 'cpu.max'))));
    } else if (controllers.split(',').includes('cpu')) {
      for (const group of upwards(path)) {
        const base = join(CGROUPS, controllers, group);
        const period = read(join(base, 'cpu.cfs_period_us'));
        least = Math.min(least, quota(`${read(join(base, 'cpu.cfs_quota_us')) ?? ''} ${period ?? ''}`));
      }
    }
  }
  return least;
}

/** A path and all above it. In a container the group's own path may be one that is not seen from within. */
function upwards(path: string): string[] {
  const paths = [path];
  for (let at = path; at !== '/'; at = dirname(at)) paths.push(dirname(at));
  return paths;
}

/** `QUOTA PERIOD` in microseconds; `max`, `-1` and what cannot be read allow everything. */
function quota(text: string | null): number {
  const [, used, period] = /^(\d+)\s+(\d+)\s*$/.exec(text ?? '') ?? [];
  return used === undefined || Number(used) === 0 || Number(period) === 0
    ? Infinity
    : Number(used) / Number(period);
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
