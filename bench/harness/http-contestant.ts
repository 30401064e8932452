// A contestant that answers HTTP: probed, warmed up, loaded, probed again, stopped.
import { costOf, loadRemark, readServer } from './core-watch.ts';
import { findFault, probe } from './probe.ts';
import type { Expectation } from './probe.ts';
import type { Contestant, RunPlan, RunResult } from './scenario.ts';
import { discounted, servedContestant } from './served-contestant.ts';
import type { ServerCommand, ServerProcess } from './server-process.ts';
import { findLoadErrors, findSizeFault, runWrk } from './wrk.ts';
import type { WrkLoad } from './wrk.ts';

export const MICROSECONDS = 1_000_000;

export interface HttpContestant {
  readonly name: string;
  readonly version: string;
  readonly server: ServerCommand;
  readonly load: WrkLoad;
  /** The right answer to the target of the load. */
  readonly expected: Expectation;
}

async function measure(contestant: HttpContestant, server: ServerProcess, plan: RunPlan): Promise<RunResult> {
  const { load } = contestant;
  const { bytes } = await probe(server.port, load);
  await runWrk(load, server.port, plan.warmUpSeconds, plan.cores.load);
  const before = readServer(plan.cores.server, server.pid);
  const { summary, busy, cpuUs } = await runWrk(load, server.port, plan.seconds, plan.cores.load);
  const after = readServer(plan.cores.server, server.pid);

  const inFlight = load.connections * (load.pipelined ?? 1);
  const loadFault = findLoadErrors(summary) ?? findSizeFault(summary, inFlight, bytes);
  if (loadFault !== null) return discounted(loadFault);
  return {
    kind: 'counted',
    value: (summary.requests * MICROSECONDS) / summary.durationUs,
    p50Us: summary.p50Us,
    // wrk answers 0 where too many answers took longer than it keeps count of.
    p99Us: summary.p99Us >= summary.p50Us ? summary.p99Us : null,
    ...costOf(before, after, summary.requests, cpuUs),
    remark: loadRemark(busy),
  };
}

export function httpContestant(contestant: HttpContestant): Contestant {
  const { name, version, server, load, expected } = contestant;
  return servedContestant(
    name,
    version,
    server,
    (running, plan) => measure(contestant, running, plan),
    async (running) => findFault(await probe(running.port, load), expected),
  );
}
