// What a result was measured on: without it the figures say nothing.
import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os';
import type { Cores } from './cores.ts';
import { wrkVersion } from './wrk.ts';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly node: string;
  readonly loadGenerator: string | null;
  readonly serverCore: number | null;
  readonly loadCore: number | null;
  /** Mean number of runnable processes in the minute before the first run: above some tenths others were at work. */
  readonly loadBefore: number;
}

export function describeMachine(cores: Cores): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    // Without what a builder has added to the version.
    kernel: `${platform()} ${release().split('-')[0] ?? ''} ${arch()}`,
    node: process.versions.node,
    loadGenerator: wrkVersion(),
    serverCore: cores.server,
    loadCore: cores.load,
    loadBefore: loadavg()[0] ?? 0,
  };
}

/** The machine in one paragraph of Markdown. */
export function renderMachine(machine: Machine, warning: string | null): string {
  const pinning =
    warning ?? `server on core ${machine.serverCore}, load generator on core ${machine.loadCore}`;
  return (
    `${machine.cpu}, ${machine.cores} cores, ${machine.kernel}, Node.js ${machine.node}, ` +
    `${machine.loadGenerator ?? 'no wrk'}; ${pinning}; ` +
    `load average before the first run ${machine.loadBefore.toFixed(2)}.`
  );
}
