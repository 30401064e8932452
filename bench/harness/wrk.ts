// The load generator wrk: how it is run, and what it says at its end.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { runChild } from './child-processes.ts';
import { pinned } from './cores.ts';
import { endedChildrenCpuTimeUs } from './cpu-time.ts';
import { tellingLine } from './server-process.ts';

const LOAD_DIRECTORY = fileURLToPath(new URL('../load', import.meta.url));
const SUMMARY_MARK = 'wrk-summary ';

export interface WrkLoad {
  readonly connections: number;
  /** The request target; a script may ask for others. */
  readonly target: string;
  /** A file of bench/load that prints the summary line at its end. */
  readonly script: string;
  /** Field lines that every request has besides those of wrk, as in `name: value`. */
  readonly fields?: readonly string[];
  /** The body of a POST; without it, requests are GET. */
  readonly post?: string;
  /** How many requests are sent at once on a connection, before their answers are read; 1 if it is not given. */
  readonly pipelined?: number;
}

/** What the script's line says. Latencies are in microseconds. */
export interface WrkSummary {
  readonly requests: number;
  readonly durationUs: number;
  /** Of all responses, heads included. */
  readonly bytes: number;
  readonly connectErrors: number;
  readonly readErrors: number;
  readonly writeErrors: number;
  readonly timeouts: number;
  /** Responses with a status of 400 or more: wrk looks at no others. */
  readonly badStatuses: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
}

export interface WrkRun {
  readonly summary: WrkSummary;
  /** What part of the time its core was busy, 0 to 1; null where it cannot be read. */
  readonly busy: number | null;
  /** Its CPU time; null where it cannot be read. */
  readonly cpuUs: number | null;
}

/** Finds the summary in wrk's output; throws where there is none. */
export function parseWrkSummary(output: string): WrkSummary {
  const line = output.split('\n').find((text) => text.startsWith(SUMMARY_MARK));
  if (line === undefined) throw new Error(`wrk gave no summary: ${tellingLine(output)}`);
  return JSON.parse(line.slice(SUMMARY_MARK.length)) as WrkSummary;
}

/** Why a summary says nothing about speed, or null. */
export function findLoadErrors(summary: WrkSummary): string | null {
  const counts: readonly [number, string][] = [
    [summary.connectErrors, 'connections not made'],
    [summary.readErrors, 'read errors'],
    [summary.writeErrors, 'write errors'],
    [summary.timeouts, 'requests timed out'],
    [summary.badStatuses, 'responses with a status of 400 or more'],
  ];
  const found = counts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  if (found.length > 0) return found.join(', ');
  return summary.requests === 0 ? 'no request was answered' : null;
}

/** Share by which the mean size of a response may differ from the probe's: connections are cut off in mid-response. */
const SIZE_TOLERANCE = 0.01;

/**
 * wrk does not look at bodies, nor at statuses below 400: a response of another size than the probe's gives a wrong or
 * cut answer away all the same. Answers the fault, or null.
 */
export function findSizeFault(summary: WrkSummary, inFlight: number, answerBytes: number): string | null {
  const due = summary.requests * answerBytes;
  const slack = Math.max(due * SIZE_TOLERANCE, inFlight * answerBytes);
  if (Math.abs(summary.bytes - due) <= slack) return null;
  const mean = (summary.bytes / summary.requests).toFixed(1);
  return `responses under load had ${mean} bytes on average, the probe's ${answerBytes}`;
}

/** Loads a server of 127.0.0.1 with one thread; rejects where wrk cannot do its work at all. */
export async function runWrk(
  load: WrkLoad,
  port: number,
  seconds: number,
  core: number | null,
): Promise<WrkRun> {
  const before = endedChildrenCpuTimeUs();
  const { stdout, stderr } = await runChild(
    pinned(core, [
      'wrk',
      '--threads=1',
      `--connections=${load.connections}`,
      `--duration=${Math.max(1, Math.round(seconds))}s`,
      `--script=${LOAD_DIRECTORY}/${load.script}`,
      ...(load.fields ?? []).map((field) => `--header=${field}`),
      `http://127.0.0.1:${port}${load.target}`,
    ]),
    {
      BENCH_LOAD_DIRECTORY: LOAD_DIRECTORY,
      BENCH_POST: load.post ?? '',
      BENCH_PIPELINED: String(load.pipelined ?? 1),
    },
  );
  const summary = parseWrkSummary(`${stdout}\n${stderr}`);
  const after = endedChildrenCpuTimeUs();
  const cpuUs = before === null || after === null ? null : after - before;
  return { summary, busy: cpuUs === null ? null : cpuUs / summary.durationUs, cpuUs };
}

/** As in `wrk 4.1.0`; null where it is not installed. */
export function wrkVersion(): string | null {
  try {
    execFileSync('wrk', ['-v'], { encoding: 'latin1' });
  } catch (error) {
    // It ends with status 1 after it has printed its version.
    const printed = (error as { stdout?: string }).stdout ?? '';
    return /^wrk \S+/m.exec(printed)?.[0] ?? null;
  }
  return null;
}
