// The load generator h2load, for HTTP/2 and for TLS: how it is run, and what it says at its end.
import { runChild } from './child-processes.ts';
import { pinned } from './cores.ts';
import { endedChildrenCpuTimeUs } from './cpu-time.ts';
import { tellingLine } from './server-process.ts';

const MICROSECONDS = 1_000_000;

export interface H2Load {
  readonly scheme: 'http' | 'https';
  /** http/1.1 over TLS only: h2load then asks one request at a time on each connection. */
  readonly protocol: 'h2' | 'http/1.1';
  readonly connections: number;
  /** Requests at a time on each connection. */
  readonly streams: number;
  readonly target: string;
  /** Field lines, as in `name: value`. */
  readonly fields?: readonly string[];
  /** File that is sent as the body of a POST; without it, requests are GET. */
  readonly bodyFile?: string;
}

export interface H2LoadSummary {
  readonly requests: number;
  readonly failed: number;
  /** Responses with another status than 2xx. */
  readonly badStatuses: number;
  /** Of all bodies. */
  readonly dataBytes: number;
}

export interface H2LoadRun {
  readonly summary: H2LoadSummary;
  readonly durationUs: number;
  /** What part of the time its core was busy, 0 to 1; null where it cannot be read. */
  readonly busy: number | null;
  /** Its CPU time; null where it cannot be read. */
  readonly cpuUs: number | null;
}

/** Finds the figures in h2load's output; throws where there are none. */
export function parseH2LoadSummary(output: string): H2LoadSummary {
  const requests =
    /^requests: .* (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout$/m.exec(output);
  const statuses = /^status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx$/m.exec(output);
  const data = /^traffic: .*\((\d+)\) data$/m.exec(output);
  if (requests === null || statuses === null || data === null) {
    throw new Error(`h2load gave no summary: ${tellingLine(output)}`);
  }
  const [, , succeeded = 0, failed = 0, errored = 0, timeout = 0] = requests.map(Number);
  const [, , redirects = 0, clientErrors = 0, serverErrors = 0] = statuses.map(Number);
  return {
    requests: succeeded,
    failed: failed + errored + timeout,
    badStatuses: redirects + clientErrors + serverErrors,
    dataBytes: Number(data[1]),
  };
}

/** Bodies may differ from what is due by this share, and by those that were under way at the end. */
const SIZE_TOLERANCE = 0.01;

/** Why a summary says nothing about speed, or null. */
export function findH2LoadFault(summary: H2LoadSummary, load: H2Load, bodyBytes: number): string | null {
  const { requests, failed, badStatuses, dataBytes } = summary;
  if (failed > 0) return `${failed} requests failed`;
  if (badStatuses > 0) return `${badStatuses} responses with another status than 2xx`;
  if (requests === 0) return 'no request was answered';
  const due = requests * bodyBytes;
  const slack = Math.max(due * SIZE_TOLERANCE, load.connections * load.streams * bodyBytes);
  if (Math.abs(dataBytes - due) <= slack) return null;
  return `bodies under load had ${(dataBytes / requests).toFixed(1)} bytes on average, the probe's ${bodyBytes}`;
}

/** Loads a server of 127.0.0.1 with one thread; rejects where h2load cannot do its work at all. */
export async function runH2Load(
  load: H2Load,
  port: number,
  seconds: number,
  core: number | null,
): Promise<H2LoadRun> {
  const wholeSeconds = Math.max(1, Math.round(seconds));
  const before = endedChildrenCpuTimeUs();
  const { stdout, stderr } = await runChild(
    pinned(core, [
      'h2load',
      '--threads=1',
      `--clients=${load.connections}`,
      `--max-concurrent-streams=${load.streams}`,
      `--duration=${wholeSeconds}`,
      ...(load.protocol === 'http/1.1' ? ['--h1'] : []),
      ...(load.fields ?? []).map((field) => `--header=${field}`),
      ...(load.bodyFile === undefined ? [] : [`--data=${load.bodyFile}`]),
      `${load.scheme}://127.0.0.1:${port}${load.target}`,
    ]),
    {},
  );
  const summary = parseH2LoadSummary(`${stdout}\n${stderr}`);
  const durationUs = wholeSeconds * MICROSECONDS;
  const after = endedChildrenCpuTimeUs();
  const cpuUs = before === null || after === null ? null : after - before;
  return { summary, durationUs, busy: cpuUs === null ? null : cpuUs / durationUs, cpuUs };
}
