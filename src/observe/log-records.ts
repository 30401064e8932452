// What each observation looks like in the error log: level, fields and message. Writes nothing.
import { HowdahError } from '../errors.ts';
import type { Observation } from './observation.ts';

export interface LogRecord {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

type Kind = Observation['kind'];
type Describe = { readonly [K in Kind]: ((seen: Extract<Observation, { kind: K }>) => LogRecord) | null };

const record = (
  level: LogRecord['level'],
  message: string,
  fields: Readonly<Record<string, unknown>> = {},
): LogRecord => ({ level, message, fields });

const DESCRIBE: Describe = {
  'server-started': (seen) =>
    record('info', `howdah ${seen.version} started`, { database: seen.database, workers: seen.workers }),
  'server-failed': (seen) => record('error', messageOf(seen.error), errorFields(seen.error)),
  'server-draining': (seen) =>
    record('info', `${seen.signal}: finishing what runs, for at most ${seen.deadlineMs} ms`),
  'server-stopped': () => record('info', 'stopped'),

  'serving-suspended': ({ because }) =>
    because === 'stopped'
      ? record('info', 'not serving: omni_httpd.stop() was called; omni_httpd.start() ends that')
      : record(
          'error',
          'not serving: the schema of howdah is not in the database any more; `howdah install` brings it back, or a new start on the embedded engine',
        ),
  'serving-resumed': () => record('info', 'serving again'),
  'schema-set-aside': ({ reason, renamed }) =>
    record('warn', `${reason}: installed anew, and what was left renamed to ${renamed.join(', ')}`),
  'serving-unknown': ({ reason }) =>
    record('warn', `not serving, and the database cannot be asked whether to begin again: ${reason}`),
  'server-handed-over': (seen) =>
    record('info', `process ${seen.pid} serves in place of this one, which finishes what runs`),
  'hand-over-failed': (seen) => record('error', `this process goes on serving: ${seen.reason}`),

  // One line a request is the access log's business.
  'request-done': null,
  'stream-measured': null,
  'stream-traced': (seen) =>
    record('debug', `stream ${seen.event}${seen.detail === '' ? '' : `: ${seen.detail}`}`, {
      id: seen.id,
      sinceMs: seen.sinceMs,
    }),

  'listener-opened': (seen) => record('info', `listening on ${seen.url}`, { listener: seen.id }),
  'listener-closed': (seen) => record('info', `no longer listening on ${seen.url}`, { listener: seen.id }),
  'listener-failed': (seen) =>
    record('error', `cannot listen on ${seen.address}: ${seen.reason}`, { listener: seen.id }),
  'accept-failed': (seen) => record('warn', `cannot accept a connection on ${seen.url}: ${seen.reason}`),
  'connections-high': (seen) =>
    record('warn', `${seen.connections} connections on ${seen.url}, where ${seen.alarm} are told of`, {
      connections: seen.connections,
    }),
  'certificate-failed': (seen) => record('error', `certificate of ${seen.source}: ${seen.reason}`),

  // Anybody on the network can cause these: not a reason to wake somebody up.
  'handshake-failed': (seen) => record('info', `TLS handshake failed on ${seen.url}: ${seen.reason}`),
  'proxy-header-refused': (seen) =>
    record('info', `connection on ${seen.url} without a good PROXY protocol header: ${seen.reason}`),
  'request-refused': (seen) =>
    record('info', `request refused with ${seen.status}: ${seen.reason}`, { peer: seen.peer }),
  'websocket-failed': (seen) =>
    record('info', `WebSocket closed with ${seen.closeCode}: ${seen.reason}`, { peer: seen.peer }),

  'handler-failed': (seen) =>
    record('error', `${seen.handler} failed: ${seen.message}`, {
      id: seen.id,
      ...present({ sqlState: seen.sqlState, detail: seen.detail, hint: seen.hint, where: seen.where }),
    }),
  'handler-timeout': (seen) =>
    record('error', `${seen.handler} ran longer than ${seen.limitMs} ms and was ended`, { id: seen.id }),
  'handler-warning': (seen) => record('warn', seen.message, { id: seen.id, detail: seen.detail }),
  'sql-notice': (seen) =>
    record(noticeLevel(seen.severity), seen.message, { severity: seen.severity, sqlState: seen.code }),

  'session-lost': (seen) => record('error', `PostgreSQL session lost: ${seen.reason}`),
  'session-ready': (seen) => record('debug', `PostgreSQL session ready: ${seen.description}`),

  'configuration-refused': (seen) =>
    record(
      'error',
      `the listeners are left as they were, their new configuration is refused: ${seen.reason}`,
    ),
  'worker-started': (seen) =>
    record('info', `worker ${seen.worker} serves`, { pid: seen.pid, startMs: seen.startMs }),
  'worker-ended': (seen) =>
    record('error', `worker ${seen.worker} ended: ${seen.reason}`, {
      pid: seen.pid,
      restartMs: seen.restartMs,
    }),
  'worker-crash-loop': (seen) =>
    record(
      'error',
      `worker ${seen.worker} has ended ${seen.ends} times soon after its start: ${seen.reason}`,
    ),
  'worker-hung': (seen) =>
    record('error', `worker ${seen.worker} does not answer for ${seen.silentMs} ms and is replaced`, {
      pid: seen.pid,
    }),
  'workers-changed': (seen) => record('info', `${seen.workers} workers: ${seen.reason}`),

  'catalog-swapped': (seen) =>
    record('debug', `catalog ${seen.epoch}: ${seen.routes} routes, ${seen.problems} problems`),
  'catalog-refused': (seen) => record('error', `catalog refused, the former one stays: ${seen.reason}`),
  'route-problem': (seen) =>
    record('warn', `route of ${seen.router} to ${seen.handler} left out: ${seen.problem}`),
  'route-doubt': (seen) =>
    record('warn', `route of ${seen.router} for ${seen.match} to ${seen.handler}: ${seen.doubt}`),

  'internal-error': (seen) =>
    record('error', `internal error in ${seen.where}: ${messageOf(seen.error)}`, errorFields(seen.error)),
};

/** null: this observation is not for the error log. */
export function logRecord(observation: Observation): LogRecord | null {
  const describe = DESCRIBE[observation.kind] as ((seen: Observation) => LogRecord) | null;
  return describe === null ? null : describe(observation);
}

/** Severities as PostgreSQL's documentation lists them under "Error and Notice Message Fields". */
function noticeLevel(severity: string): LogRecord['level'] {
  if (severity === 'WARNING') return 'warn';
  return severity === 'NOTICE' || severity === 'INFO' ? 'info' : 'debug';
}

function present(fields: Readonly<Record<string, string | null>>): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(fields)) if (value !== null) kept[name] = value;
  return kept;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function errorFields(error: unknown): Record<string, unknown> {
  // A coded error says in words what went wrong; where in the source it was found helps nobody.
  if (error instanceof HowdahError) return { code: error.code, hint: error.hint };
  return error instanceof Error ? { stack: error.stack } : {};
}
