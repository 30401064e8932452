// pgbench with prepared statements on a PostgreSQL server of its own: what clients that wait for each answer reach at most. The server
// runs where this script is pinned, pgbench on the core of the load generator. `pgbench-loop.ts CORE look-up|route`.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { Client } from 'pg';
import { installSchema } from '../../src/database/schema-installation.ts';
import { cpuTimes, endedChildrenCpuTimeUs } from '../harness/cpu-time.ts';
import { printLoopResult } from '../harness/loop-contestant.ts';
import { pinned } from '../harness/cores.ts';
import { startItemServer } from './item-server.ts';

/** The best of these is measured. */
const CLIENTS = [2, 4, 8];

const [core = '', what = 'look-up'] = process.argv.slice(2);
const { environment, pid, stop } = await startItemServer();
const host = environment['PGHOST'] ?? '';
const script = join(host, 'pgbench.sql');

const CALLS: Readonly<Record<string, string>> = {
  'look-up': 'select bench_item(:id);',
  route: 'select bench_item_route(:id);',
};

async function installRoute(): Promise<void> {
  const client = new Client({ host, user: 'postgres', database: 'postgres' });
  await client.connect();
  await installSchema(
    {
      exec: (sql) => client.query(sql),
      query: async (sql) => (await client.query<Record<string, unknown>>(sql)).rows,
    },
    { noInit: true, initAddress: '127.0.0.1', initPort: 0 },
  );
  await client.query(readFileSync(new URL('../sql/items/20-route.sql', import.meta.url), 'utf8'));
  await client.end();
}

/** Transactions in the time. */
function run(clients: number, seconds: number): { transactions: number; elapsedUs: number } {
  const command = pinned(core === '' ? null : Number(core), [
    'pgbench',
    '--no-vacuum',
    '--protocol=prepared',
    `--client=${clients}`,
    `--time=${seconds}`,
    `--file=${script}`,
  ]);
  const begin = performance.now();
  const output = execFileSync(command[0] ?? '', command.slice(1), {
    encoding: 'utf8',
    env: { ...process.env, ...environment },
  });
  const transactions = Number(/transactions actually processed: (\d+)/.exec(output)?.[1]);
  const tps = Number(/tps = ([\d.]+)/.exec(output)?.[1]);
  if (!Number.isFinite(transactions) || !Number.isFinite(tps)) throw new Error(`pgbench says: ${output}`);
  return {
    transactions,
    elapsedUs: Math.min((transactions / tps) * 1e6, (performance.now() - begin) * 1000),
  };
}

/** CPU time of the server, with its sessions that have ended, and of the pgbenches so far; null where it cannot be read. */
function cpuReading(): { databaseUs: number; loadUs: number } | null {
  const living = cpuTimes(pid);
  const ended = endedChildrenCpuTimeUs(pid);
  const loadUs = endedChildrenCpuTimeUs();
  return living === null || ended === null || loadUs === null
    ? null
    : { databaseUs: living.allUs + ended, loadUs };
}

try {
  if (what === 'route') await installRoute();
  writeFileSync(script, `\\set id random(1000, 1999)\n${CALLS[what] ?? ''}\n`);
  const warmUp = Math.max(1, Math.round(Number(process.env['BENCH_WARM_UP_SECONDS']) / CLIENTS.length));
  const trials = CLIENTS.map((clients) => ({ clients, ...run(clients, warmUp) }));
  const best = trials.reduce((one, other) => (other.transactions > one.transactions ? other : one));
  const before = cpuReading();
  const { transactions, elapsedUs } = run(
    best.clients,
    Math.max(1, Math.round(Number(process.env['BENCH_SECONDS']))),
  );
  const after = cpuReading();
  const measured =
    before === null || after === null
      ? { cpuUs: null }
      : {
          cpuUs: after.databaseUs - before.databaseUs,
          databaseUs: after.databaseUs - before.databaseUs,
          loadUs: after.loadUs - before.loadUs,
        };
  printLoopResult({ operations: transactions, elapsedUs, ...measured });
} finally {
  await stop();
}
