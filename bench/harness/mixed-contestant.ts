// A contestant that is asked for fast answers, beside slow ones or alone: the latency of the fast ones is what is measured.
import { othersShare, readServer } from './core-watch.ts';
import { findFault, probe } from './probe.ts';
import type { Expectation } from './probe.ts';
import type { Contestant, RunPlan, RunResult } from './scenario.ts';
import { discounted, servedContestant } from './served-contestant.ts';
import type { ServerCommand, ServerProcess } from './server-process.ts';
import { findLoadErrors, runWrk } from './wrk.ts';
import type { WrkLoad } from './wrk.ts';

export interface MixedContestant {
  readonly name: string;
  readonly version: string;
  readonly server: ServerCommand;
  readonly fast: WrkLoad;
  readonly expected: Expectation;
  /** What is asked for meanwhile, or null. */
  readonly slow: WrkLoad | null;
}

async function measure(
  { fast, slow }: MixedContestant,
  server: ServerProcess,
  plan: RunPlan,
): Promise<RunResult> {
  const load = (each: WrkLoad, seconds: number) => runWrk(each, server.port, seconds, plan.cores.load);
  await load(fast, plan.warmUpSeconds);
  const before = readServer(plan.cores.server, server.pid);
  const [quick, meanwhile] = await Promise.all([
    load(fast, plan.seconds),
    slow === null ? null : load(slow, plan.seconds),
  ]);
  const after = readServer(plan.cores.server, server.pid);
  const fault = findLoadErrors(quick.summary);
  if (fault !== null) return discounted(fault);
  const slowFault = meanwhile === null ? null : findLoadErrors(meanwhile.summary);
  if (slowFault !== null) return discounted(`of the slow requests: ${slowFault}`);
  return {
    kind: 'counted',
    value: quick.summary.p99Us / 1000,
    p50Us: quick.summary.p50Us,
    p99Us: quick.summary.p99Us,
    cpuUs: null,
    othersShare: othersShare(before, after),
    remark: null,
  };
}

export function mixedContestant(contestant: MixedContestant): Contestant {
  const { name, version, server, fast, expected } = contestant;
  return servedContestant(
    name,
    version,
    server,
    (running, plan) => measure(contestant, running, plan),
    async (running) => findFault(await probe(running.port, fast), expected),
  );
}
