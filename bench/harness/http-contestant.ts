// A contestant that answers HTTP: probed, warmed up, loaded, probed again, stopped.
import { othersShare, readCore } from './core-watch.ts';
import { cpuTimeUs } from './cpu-time.ts';
import { findFault, probe } from './probe.ts';
import type { Expectation } from './probe.ts';
import type { Contestant, DiscountedRun, RunPlan, RunResult } from './scenario.ts';
import { freePort, startServer } from './server-process.ts';
import type { ServerCommand, ServerProcess } from './server-process.ts';
import { findLoadErrors, findSizeFault, runWrk } from './wrk.ts';
import type { WrkLoad } from './wrk.ts';

/** From here on the load generator is what is measured. */
export const BUSY_LOAD_SHARE = 0.97;
export const MICROSECONDS = 1_000_000;

export interface HttpContestant {
  readonly name: string;
  readonly version: string;
  readonly server: ServerCommand;
  readonly load: WrkLoad;
  /** The right answer to the target of the load. */
  readonly expected: Expectation;
}

export function discounted(reason: string): DiscountedRun {
  return { kind: 'discounted', reason };
}

/** What an error of any kind says, for a reason. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function measure(contestant: HttpContestant, server: ServerProcess, plan: RunPlan): Promise<RunResult> {
  const { load, expected } = contestant;
  const first = await probe(server.port, load.target);
  const fault = findFault(first, expected);
  if (fault !== null) return discounted(`before the load: ${fault}`);

  await runWrk(load, server.port, plan.warmUpSeconds, plan.cores.load);
  const before = readCore(plan.cores.server, cpuTimeUs(server.pid));
  const { summary, busy } = await runWrk(load, server.port, plan.seconds, plan.cores.load);
  const after = readCore(plan.cores.server, cpuTimeUs(server.pid));

  const loadFault = findLoadErrors(summary) ?? findSizeFault(summary, load.connections, first.bytes);
  if (loadFault !== null) return discounted(loadFault);
  const lastFault = findFault(await probe(server.port, load.target), expected);
  if (lastFault !== null) return discounted(`after the load: ${lastFault}`);
  return {
    kind: 'counted',
    value: (summary.requests * MICROSECONDS) / summary.durationUs,
    p50Us: summary.p50Us,
    p99Us: summary.p99Us,
    cpuUs:
      before.serverUs === null || after.serverUs === null
        ? null
        : (after.serverUs - before.serverUs) / summary.requests,
    othersShare: othersShare(before, after),
    remark:
      busy !== null && busy >= BUSY_LOAD_SHARE ? 'the load generator was the limit: its core was full' : null,
  };
}

/** A contestant whose server is started for each run, measured, and stopped. */
export function servedContestant(
  name: string,
  version: string,
  command: ServerCommand,
  measureServer: (server: ServerProcess, plan: RunPlan) => Promise<RunResult>,
): Contestant {
  return {
    name,
    version,
    async run(plan) {
      let server: ServerProcess;
      try {
        server = await startServer(command, await freePort(), plan.cores.server);
      } catch (error) {
        return discounted(messageOf(error));
      }
      let result: RunResult;
      try {
        result = await measureServer(server, plan);
      } catch (error) {
        result = discounted(messageOf(error));
      }
      const end = await server.stop();
      return end === null || result.kind === 'discounted' ? result : discounted(end);
    },
  };
}

export function httpContestant(contestant: HttpContestant): Contestant {
  const { name, version, server } = contestant;
  return servedContestant(name, version, server, (running, plan) => measure(contestant, running, plan));
}
