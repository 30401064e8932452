// A contestant that serves WebSockets: loaded over raw sockets by load/websocket.mjs, which also sees whether the answers are right.
import { dirname, join } from 'node:path';
import { createRequire } from 'node:module';
import { runChild } from './child-processes.ts';
import { loadRemark, othersShare, readServer } from './core-watch.ts';
import { pinned } from './cores.ts';
import { MICROSECONDS } from './http-contestant.ts';
import { discounted, servedContestant } from './served-contestant.ts';
import type { Contestant, RunPlan, RunResult } from './scenario.ts';
import type { ServerCommand, ServerProcess } from './server-process.ts';

const require = createRequire(import.meta.url);
const LOAD = join(import.meta.dirname, '../load/websocket.mjs');

export interface WebSocketLoad {
  readonly mode: 'echo' | 'fanout';
  readonly connections: number;
  readonly inFlight?: number;
  /** Of a message. */
  readonly bytes: number;
  readonly binary?: boolean;
  readonly deflate?: boolean;
}

export interface WebSocketContestant {
  readonly name: string;
  readonly version: string;
  readonly server: ServerCommand;
  readonly load: WebSocketLoad;
}

interface Summary {
  readonly messages: number;
  readonly durationUs: number;
  readonly busy: number;
  readonly p50Us: number | null;
  readonly p99Us: number | null;
}

/** The binary that npm installed. */
export function bun(): string {
  return join(dirname(require.resolve('bun/package.json')), 'bin/bun.exe');
}

function parse(stdout: string, stderr: string): Summary | string {
  const line = stdout.trim().split('\n').at(-1) ?? '';
  try {
    const said = JSON.parse(line) as Summary & { failure?: string };
    return said.failure ?? said;
  } catch {
    return `the load generator failed: ${stderr.slice(0, 300)}`;
  }
}

async function measure(load: WebSocketLoad, server: ServerProcess, plan: RunPlan): Promise<RunResult> {
  const { seconds, warmUpSeconds, cores } = plan;
  const options = JSON.stringify({ ...load, port: server.port, seconds, warmUpSeconds });
  const before = readServer(cores.server, server.pid);
  const { stdout, stderr } = await runChild(pinned(cores.load, [bun(), LOAD, options]));
  const after = readServer(cores.server, server.pid);
  const summary = parse(stdout, stderr);
  if (typeof summary === 'string') return discounted(summary);
  const { messages, durationUs, busy, p50Us, p99Us } = summary;
  if (messages === 0) return discounted('no message came back');
  const known = before.serverUs !== null && after.serverUs !== null;
  // The server's time is that of the whole load, warm-up too; so is what is left of it per message, within its share.
  const share = seconds / (seconds + warmUpSeconds);
  return {
    kind: 'counted',
    value: (messages * MICROSECONDS) / durationUs,
    p50Us,
    p99Us,
    cpuUs: known ? (((after.serverUs ?? 0) - (before.serverUs ?? 0)) * share) / messages : null,
    othersShare: othersShare(before, after),
    remark: loadRemark(busy),
  };
}

export function webSocketContestant({ name, version, server, load }: WebSocketContestant): Contestant {
  return servedContestant(name, version, server, (running, plan) => measure(load, running, plan));
}
