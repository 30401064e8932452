// A contestant whose peak is found, and that is then asked at a constant rate below it: what is measured is the latency there, from the
// moment at which each request was due.
import { runConstantRate } from './constant-rate.ts';
import { costOf, readServer } from './core-watch.ts';
import { MICROSECONDS } from './http-contestant.ts';
import { findFault, probe } from './probe.ts';
import type { Expectation } from './probe.ts';
import type { Contestant, RunPlan, RunResult } from './scenario.ts';
import { discounted, servedContestant } from './served-contestant.ts';
import type { ServerCommand, ServerProcess } from './server-process.ts';
import { findLoadErrors, runWrk } from './wrk.ts';
import type { WrkLoad } from './wrk.ts';

export interface HalfLoadContestant {
  readonly name: string;
  readonly version: string;
  readonly server: ServerCommand;
  /** By which its peak is found. */
  readonly load: WrkLoad;
  readonly expected: Expectation;
  /** The rate to ask at, of its peak, in requests per second; null where it cannot be told. */
  readonly rateOf: (peak: number) => number | null;
}

/** At the constant rate, before it is measured: queues and sessions of the load before are gone after it. */
const SETTLING_SECONDS = 1;
/** From here on the latency is the load generator's own in good part. */
const MOST_OWN_SHARE = 0.25;

async function measure(
  contestant: HalfLoadContestant,
  server: ServerProcess,
  plan: RunPlan,
): Promise<RunResult> {
  const { load, rateOf } = contestant;
  const { cores, seconds } = plan;
  await runWrk(load, server.port, plan.warmUpSeconds, cores.load);
  const { summary: peak } = await runWrk(load, server.port, seconds, cores.load);
  const fault = findLoadErrors(peak);
  if (fault !== null) return discounted(`while its peak was looked for: ${fault}`);
  const perSecond = rateOf((peak.requests * MICROSECONDS) / peak.durationUs);
  if (perSecond === null) return discounted('the rate that it is to be asked at is not known');

  const { connections } = load;
  const at = { port: server.port, connections, perSecond, warmUpSeconds: SETTLING_SECONDS };
  const before = readServer(cores.server, server.pid);
  const summary = await runConstantRate({ ...at, seconds }, cores.load);
  const after = readServer(cores.server, server.pid);
  if (typeof summary === 'string') return discounted(summary);
  const { requests, p50Us, p99Us, ownP99Us, cpuUs } = summary;
  const all = requests + Math.round(SETTLING_SECONDS * perSecond);
  const own = `of it the load generator's own: up to ${(ownP99Us / 1000).toFixed(2)} ms`;
  return {
    kind: 'counted',
    value: p99Us / 1000,
    offered: perSecond,
    p50Us,
    p99Us,
    ...costOf(before, after, all, cpuUs),
    remark: ownP99Us > p99Us * MOST_OWN_SHARE ? own : null,
  };
}

export function halfLoadContestant(contestant: HalfLoadContestant): Contestant {
  const { name, version, server, load, expected } = contestant;
  return servedContestant(
    name,
    version,
    server,
    (running, plan) => measure(contestant, running, plan),
    async (running) => findFault(await probe(running.port, load), expected),
  );
}
