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

/** A result's machine, with why nothing was pinned to a core, or null. */
export interface MeasuredOn {
  readonly machine: Machine;
  readonly warning: string | null;
}

/** One paragraph of Markdown for each machine, however many results there are of it. */
export function renderMachines(results: readonly MeasuredOn[]): string[] {
  const loads = new Map<string, number[]>();
  for (const { machine, warning } of results) {
    const described = describe(machine, warning);
    loads.set(described, [...(loads.get(described) ?? []), machine.loadBefore]);
  }
  return Array.from(loads, ([described, values]) => {
    const range = [...new Set([Math.min(...values), Math.max(...values)].map((value) => value.toFixed(2)))];
    return `${described}; load average before the first run ${range.join(' to ')}.`;
  });
}

function describe(machine: Machine, warning: string | null): string {
  const pinning =
    warning ?? `server on core ${machine.serverCore}, load generator on core ${machine.loadCore}`;
  return (
    `${machine.cpu}, ${machine.cores} cores, ${machine.kernel}, Node.js ${machine.node}, ` +
    `${machine.loadGenerator ?? 'no wrk'}; ${pinning}`
  );
}
