// The load generator that asks at a constant rate (load/constant-rate.ts): how it is run, and what it says at its end.
import { fileURLToPath } from 'node:url';
import { runChild } from './child-processes.ts';
import { pinned } from './cores.ts';
import { tellingLine } from './server-process.ts';

const SCRIPT = fileURLToPath(new URL('../load/constant-rate.ts', import.meta.url));

export interface ConstantRateOptions {
  readonly port: number;
  readonly connections: number;
  readonly perSecond: number;
  /** At this rate, before what is measured. */
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

/** Latencies are in microseconds, from the moment at which a request was due to the last byte of its answer. */
export interface ConstantRateSummary {
  readonly requests: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
  /** The part of the latency that is the load generator's own: how late it saw that a request was due. */
  readonly ownP99Us: number;
  /** Its CPU time for all requests, also for those of the warm-up. */
  readonly cpuUs: number;
}

/** Finds the summary in its output, or answers what went wrong. */
export function parseConstantRate(stdout: string, stderr: string): ConstantRateSummary | string {
  try {
    const said = JSON.parse(stdout) as ConstantRateSummary & { readonly failure?: string };
    return said.failure ?? said;
  } catch {
    return `the load generator failed: ${tellingLine(stderr)}`;
  }
}

export async function runConstantRate(
  options: ConstantRateOptions,
  core: number | null,
): Promise<ConstantRateSummary | string> {
  const command = pinned(core, [process.execPath, SCRIPT, JSON.stringify(options)]);
  const { stdout, stderr } = await runChild(command);
  return parseConstantRate(stdout, stderr);
}
