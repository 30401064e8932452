// A contestant whose start is measured: from the moment its process is made to the first right answer.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { othersShare, readCore } from './core-watch.ts';
import { endedChildrenCpuTimeUs } from './cpu-time.ts';
import { discounted, messageOf } from './served-contestant.ts';
import { findFault, probe } from './probe.ts';
import type { Answer, Expectation } from './probe.ts';
import type { Contestant, RunPlan } from './scenario.ts';
import { freePort } from '../../test/support/free-port.ts';
import { startServer } from './server-process.ts';
import type { ServerCommand } from './server-process.ts';

/** Fine against the hundreds of milliseconds that a start takes, and light on the other core. */
const POLL_MS = 2;
const START_LIMIT_MS = 120_000;

export interface StartContestant {
  readonly name: string;
  readonly version: string;
  /** The server that keeps its data in the directory; what is in it for one that has no data is for it to ignore. */
  server(dataDirectory: string): ServerCommand;
  /** Whether the directory has been used by an earlier start, which is not measured. */
  readonly existing: boolean;
  readonly target: string;
  readonly expected: Expectation;
}

async function pollAnswer(port: number, target: string, deadline: number): Promise<Answer> {
  for (;;) {
    try {
      return await probe(port, { target });
    } catch (error) {
      // Refused while nobody listens, closed while nobody answers.
      if (performance.now() > deadline) throw error;
      await wait(POLL_MS);
    }
  }
}

/** Starts once, stops, and answers the milliseconds to the first answer; rejects with what was wrong. */
async function startOnce(
  contestant: StartContestant,
  directory: string,
  port: number,
  plan: RunPlan,
): Promise<number> {
  const begin = performance.now();
  const server = await startServer(contestant.server(directory), port, plan.cores.server, false);
  let fault: string | null;
  let elapsedMs = 0;
  try {
    const answer = await Promise.race([
      pollAnswer(server.port, contestant.target, begin + START_LIMIT_MS),
      server.failed,
    ]);
    elapsedMs = performance.now() - begin;
    fault = findFault(answer, contestant.expected);
  } catch (error) {
    fault = messageOf(error);
  }
  const end = await server.stop();
  fault ??= end;
  if (fault !== null) throw new Error(fault);
  return elapsedMs;
}

export function startContestant(contestant: StartContestant): Contestant {
  return {
    name: contestant.name,
    version: contestant.version,
    async run(plan) {
      const parent = await mkdtemp(join(tmpdir(), 'howdah-bench-'));
      const directory = join(parent, 'data');
      try {
        // One port for both starts: howdah keeps its listeners in the database.
        const port = await freePort();
        if (contestant.existing) await startOnce(contestant, directory, port, plan);
        const before = readCore(plan.cores.server, endedChildrenCpuTimeUs());
        const value = await startOnce(contestant, directory, port, plan);
        const after = readCore(plan.cores.server, endedChildrenCpuTimeUs());
        return {
          kind: 'counted',
          value,
          p50Us: null,
          p99Us: null,
          cpuUs: null,
          othersShare: othersShare(before, after),
          remark: null,
        };
      } catch (error) {
        return discounted(messageOf(error));
      } finally {
        await rm(parent, { recursive: true, force: true });
      }
    },
  };
}
