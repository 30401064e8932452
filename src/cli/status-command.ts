// `howdah status` and `howdah restart`: what the workers of running servers do, and having them replaced. Both talk SQL to the
// database; the servers write and hear there.
import { HowdahError } from '../errors.ts';
import { EXIT_CODES } from './exit-codes.ts';
import type { RestartSettings, StatusSettings } from './fleet-program.ts';
import { findServer } from './server-address.ts';
import type { ShellStreams } from './sql-command.ts';
import { openSession, type SqlSession } from './sql-session.ts';
import { rowCount, textTable } from './text-table.ts';

interface NodeRow {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  readonly state: string;
  readonly listeners: readonly string[];
  readonly refused_configuration: string | null;
}

interface WorkerRow {
  readonly node: string;
  readonly worker: number;
  readonly pid: number | null;
  readonly state: string;
  readonly restarts: number;
  readonly connections: number | null;
  readonly open_requests: number | null;
  readonly requests: number | null;
  readonly sessions: number | null;
  readonly busy_sessions: number | null;
  readonly queued_calls: number | null;
  readonly calls_sent: number | null;
  readonly calls_taken: number | null;
}

interface FleetStatus {
  readonly nodes: readonly NodeRow[];
  readonly workers: readonly WorkerRow[];
}

const QUERY = `select jsonb_build_object(
  'nodes', (select coalesce(jsonb_agg(to_jsonb(nodes) - 'workers' order by started_at), '[]') from howdah.nodes
    where seen_at > now() - interval '1 minute' or current_setting('howdah.embedded', true) = 'on'),
  'workers', (select coalesce(jsonb_agg(to_jsonb(workers) order by node, worker), '[]') from howdah.workers))`;

/** A server writes every other second how its workers are. */
const LOOK_AGAIN_SECONDS = 0.2;

/** Gives the exit code. */
export async function runStatus(settings: StatusSettings, streams: ShellStreams): Promise<number> {
  const session = await openSession(findServer(settings));
  try {
    const status = await readStatus(session);
    streams.stdout.write(settings.json ? `${JSON.stringify(status, null, 2)}\n` : statusText(status));
    return EXIT_CODES.done.code;
  } finally {
    await session.close();
  }
}

/** Resolves when every worker that there was is another process, or at once where that is not waited for. */
export async function runRestart(settings: RestartSettings, streams: ShellStreams): Promise<number> {
  const session = await openSession(findServer(settings));
  try {
    const { nodes, workers: all } = await readStatus(session);
    const asked = nodes.filter(({ id }) => settings.node === null || id === settings.node);
    if (asked.length === 0) throw new HowdahError('HOWDAH_NO_SERVER', 'the database knows of none');
    // On the embedded engine the worker is the server.
    const pids = new Set(asked.map(({ pid }) => pid));
    const old = all.filter(
      ({ node, pid }) => pid !== null && !pids.has(pid) && asked.some(({ id }) => id === node),
    );
    if (old.length === 0) throw new HowdahError('HOWDAH_NO_WORKERS');
    const node = settings.node === null ? 'null' : `'${settings.node}'`;
    await session.run(`select howdah.restart_workers(${node}::uuid)`, SILENT);
    const restarted = `${old.length} ${old.length === 1 ? 'worker' : 'workers'}`;
    if (!settings.wait) {
      streams.stdout.write(`${restarted}: asked to be replaced\n`);
      return EXIT_CODES.done.code;
    }
    const isOld = ({ node: id, pid }: WorkerRow): boolean =>
      old.some((one) => one.node === id && one.pid === pid);
    while ((await readStatus(session)).workers.some(isOld)) {
      await session.run(`select pg_sleep(${LOOK_AGAIN_SECONDS})`, SILENT);
    }
    streams.stdout.write(`${restarted} replaced\n`);
    return EXIT_CODES.done.code;
  } finally {
    await session.close();
  }
}

const SILENT = { columns() {}, row() {}, complete() {}, copied() {} };

async function readStatus(session: SqlSession): Promise<FleetStatus> {
  let text: string | null | undefined;
  await session.run(QUERY, {
    ...SILENT,
    row([value]) {
      text = value;
    },
  });
  if (typeof text !== 'string') throw new Error('the database did not tell of its servers');
  return JSON.parse(text) as FleetStatus;
}

const COLUMNS = [
  'worker',
  'pid',
  'state',
  'restarts',
  'connections',
  'open_requests',
  'requests',
  'sessions',
  'busy_sessions',
  'queued_calls',
  'calls_sent',
  'calls_taken',
] as const satisfies readonly (keyof WorkerRow)[];

export function statusText({ nodes, workers }: FleetStatus): string {
  if (nodes.length === 0) return 'no server runs on this database\n';
  return nodes
    .map(({ id, host, pid, version, state, listeners, refused_configuration: refused }) => {
      const own = workers.filter(({ node }) => node === id);
      const table = textTable(
        COLUMNS.map((name) => ({ name: name.replaceAll('_', ' '), right: name !== 'state' })),
        own.map((worker) => COLUMNS.map((name) => (worker[name] === null ? null : String(worker[name])))),
      );
      const problem = refused === null ? '' : `listeners as they were, their change is refused: ${refused}\n`;
      return `${host}, process ${pid}, howdah ${version}, ${state} (${id})\n${listeners.join('\n')}\n${problem}${table}${rowCount(own.length)}`;
    })
    .join('\n');
}
