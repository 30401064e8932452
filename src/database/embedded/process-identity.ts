// Which process this is, such that another one can tell later whether it still runs. Reads /proc where there is one.
import { readFileSync, readlinkSync } from 'node:fs';

export interface ProcessIdentity {
  readonly pid: number;
  /** Tells this process from another one that got the same pid; empty where the system does not say. */
  readonly startTime: string;
  /** Where the pid means something: one boot of one system, one pid namespace; empty where the system does not say. */
  readonly place: string;
}

export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, startTime: startTimeOf(process.pid) ?? '', place: ownPlace() };
}

/** null where it cannot be known from here: the process belongs to another container, machine or boot. */
export function runs(identity: ProcessIdentity): boolean | null {
  if (identity.place !== ownPlace()) return null;
  const startTime = startTimeOf(identity.pid);
  if (startTime !== null) return startTime === identity.startTime;
  if (identity.startTime !== '') return false;
  try {
    process.kill(identity.pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, and another user's.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Field 22 of /proc/PID/stat (proc(5)): clock ticks between boot and start. The name before it may contain anything. */
function startTimeOf(pid: number): string | null {
  const stat = read(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  if (stat === null) return null;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A zombie has ended, although its entry is there until its parent asks.
  return fields[0] === 'Z' ? null : (fields[19] ?? null);
}

function ownPlace(): string {
  const boot = read(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  const namespace = read(() => readlinkSync('/proc/self/ns/pid'));
  return boot === null || namespace === null ? '' : `${boot} ${namespace}`;
}

function read(reading: () => string): string | null {
  try {
    return reading();
  } catch {
    return null;
  }
}
