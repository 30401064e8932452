// The session beside those of the calls: listens to notifications and runs the statements of the cold path. Connects anew when it is
// lost, for as long as it takes.
import type { Observer } from '../../observe/observation.ts';
import type { SqlResult } from '../exchange-result.ts';
import { quoteIdentifier } from '../session-reset.ts';
import { Session } from '../session.ts';
import { Backoff } from './backoff.ts';
import type { OpenedLink } from './open-link.ts';
import type { ServerLink } from './server-link.ts';

export interface ControlSessionOptions {
  readonly observer: Observer;
  readonly open: () => Promise<OpenedLink>;
  /** What it listens to. */
  readonly channels: readonly string[];
  /** Of channels, SQL for a text that changes when they are notified: over a pooler, nothing can be listened to. */
  readonly channelVersions: Readonly<Record<string, string>>;
  /** Whether a pooler in between is to be taken for one that gives each client a backend of its own. */
  readonly keepsBackend: boolean;
  notification(channel: string, payload: string): void;
  /** It listens again; what was notified meanwhile is not known. */
  reconnected(): void;
}

/** How long a statement waits for the session before it is refused. */
const WAIT_MS = 10_000;

/** How often versions are asked for where nothing can be listened to. */
const VERSIONS_INTERVAL_MS = 1000;

/** A table that somebody keeps locked must not keep the catalog from being read for ever. */
const LOCK_TIMEOUT_MS = 2000;

/** The same for one transaction. */
const SET_LOCK_TIMEOUT = `select pg_catalog.set_config('lock_timeout', '${LOCK_TIMEOUT_MS}', true)`;

interface Waiter {
  readonly ready: (session: Session) => void;
  readonly refused: (reason: Error) => void;
  readonly timer: NodeJS.Timeout;
}

export class ControlSession {
  readonly #options: ControlSessionOptions;
  readonly #backoff = new Backoff();
  readonly #waiters = new Set<Waiter>();
  #link: ServerLink | null = null;
  #session: Session | null = null;
  #timer: NodeJS.Timeout | null = null;
  #sharesBackends = false;
  readonly #versions = new Map<string, string>();
  #versionsTimer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(options: ControlSessionOptions) {
    this.#options = options;
  }

  /** Connects for the first time; gives what the server says of itself. Rejects where that fails. */
  async start(): Promise<Omit<OpenedLink, 'link'>> {
    const { version, place } = await this.#connect();
    return { version, place };
  }

  /** Rejects with SqlFailure where PostgreSQL reports an error, with another error where the session was lost. */
  async query(text: string, parameters: readonly (string | null)[] = []): Promise<SqlResult> {
    const session = await this.#whenReady();
    const before = this.#sharesBackends ? SET_LOCK_TIMEOUT : null;
    const result = (await session.query(text, parameters, { before })).at(-1);
    return result ?? { fields: [], rows: [], tag: '' };
  }

  async exec(text: string): Promise<SqlResult[]> {
    const session = await this.#whenReady();
    return session.exec(text);
  }

  /** For another `start` after `close`. */
  reopen(): void {
    this.#closed = false;
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#versionsTimer !== null) clearTimeout(this.#versionsTimer);
    this.#link?.end();
    this.#link = null;
    this.#session = null;
    this.#refuseWaiters('the database is closed');
  }

  async #connect(): Promise<OpenedLink> {
    const opened = await this.#options.open();
    const { link } = opened;
    const session = new Session(link, {
      notice: ({ severity, code, message }) =>
        this.#options.observer.observe({ kind: 'sql-notice', severity, code, message }),
      notification: (channel, payload) => this.#options.notification(channel, payload),
      progressed: () => undefined,
      lost: () => this.#lost(session),
    });
    this.#link = link;
    this.#sharesBackends = link.sharesBackends && !this.#options.keepsBackend;
    if (this.#sharesBackends) {
      this.#askForVersions();
    } else {
      const listens = this.#options.channels.map((channel) => `listen ${quoteIdentifier(channel)}`);
      await session.exec([`set lock_timeout = ${LOCK_TIMEOUT_MS}`, ...listens].join('; '));
    }
    if (this.#closed) link.end();
    this.#session = session;
    this.#backoff.succeeded();
    for (const { ready, timer } of this.#waiters) {
      clearTimeout(timer);
      ready(session);
    }
    this.#waiters.clear();
    return opened;
  }

  /** In place of notifications. Ends by itself where the session is one that listens. */
  #askForVersions(): void {
    const versions = this.#options.channels.flatMap((channel) => {
      const version = this.#options.channelVersions[channel];
      return version === undefined ? [] : [{ channel, version }];
    });
    if (this.#versionsTimer !== null || versions.length === 0) return;
    const ask = async (): Promise<void> => {
      if (this.#session === null) return;
      const { rows } = await this.query(`select ${versions.map(({ version }) => version).join(', ')}`);
      for (const [i, { channel }] of versions.entries()) {
        const version = rows[0]?.[i] ?? '';
        const before = this.#versions.get(channel);
        this.#versions.set(channel, version);
        if (before !== version) this.#options.notification(channel, '');
      }
    };
    const wait = (): void => {
      this.#versionsTimer = setTimeout(() => {
        ask()
          .catch(() => undefined) // Where the schema is gone for now, or the session, it is asked for again.
          .finally(() => {
            this.#versionsTimer = null;
            if (!this.#closed && this.#sharesBackends) wait();
          });
      }, VERSIONS_INTERVAL_MS);
    };
    wait();
  }

  #lost(session: Session): void {
    // While it is being opened, whoever opens it is told.
    if (this.#session !== session) return;
    this.#session = null;
    this.#link = null;
    if (!this.#closed) this.#reconnect();
  }

  #reconnect(): void {
    this.#connect().then(
      () => this.#options.reconnected(),
      () => {
        if (this.#closed) return;
        this.#timer = setTimeout(() => {
          this.#timer = null;
          this.#reconnect();
        }, this.#backoff.failed());
      },
    );
  }

  #whenReady(): Promise<Session> {
    if (this.#session !== null) return Promise.resolve(this.#session);
    return new Promise((ready, refused) => {
      if (this.#closed) {
        refused(new Error('the database is closed'));
        return;
      }
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        refused(new Error(`no connection to the database within ${WAIT_MS} ms`));
      }, WAIT_MS);
      const waiter: Waiter = { ready, refused, timer };
      this.#waiters.add(waiter);
    });
  }

  #refuseWaiters(reason: string): void {
    for (const { refused, timer } of this.#waiters) {
      clearTimeout(timer);
      refused(new Error(reason));
    }
    this.#waiters.clear();
  }
}
