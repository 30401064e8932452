// A contestant that serves nothing: a loop in a process of its own on the server's core, which gives the limit of what a
// server could do. It measures itself and prints one line of JSON.
import { runChild } from './child-processes.ts';
import { othersShare, readCore } from './core-watch.ts';
import { pinned } from './cores.ts';
import { endedChildrenCpuTimeUs } from './cpu-time.ts';
import { discounted, messageOf } from './served-contestant.ts';
import type { Contestant, CpuSplit } from './scenario.ts';
import { tellingLine } from './server-process.ts';

const RESULT_MARK = 'loop-result ';

/** What a loop prints after `loop-result `. */
export interface LoopResult {
  readonly operations: number;
  readonly elapsedUs: number;
  /** On the server's core; null where it is not known. */
  readonly cpuUs: number | null;
  /** Of a program that asks a database: of cpuUs what that had, and its own, which may be on another core. */
  readonly databaseUs?: number;
  readonly loadUs?: number;
}

function splitOf({ operations, databaseUs, loadUs }: LoopResult): CpuSplit | null {
  if (databaseUs === undefined || loadUs === undefined) return null;
  return { ownUs: null, databaseUs: databaseUs / operations, loadUs: loadUs / operations };
}

/** Prints the result for the harness. */
export function printLoopResult(result: LoopResult): void {
  console.log(RESULT_MARK + JSON.stringify(result));
}

/** Finds the result in a loop's output; null where there is none. */
export function parseLoopResult(output: string): LoopResult | null {
  const line = output.split('\n').find((text) => text.startsWith(RESULT_MARK));
  return line === undefined ? null : (JSON.parse(line.slice(RESULT_MARK.length)) as LoopResult);
}

/** The command finds its times in BENCH_SECONDS and BENCH_WARM_UP_SECONDS. */
export function loopContestant(
  name: string,
  version: string,
  command: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Contestant {
  return {
    name,
    version,
    async run(plan) {
      try {
        const before = readCore(plan.cores.server, endedChildrenCpuTimeUs());
        const { code, stdout, stderr } = await runChild(pinned(plan.cores.server, command), {
          ...environment,
          BENCH_SECONDS: String(plan.seconds),
          BENCH_WARM_UP_SECONDS: String(plan.warmUpSeconds),
        });
        const after = readCore(plan.cores.server, endedChildrenCpuTimeUs());
        const result = parseLoopResult(stdout);
        if (code !== 0 || result === null) {
          return discounted(`it ended with ${code}: ${tellingLine(stderr || stdout)}`);
        }
        const cpuSplit = splitOf(result);
        return {
          kind: 'counted',
          value: (result.operations * 1_000_000) / result.elapsedUs,
          p50Us: null,
          p99Us: null,
          cpuUs: result.cpuUs === null ? null : result.cpuUs / result.operations,
          ...(cpuSplit === null ? {} : { cpuSplit }),
          othersShare: othersShare(before, after),
          remark: null,
        };
      } catch (error) {
        return discounted(messageOf(error));
      }
    },
  };
}
