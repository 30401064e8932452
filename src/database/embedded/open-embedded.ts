// Opens PostgreSQL on a data directory (or in memory) for the rest of howdah: lock, cluster, engine, in this order.
import { join, resolve } from 'node:path';
import type { Observer } from '../../observe/observation.ts';
import { lockDataDirectory } from './data-lock.ts';
import { EmbeddedDatabase } from './embedded-database.ts';
import { EngineUpkeep } from './engine-upkeep.ts';
import type { StartingSession } from './starting-session.ts';

/**
 * Waiting calls: with some 300 bytes to 10 kB each, a few MB; at 20 000 calls a second they are through in a twentieth
 * of a second.
 */
const DEFAULT_MAX_QUEUED_CALLS = 1000;

/** Longer than a start of the engine on an existing directory takes, shorter than clients wait. */
const DEFAULT_QUEUE_TIMEOUT_MS = 10_000;

const DEFAULT_HANDLER_TIMEOUT_MS = 30_000;

const DEFAULT_GATEWAY_STATEMENT_MS = 300_000;

export interface EmbeddedOptions {
  /** Data directory, made if missing; null keeps everything in memory. Relative to the working directory. */
  readonly dataDirectory: string | null;
  readonly observer: Observer;
  /** Calls that may wait for the engine; default 1000. */
  readonly maxQueuedCalls?: number;
  /** How long a call may wait before it is unavailable, in ms; default 10 000. */
  readonly queueTimeoutMs?: number;
  /** How long a call may run, in ms; default 30 000. The engine is ended and started anew to end it. */
  readonly handlerTimeoutMs?: number;
  /** How long a statement outside of calls may run, in ms; default 300 000. */
  readonly gatewayStatementMs?: number;
  /** Channels that the session listens to at all times, besides `howdah_catalog`. */
  readonly listenChannels?: readonly string[];
  /**
   * Runs at every start of the engine before any call: at the first one, and after it was lost. In memory that means an empty
   * database each time.
   */
  readonly onStart?: (session: StartingSession) => Promise<void>;
}

/**
 * The data directory is locked until the database is closed.
 *
 * @throws HowdahError HOWDAH_DATA_LOCKED, HOWDAH_DATA_UNUSABLE
 */
export async function openEmbedded(options: EmbeddedOptions): Promise<EmbeddedDatabase> {
  const directory = options.dataDirectory === null ? null : resolve(options.dataDirectory);
  const lock = directory === null ? null : await lockDataDirectory(directory);
  const database = new EmbeddedDatabase(directory === null ? null : join(directory, 'postgres'), lock, {
    observer: options.observer,
    maxQueuedCalls: options.maxQueuedCalls ?? DEFAULT_MAX_QUEUED_CALLS,
    queueTimeoutMs: options.queueTimeoutMs ?? DEFAULT_QUEUE_TIMEOUT_MS,
    handlerTimeoutMs: options.handlerTimeoutMs ?? DEFAULT_HANDLER_TIMEOUT_MS,
    gatewayStatementMs: options.gatewayStatementMs ?? DEFAULT_GATEWAY_STATEMENT_MS,
    listenChannels: options.listenChannels ?? [],
    onStart: options.onStart ?? null,
  });
  await database.open();
  new EngineUpkeep(database, options.observer).start();
  return database;
}
