// Opens a PostgreSQL server for the rest of howdah: connects, has the schema installed, opens the sessions.
import type { Observer } from '../../observe/observation.ts';
import type { SetupSession } from '../database.ts';
import { parseConnectionString } from './connection-string.ts';
import { ServerDatabase, withSetupSession } from './server-database.ts';

/** Sessions for calls, at most; they are opened as they are needed. */
const DEFAULT_MAX_SESSIONS = 8;

/** Of each kind; see the embedded engine's. */
const DEFAULT_MAX_QUEUED_CALLS = 1000;

/** Longer than a restart of a server takes, shorter than clients wait. */
const DEFAULT_QUEUE_TIMEOUT_MS = 10_000;

const DEFAULT_HANDLER_TIMEOUT_MS = 30_000;

export interface ServerOptions {
  /** Connection string: URL, `name=value …`, or `env`. */
  readonly url: string;
  /** The same for a way past a pooler, for what needs a backend of its own; default: none. */
  readonly directUrl?: string | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly observer: Observer;
  /** Default 8. */
  readonly maxSessions?: number;
  /** Calls that may wait for a session; default 1000. */
  readonly maxQueuedCalls?: number;
  /** How long a call may wait before it is unavailable, in ms; default 10 000. */
  readonly queueTimeoutMs?: number;
  /** How long a call may run, in ms; default 30 000. Then it is cancelled. */
  readonly handlerTimeoutMs?: number;
  /** Channels to listen to. */
  readonly listenChannels?: readonly string[];
  /** Of channels, SQL for a text that changes when they are notified, for where nothing can be listened to. */
  readonly channelVersions?: Readonly<Record<string, string>>;
  /** Runs once, in a session of its own, before any call. */
  readonly onStart?: (session: SetupSession) => Promise<void>;
}

/**
 * @throws HowdahError HOWDAH_DATABASE_URL, HOWDAH_DATABASE_UNREACHABLE, HOWDAH_DATABASE_TOO_OLD, and what `onStart` throws
 */
export async function openServer(options: ServerOptions): Promise<ServerDatabase> {
  const settings = parseConnectionString(options.url, options.env);
  const { directUrl = null } = options;
  const direct = directUrl === null ? null : parseConnectionString(directUrl, options.env);
  if (options.onStart !== undefined)
    await withSetupSession(direct ?? settings, options.observer, options.onStart);
  const database = new ServerDatabase({
    settings,
    direct,
    observer: options.observer,
    maxSessions: options.maxSessions ?? DEFAULT_MAX_SESSIONS,
    maxQueuedCalls: options.maxQueuedCalls ?? DEFAULT_MAX_QUEUED_CALLS,
    queueTimeoutMs: options.queueTimeoutMs ?? DEFAULT_QUEUE_TIMEOUT_MS,
    handlerTimeoutMs: options.handlerTimeoutMs ?? DEFAULT_HANDLER_TIMEOUT_MS,
    listenChannels: options.listenChannels ?? [],
    channelVersions: options.channelVersions ?? {},
  });
  await database.open();
  return database;
}
