// From a request whose SQL handler publishes an event, through its commit, to a client that listens: embedded engine, in memory.
import { runChild } from '../harness/child-processes.ts';
import { pinned } from '../harness/cores.ts';
import { discounted, servedContestant } from '../harness/served-contestant.ts';
import type { Contestant, RunResult, Scenario } from '../harness/scenario.ts';
import { benchFile, howdahServe, howdahVersion } from './commands.ts';

const MICROSECONDS = 1000;

function contestant(name: string, kind: 'stream' | 'websocket'): Contestant {
  const server = howdahServe('--memory', '--sql', benchFile('sql/live'));
  return servedContestant(name, howdahVersion(), server, async ({ port }, plan): Promise<RunResult> => {
    const { warmUpSeconds, seconds, cores } = plan;
    const options = JSON.stringify({ port, kind, warmUpSeconds, seconds });
    const { stdout, stderr } = await runChild(
      pinned(cores.load, [process.execPath, benchFile('load/live-latency.mjs'), options]),
    );
    let said: { failure?: string; p50Us?: number | null; p99Us?: number | null };
    try {
      said = JSON.parse(stdout) as typeof said;
    } catch {
      return discounted(`the load generator failed: ${stderr.slice(0, 300)}`);
    }
    const { failure, p50Us = null, p99Us = null } = said;
    if (failure !== undefined || p50Us === null) return discounted(failure ?? 'no event came');
    return {
      kind: 'counted',
      value: p50Us / MICROSECONDS,
      p50Us,
      p99Us,
      cpuUs: null,
      othersShare: null,
      remark: null,
    };
  });
}

export const liveLatency: Scenario = {
  name: 'live-latency',
  title:
    'From a request that publishes an event to the client that listens, the commit between, one at a time',
  unit: 'ms',
  faster: 'lower',
  subject: 'event stream',
  contestants: [contestant('WebSocket', 'websocket'), contestant('event stream', 'stream')],
  targets: [],
};
