// A PostgreSQL server as the database of a server of HTTP: a pool of sessions for the calls, one for everything else. Opened by
// open-server.ts.
import type { Observer } from '../../observe/observation.ts';
import type { SqlCall } from '../call.ts';
import type { Database, SetupSession } from '../database.ts';
import { firstResult, type SqlResult } from '../exchange-result.ts';
import { Session } from '../session.ts';
import type { ConnectionSettings } from './connection-string.ts';
import { ControlSession } from './control-session.ts';
import { LentSessions } from './lent-sessions.ts';
import { openLink } from './open-link.ts';
import { SessionPool } from './session-pool.ts';

export interface ServerDatabaseOptions {
  readonly settings: ConnectionSettings;
  /** For what needs a backend of its own, past a pooler that `settings` lead to; null: the same. */
  readonly direct: ConnectionSettings | null;
  readonly observer: Observer;
  /** 0: none, for what is to run no calls. */
  readonly maxSessions: number;
  readonly maxQueuedCalls: number;
  readonly queueTimeoutMs: number;
  readonly handlerTimeoutMs: number;
  readonly listenChannels: readonly string[];
  readonly channelVersions: Readonly<Record<string, string>>;
}

export class ServerDatabase implements Database {
  readonly #options: ServerDatabaseOptions;
  readonly #pool: SessionPool;
  readonly #control: ControlSession;
  readonly #lent: LentSessions;
  readonly #listeners = new Map<string, Set<(payload: string) => void>>();
  readonly #reconnectListeners = new Set<() => void>();
  readonly lendsEngine = false;
  version = '';
  /** `HOST:PORT/DATABASE`. */
  place = '';

  constructor(options: ServerDatabaseOptions) {
    this.#options = options;
    const open = () => openLink(options.settings);
    const openDirect = () => openLink(options.direct ?? options.settings);
    const keepsBackend = options.direct !== null;
    this.#control = new ControlSession({
      observer: options.observer,
      open: openDirect,
      keepsBackend,
      channelVersions: options.channelVersions,
      channels: options.listenChannels,
      notification: (channel, payload) => {
        for (const listener of this.#listeners.get(channel) ?? []) listener(payload);
      },
      reconnected: () => {
        for (const listener of this.#reconnectListeners) listener();
      },
    });
    const { observer, maxSessions, maxQueuedCalls, queueTimeoutMs, handlerTimeoutMs } = options;
    this.#lent = new LentSessions({
      observer,
      open: openDirect,
      keepsBackend,
      maxSessions,
      maxWaiting: maxQueuedCalls,
      waitTimeoutMs: queueTimeoutMs,
      statementTimeoutMs: handlerTimeoutMs,
    });
    this.#pool = new SessionPool({ ...options, open, terminate: (processId) => this.#terminate(processId) });
  }

  withSession<T>(use: (session: SetupSession) => Promise<T>): Promise<T> {
    return this.#lent.with(use);
  }

  /** The sessions that calls are spread over. */
  get pool(): SessionPool {
    return this.#pool;
  }

  async open(): Promise<void> {
    try {
      const { version, place } = await this.#control.start();
      this.version = version;
      this.place = place;
      if (this.#options.maxSessions > 0) await this.#pool.start();
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  dispatch(call: SqlCall): void {
    this.#pool.dispatch(call);
  }

  abandon(call: SqlCall): void {
    this.#pool.abandon(call);
  }

  query(text: string, parameters: readonly (string | null)[] = []): Promise<SqlResult> {
    return this.#control.query(text, parameters);
  }

  exec(text: string): Promise<SqlResult[]> {
    return this.#control.exec(text);
  }

  /** In a session of its own, so that nothing waits for it and nothing is left of it. */
  runScript(text: string): Promise<SqlResult[]> {
    const { settings, direct, observer } = this.#options;
    return withSetupSession(direct ?? settings, observer, (session) => session.exec(text));
  }

  onNotification(channel: string, listener: (payload: string) => void): () => void {
    const listeners = this.#listeners.get(channel) ?? new Set();
    this.#listeners.set(channel, listeners);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** `listener` is called when notifications arrive again, after some may have been missed. */
  onReconnected(listener: () => void): () => void {
    this.#reconnectListeners.add(listener);
    return () => this.#reconnectListeners.delete(listener);
  }

  /** Closes all sessions, when calls in flight have ended. Nothing can be asked until `resume`, but by `runScript`. */
  async suspend(): Promise<void> {
    await this.close();
  }

  /** Opens sessions again. Rejects where that fails, and then it is suspended as before. */
  async resume(): Promise<void> {
    this.#control.reopen();
    this.#pool.reopen();
    await this.open();
  }

  async close(): Promise<void> {
    await this.#lent.close();
    await this.#pool.close();
    this.#control.close();
  }

  #terminate(processId: number): void {
    this.query('select pg_catalog.pg_terminate_backend($1::int)', [String(processId)]).catch(
      (error: unknown) => {
        this.#options.observer.observe({ kind: 'internal-error', where: 'end of a session', error });
      },
    );
  }
}

/** Connects, runs `use` and closes. Transactions stay open from one statement to the next. */
export async function withSetupSession<T>(
  settings: ConnectionSettings,
  observer: Observer,
  use: (session: SetupSession, processId: number) => Promise<T>,
): Promise<T> {
  const { link } = await openLink(settings);
  const session = new Session(link, {
    notice: ({ severity, code, message }) =>
      observer.observe({ kind: 'sql-notice', severity, code, message }),
    notification: () => undefined,
    progressed: () => undefined,
    lost: () => undefined,
  });
  try {
    const setup: SetupSession = {
      query: async (text, parameters = [], limitBytes = Infinity) =>
        firstResult(await session.query(text, parameters, { keepsTransaction: true, limitBytes })),
      exec: (text) => session.exec(text, true),
    };
    return await use(setup, link.backend.processId);
  } finally {
    link.end();
  }
}
