// One request at a time on one HTTP/2 connection to a fleet with one session for each worker: answered by the worker's own session, or,
// while that is held by another request of the connection, by a sibling's. The answers say which backend it was.
import { connect, type ClientHttp2Session } from 'node:http2';
import { setTimeout as wait } from 'node:timers/promises';
import { median } from './statistics.ts';
import type { Contestant, RunPlan, RunResult } from './scenario.ts';
import { discounted, servedContestant } from './served-contestant.ts';
import type { ServerCommand, ServerProcess } from './server-process.ts';

export interface ResendContestant {
  readonly name: string;
  readonly version: string;
  readonly server: ServerCommand;
  /** Answers with the number of its backend. */
  readonly where: string;
  /** Keeps the session of the worker busy while it is asked for; null: nothing does. */
  readonly hold: string | null;
}

/** Of a call: more than the pool's own limit (src/database/server/placement.ts). */
const LONG_AFTER_MS = 30;

/** Between two requests that hold the session one may be answered by it, and something else may hold it for a moment. */
const LEAST_SHARE = 0.95;

function ask(session: ClientHttp2Session, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':path': path });
    let text = '';
    stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    stream.on('error', reject).on('end', () => resolve(text));
  });
}

async function measure(
  contestant: ResendContestant,
  server: ServerProcess,
  plan: RunPlan,
): Promise<RunResult> {
  const { where, hold } = contestant;
  const session = connect(`http://127.0.0.1:${server.port}`);
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  session.on('error', failed.reject);
  try {
    const own = await Promise.race([ask(session, where), failed.promise]);
    let held: Promise<void> | null = null;
    const times: number[] = [];
    const warm = performance.now() + plan.warmUpSeconds * 1000;
    const end = warm + plan.seconds * 1000;
    let others = 0;
    for (let began = performance.now(); began < end; began = performance.now()) {
      if (hold !== null && held === null) {
        held = ask(session, hold).then(() => {
          held = null;
        });
        // It finds the worker's session idle, and is known to be long before anything could be put behind it.
        await wait(LONG_AFTER_MS);
        began = performance.now();
      }
      const backend = await Promise.race([ask(session, where), failed.promise]);
      if (began < warm) continue;
      times.push(performance.now() - began);
      if (backend !== own) others += 1;
    }
    await held;
    const share = others / times.length;
    if (hold === null ? share > 1 - LEAST_SHARE : share < LEAST_SHARE)
      return discounted(`${others} of ${times.length} requests were answered by another backend`);
    const sorted = times.sort((a, b) => a - b);
    const us = (ms: number): number => Math.round(ms * 1000);
    const typical = median(sorted) ?? 0;
    return {
      kind: 'counted',
      value: us(typical),
      p50Us: us(typical),
      p99Us: us(sorted[Math.floor(sorted.length * 0.99)] ?? 0),
      cpuUs: null,
      othersShare: null,
      remark: null,
    };
  } finally {
    session.destroy();
  }
}

async function check({ where }: ResendContestant, server: ServerProcess): Promise<string | null> {
  const response = await fetch(`http://127.0.0.1:${server.port}${where}`);
  const text = await response.text();
  return response.status === 200 && /^\d+$/.test(text) ? null : `${response.status} ${text}`;
}

export function resendContestant(contestant: ResendContestant): Contestant {
  const { name, version, server } = contestant;
  return servedContestant(
    name,
    version,
    server,
    (running, plan) => measure(contestant, running, plan),
    (running) => check(contestant, running),
  );
}
