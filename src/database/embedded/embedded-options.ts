// What an embedded database is opened with, every setting said. Who sets defaults is open-embedded.ts.
import type { Observer } from '../../observe/observation.ts';
import type { StartingSession } from './starting-session.ts';

export interface EmbeddedDatabaseOptions {
  readonly observer: Observer;
  /** Calls that may wait; one more is unavailable. */
  readonly maxQueuedCalls: number;
  /** How long a call waits before it is unavailable. */
  readonly queueTimeoutMs: number;
  /** How long a call may run. */
  readonly handlerTimeoutMs: number;
  /** How long a statement of `query`, `exec` and of a client of the gateway may run. */
  readonly gatewayStatementMs: number;
  /** What the session listens to at all times, besides the catalog's channel. */
  readonly listenChannels: readonly string[];
  /** Runs at every start of the engine, also after a loss, before any call. A failure counts as a failed start. */
  readonly onStart: ((session: StartingSession) => Promise<void>) | null;
}
