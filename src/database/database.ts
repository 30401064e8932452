// What a server of HTTP asks of the database behind it, whichever that is: the embedded engine, or a PostgreSQL server.
import type { SqlDispatcher } from './call.ts';
import type { SqlResult } from './exchange-result.ts';

export interface Database extends SqlDispatcher {
  /** Of PostgreSQL: `17.5`. */
  readonly version: string;
  /** Runs one statement on the cold path. Rejects with SqlFailure where PostgreSQL reports an error. */
  query(text: string, parameters?: readonly (string | null)[]): Promise<SqlResult>;
  /** Runs statements one after another: one transaction, unless they begin and end their own. */
  exec(text: string): Promise<SqlResult[]>;
  /** As `exec`, for statements of users, which may take long and change the session. */
  runScript(text: string): Promise<SqlResult[]>;
  /**
   * Lends a session for statements that belong together; a transaction that `use` leaves open is rolled back, and what it changed in the
   * session is reset. On the embedded engine everything else waits meanwhile. Rejects with NoSessionError where none becomes free.
   */
  withSession<T>(use: (session: SetupSession) => Promise<T>): Promise<T>;
  /** Whether a session that is lent is the only one. */
  readonly lendsEngine: boolean;
  /** `listener` hears notifications of `channel`, which the database was opened with; returns how to stop. */
  onNotification(channel: string, listener: (payload: string) => void): () => void;
  /** Calls in flight end as they can; then sessions are closed. */
  close(): Promise<void>;
}

/** What omni_httpd.stop() and omni_httpd.start() ask for. */
export type ServerOrder = 'stop' | 'start';

/** A session by itself. Transactions stay open from one statement to the next. */
export interface SetupSession {
  /** Rejects with HOWDAH_RESULT_TOO_LARGE where the rows are larger than `limitBytes`; the statement has run then. Default: no limit. */
  query(text: string, parameters?: readonly (string | null)[], limitBytes?: number): Promise<SqlResult>;
  exec(text: string): Promise<SqlResult[]>;
}

/** No session became free: nothing has run. */
export class NoSessionError extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'NoSessionError';
  }
}
