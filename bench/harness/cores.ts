// Which CPU core the server gets and which the load generator, so that neither takes time from the other.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Cores {
  /** Null: not pinned, because there are fewer than two cores or no taskset. */
  readonly server: number | null;
  readonly load: number | null;
  /** Why nothing is pinned, or null. */
  readonly warning: string | null;
}

/** Parses the kernel's list format, `0-2,5` (proc(5), Cpus_allowed_list). */
export function parseCpuList(list: string): number[] {
  return list
    .trim()
    .split(',')
    .filter((part) => part !== '')
    .flatMap((part) => {
      const [first = '', last = first] = part.split('-');
      const from = Number(first);
      return Array.from({ length: Number(last) - from + 1 }, (_, index) => from + index);
    });
}

/** The first two cores that this process may use: a container's may not start at 0. */
export function chooseCores(): Cores {
  const unpinned = (warning: string): Cores => ({ server: null, load: null, warning });
  let allowed: number[];
  try {
    const status = readFileSync('/proc/self/status', 'latin1');
    allowed = parseCpuList(/^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1] ?? '');
    execFileSync('taskset', ['--version'], { stdio: 'ignore' });
  } catch {
    return unpinned('not pinned to cores: this machine has no /proc or no taskset');
  }
  const [server, load] = allowed;
  if (server === undefined || load === undefined) {
    return unpinned('not pinned to cores: there is one core only, so server and load generator share it');
  }
  return { server, load, warning: null };
}

/** The command line that runs `command` on the core alone; taskset replaces itself by it, so the PID is its own. */
export function pinned(core: number | null, command: readonly string[]): string[] {
  return core === null ? [...command] : ['taskset', '-c', String(core), ...command];
}
