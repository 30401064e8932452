// A contestant that h2load asks: probed, warmed up, loaded, probed again, stopped.
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { connect } from 'node:http2';
import { request } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { costOf, loadRemark, readServer } from './core-watch.ts';
import { findH2LoadFault, runH2Load, type H2Load } from './h2load.ts';
import { MICROSECONDS } from './http-contestant.ts';
import { findFault, type Answer, type Expectation } from './probe.ts';
import type { Contestant, RunPlan, RunResult } from './scenario.ts';
import { discounted, servedContestant } from './served-contestant.ts';
import type { ServerCommand, ServerProcess } from './server-process.ts';

export interface H2LoadContestant {
  readonly name: string;
  readonly version: string;
  readonly server: ServerCommand;
  readonly load: H2Load;
  /** The right answer to the request of the load. */
  readonly expected: Expectation;
}

type Fields = Readonly<Record<string, string | number | readonly string[] | undefined>>;

/** The same request as under load, from the clients of Node.js; rejects where no answer comes. */
export async function h2loadProbe(load: H2Load, port: number): Promise<Answer> {
  const body = load.bodyFile === undefined ? null : readFileSync(load.bodyFile);
  const method = body === null ? 'GET' : 'POST';
  const origin = `${load.scheme}://127.0.0.1:${port}`;
  const chunks: Buffer[] = [];
  if (load.protocol === 'http/1.1') {
    const asked = request(`${origin}${load.target}`, { method, rejectUnauthorized: false });
    asked.end(body ?? undefined);
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return answer(response.statusCode ?? 0, response.headers, Buffer.concat(chunks));
  }
  const session = connect(origin, { rejectUnauthorized: false });
  try {
    const failed = once(session, 'error').then(([error]) => Promise.reject(error as Error));
    failed.catch(() => {});
    const own = Object.fromEntries((load.fields ?? []).map((line) => line.split(': ') as [string, string]));
    const stream = session.request({ ...own, ':path': load.target, ':method': method });
    stream.end(body ?? undefined);
    const [fields] = (await Promise.race([once(stream, 'response'), failed])) as [Fields];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    return answer(Number(fields[':status']), fields, Buffer.concat(chunks));
  } finally {
    session.destroy();
  }
}

function answer(status: number, fields: Fields, body: Buffer): Answer {
  const texts = Object.entries(fields).map(([name, value]): [string, string] => [name, String(value)]);
  return { status, fields: new Map(texts), body: body.toString('utf8'), bytes: body.length };
}

async function measure(
  contestant: H2LoadContestant,
  server: ServerProcess,
  plan: RunPlan,
): Promise<RunResult> {
  const { load } = contestant;
  const { bytes } = await h2loadProbe(load, server.port);
  await runH2Load(load, server.port, plan.warmUpSeconds, plan.cores.load);
  const before = readServer(plan.cores.server, server.pid);
  const { summary, durationUs, busy, cpuUs } = await runH2Load(
    load,
    server.port,
    plan.seconds,
    plan.cores.load,
  );
  const after = readServer(plan.cores.server, server.pid);

  const loadFault = findH2LoadFault(summary, load, bytes);
  if (loadFault !== null) return discounted(loadFault);
  return {
    kind: 'counted',
    value: (summary.requests * MICROSECONDS) / durationUs,
    // h2load prints no percentiles.
    p50Us: null,
    p99Us: null,
    ...costOf(before, after, summary.requests, cpuUs),
    remark: loadRemark(busy),
  };
}

export function h2loadContestant(contestant: H2LoadContestant): Contestant {
  const { name, version, server, load, expected } = contestant;
  return servedContestant(
    name,
    version,
    server,
    (running, plan) => measure(contestant, running, plan),
    async (running) => findFault(await h2loadProbe(load, running.port), expected),
  );
}
