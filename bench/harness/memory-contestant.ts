// A contestant that is left alone by thousands of connections, or with as many requests in flight: how much memory each of them
// costs it, in bytes. What the kernel keeps for a connection is not in it.
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { startChild } from './child-processes.ts';
import { pinned } from './cores.ts';
import { settledMemoryBytes } from './memory.ts';
import type { Contestant, RunPlan, RunResult } from './scenario.ts';
import { discounted, servedContestant } from './served-contestant.ts';
import { tellingLine } from './server-process.ts';
import type { ServerCommand, ServerProcess } from './server-process.ts';

const CLIENT = fileURLToPath(new URL('../load/idle-connections.ts', import.meta.url));
/** Opened before the first reading: what a server needs once, for any number of connections, is there then. */
const FIRST = 1000;

export type IdleKind = 'http1' | 'http2' | 'websocket' | 'held-http1' | 'held-http2';

export interface MemoryContestant {
  readonly name: string;
  readonly version: string;
  readonly server: ServerCommand;
  readonly kind: IdleKind;
  /** How many there are between the two readings. */
  readonly count: number;
  /** What is wrong with the server while all of them are there, or null. */
  readonly check?: (server: ServerProcess, open: number) => Promise<string | null>;
}

interface Opened {
  /** Null where all are open, else what went wrong. */
  readonly fault: string | null;
  close(): Promise<void>;
  /** Why a connection was lost since, or null. */
  lost(): string | null;
}

async function openConnections(
  kind: IdleKind,
  port: number,
  count: number,
  core: number | null,
): Promise<Opened> {
  const child = startChild(pinned(core, [process.execPath, CLIENT, kind, String(port), String(count)]));
  let output = '';
  const told = Promise.withResolvers<void>();
  const keep = (text: string): void => {
    output += text;
    if (/^(open|failed: .*)$/m.test(output)) told.resolve();
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  child.once('error', () => told.resolve());
  const ended = once(child, 'close').then(() => told.resolve());
  await told.promise;
  const lost = (): string | null => {
    if (child.exitCode === null && !/^failed: /m.test(output)) return null;
    return /^failed: (.*)$/m.exec(output)?.[1] ?? tellingLine(output);
  };
  return {
    fault: /^open$/m.test(output) ? null : (lost() ?? tellingLine(output)),
    lost,
    async close() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function measure(
  { kind, count, check }: MemoryContestant,
  server: ServerProcess,
  plan: RunPlan,
): Promise<RunResult> {
  const first = await openConnections(kind, server.port, FIRST, plan.cores.load);
  let more: Opened | null = null;
  try {
    if (first.fault !== null) return discounted(first.fault);
    const before = await settledMemoryBytes(server.pid);
    more = await openConnections(kind, server.port, count, plan.cores.load);
    if (more.fault !== null) return discounted(more.fault);
    const after = await settledMemoryBytes(server.pid);
    const fault = first.lost() ?? more.lost() ?? (await check?.(server, FIRST + count)) ?? null;
    if (fault !== null) return discounted(fault);
    if (before === null || after === null) return discounted('this machine does not tell memory by process');
    return {
      kind: 'counted',
      value: (after - before) / count,
      p50Us: null,
      p99Us: null,
      cpuUs: null,
      othersShare: null,
      remark: null,
    };
  } finally {
    await first.close();
    await more?.close();
  }
}

export function memoryContestant(contestant: MemoryContestant): Contestant {
  const { name, version, server } = contestant;
  return servedContestant(name, version, server, (running, plan) => measure(contestant, running, plan));
}
