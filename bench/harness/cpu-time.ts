// CPU time that processes have used, from /proc (proc(5)). Reads only; Linux only.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const MICROSECONDS = 1_000_000;
/** What Linux has on every platform that Node.js runs on (sysconf(3), _SC_CLK_TCK). */
const USUAL_TICKS_PER_SECOND = 100;

export interface CpuTicks {
  /** The process with all of its threads. */
  readonly own: number;
  /** Its children that have ended and were waited for. */
  readonly waitedChildren: number;
}

/** Parses a line of /proc/PID/stat; the name in brackets may hold spaces and brackets itself. */
export function parseCpuTicks(stat: string): CpuTicks {
  const [, , , , , , , , , , , utime, stime, cutime, cstime] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ');
  return { own: Number(utime) + Number(stime), waitedChildren: Number(cutime) + Number(cstime) };
}

/**
 * Parses what /proc/stat says of a core: ticks that processes ran on it, and ticks that the hypervisor gave to another
 * machine. Interrupts are left out: those of the loopback network belong to both ends. Null for a core that is not listed.
 */
export function parseCoreTicks(stat: string, core: number): number | null {
  const line = stat.split('\n').find((text) => text.startsWith(`cpu${core} `));
  if (line === undefined) return null;
  const [, user, nice, system, , , , , steal] = line.split(' ');
  return Number(user) + Number(nice) + Number(system) + Number(steal);
}

let ticksPerSecond: number | undefined;

function ticksToMicroseconds(ticks: number): number {
  if (ticksPerSecond === undefined) {
    try {
      ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'latin1' }));
    } catch {
      ticksPerSecond = USUAL_TICKS_PER_SECOND;
    }
  }
  return (ticks * MICROSECONDS) / ticksPerSecond;
}

/** A process and all those below it that have not ended meanwhile. Throws where it is gone itself. */
export function descendants(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1')
      .trim()
      .split(' ')
      .filter(Boolean)
      .map(Number),
  );
  return [pid, ...children.flatMap((child) => unlessGone(() => descendants(child)) ?? [])];
}

/** Null where a process or thread has ended between two readings. */
function unlessGone<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

/** The name of a process in a line of /proc/PID/stat. */
export function parseProcessName(stat: string): string {
  return stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
}

/** CPU time since some beginning, in microseconds. */
export interface CpuTimes {
  readonly allUs: number;
  /** Of allUs what the processes of PostgreSQL had; null where there are none among them. */
  readonly databaseUs: number | null;
}

/** What PostgreSQL calls its processes, whatever each is for. */
const DATABASE = 'postgres';

/** CPU time of a process and its living descendants since they started; null where it cannot be read. */
export function cpuTimes(pid: number): CpuTimes | null {
  try {
    let all = 0;
    let database: number | null = null;
    for (const id of descendants(pid)) {
      const stat = unlessGone(() => readFileSync(`/proc/${id}/stat`, 'latin1'));
      if (stat === null) continue;
      const { own } = parseCpuTicks(stat);
      all += own;
      if (parseProcessName(stat) === DATABASE) database = (database ?? 0) + own;
    }
    return {
      allUs: ticksToMicroseconds(all),
      databaseUs: database === null ? null : ticksToMicroseconds(database),
    };
  } catch {
    return null;
  }
}

/** CPU time of a process's children that have ended, in microseconds; null where it cannot be read. */
export function endedChildrenCpuTimeUs(pid: number | 'self' = 'self'): number | null {
  try {
    return ticksToMicroseconds(parseCpuTicks(readFileSync(`/proc/${pid}/stat`, 'latin1')).waitedChildren);
  } catch {
    return null;
  }
}

/** Time for which a core was not to be had, whoever used it, since the machine started, in microseconds; or null. */
export function coreTimeUs(core: number | null): number | null {
  if (core === null) return null;
  try {
    const ticks = parseCoreTicks(readFileSync('/proc/stat', 'latin1'), core);
    return ticks === null ? null : ticksToMicroseconds(ticks);
  } catch {
    return null;
  }
}
