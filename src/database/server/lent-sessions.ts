// Sessions that are lent to one borrower at a time, for statements that belong together: kept for the next one, bounded in number,
// opened when needed. Not those that calls are pipelined through (session-pool.ts).
import type { Observer } from '../../observe/observation.ts';
import { NoSessionError, type SetupSession } from '../database.ts';
import { firstResult } from '../exchange-result.ts';
import { resetStatements } from '../session-reset.ts';
import { Session } from '../session.ts';
import type { OpenedLink } from './open-link.ts';

export interface LentSessionsOptions {
  readonly observer: Observer;
  readonly open: () => Promise<OpenedLink>;
  /** Whether a pooler in between is to be taken for one that gives each client a backend of its own. */
  readonly keepsBackend: boolean;
  readonly maxSessions: number;
  /** Borrowers that may wait; one more is refused. */
  readonly maxWaiting: number;
  /** How long one waits, in ms. */
  readonly waitTimeoutMs: number;
  /** How long a statement may run, in ms. */
  readonly statementTimeoutMs: number;
}

/** A session that nobody has borrowed for this long is closed: it takes a connection of the server's. */
const IDLE_MS = 10_000;

interface Lent {
  readonly session: Session;
  readonly link: OpenedLink['link'];
  /** Nothing can be set in it for longer than a transaction. */
  readonly sharesBackends: boolean;
  lost: boolean;
  /** What is said while it is reset is of no interest. */
  returning: boolean;
  idleTimer: NodeJS.Timeout | null;
}

interface Waiter {
  readonly turn: () => void;
  readonly refuse: (reason: Error) => void;
  readonly timer: NodeJS.Timeout;
}

export class LentSessions {
  readonly #options: LentSessionsOptions;
  readonly #reset: string;
  /** The time limit for one transaction. */
  readonly #limit: string;
  readonly #idle: Lent[] = [];
  readonly #waiters = new Set<Waiter>();
  /** Sessions that are lent, opened or idle. */
  #count = 0;
  #closed = false;
  #emptied: (() => void) | null = null;

  constructor(options: LentSessionsOptions) {
    this.#options = options;
    const { identity, settings, objects } = resetStatements([], null);
    const timeout = `SET statement_timeout = ${options.statementTimeoutMs}`;
    this.#limit = `select pg_catalog.set_config('statement_timeout', '${options.statementTimeoutMs}', true)`;
    this.#reset = [...identity, ...settings, ...objects, timeout].join('; ');
  }

  /** Runs `use` with a session of its own. A transaction that it leaves open is rolled back. */
  async with<T>(use: (session: SetupSession) => Promise<T>): Promise<T> {
    const lent = await this.#take();
    let over = false;
    const assertMine = (): void => {
      if (over) throw new Error('the session has been given back');
    };
    try {
      return await use({
        query: async (text, parameters = [], limitBytes = Infinity) => {
          assertMine();
          const before = lent.sharesBackends ? this.#limit : null;
          const results = await lent.session.query(text, parameters, {
            keepsTransaction: true,
            before,
            limitBytes,
          });
          return firstResult(before === null ? results : results.slice(1));
        },
        exec: async (text) => {
          assertMine();
          return lent.session.exec(text, true);
        },
      });
    } finally {
      over = true;
      void this.#giveBack(lent);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const { refuse, timer } of this.#waiters) {
      clearTimeout(timer);
      refuse(new NoSessionError('the database is closed'));
    }
    this.#waiters.clear();
    for (const lent of this.#idle.splice(0)) this.#end(lent);
    if (this.#count > 0) {
      await new Promise<void>((resolve) => {
        this.#emptied = resolve;
      });
    }
  }

  async #take(): Promise<Lent> {
    for (;;) {
      if (this.#closed) throw new NoSessionError('the database is closed');
      const idle = this.#idle.pop();
      if (idle !== undefined) {
        if (idle.idleTimer !== null) clearTimeout(idle.idleTimer);
        if (!idle.lost) return idle;
        continue;
      }
      if (this.#count < this.#options.maxSessions) return this.#open();
      await this.#turn();
    }
  }

  #turn(): Promise<void> {
    const { maxWaiting, waitTimeoutMs } = this.#options;
    if (this.#waiters.size >= maxWaiting) {
      return Promise.reject(new NoSessionError(`${maxWaiting} wait for a session already`));
    }
    return new Promise((turn, refuse) => {
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        refuse(new NoSessionError(`no session became free within ${waitTimeoutMs} ms`));
      }, waitTimeoutMs);
      const waiter: Waiter = { turn, refuse, timer };
      this.#waiters.add(waiter);
    });
  }

  async #open(): Promise<Lent> {
    this.#count += 1;
    const { observer } = this.#options;
    try {
      const { link } = await this.#options.open();
      const session = new Session(link, {
        notice: ({ severity, code, message }) => {
          if (!lent.returning) observer.observe({ kind: 'sql-notice', severity, code, message });
        },
        notification: () => undefined,
        progressed: () => undefined,
        lost: () => this.#lost(lent),
      });
      const sharesBackends = link.sharesBackends && !this.#options.keepsBackend;
      const lent: Lent = { session, link, sharesBackends, lost: false, returning: false, idleTimer: null };
      if (!sharesBackends) await session.exec(this.#reset);
      return lent;
    } catch (error) {
      this.#forget();
      throw error;
    }
  }

  async #giveBack(lent: Lent): Promise<void> {
    if (lent.lost) return;
    try {
      lent.returning = true;
      // By itself: in one simple query with the resets it would undo them.
      await lent.session.exec('ROLLBACK');
      if (!lent.sharesBackends) await lent.session.exec(this.#reset);
      lent.returning = false;
    } catch {
      lent.link.end();
      return;
    }
    if (this.#closed || lent.lost) {
      this.#end(lent);
      return;
    }
    lent.idleTimer = setTimeout(() => {
      this.#idle.splice(this.#idle.indexOf(lent), 1);
      this.#end(lent);
    }, IDLE_MS);
    lent.idleTimer.unref();
    this.#idle.push(lent);
    this.#wake();
  }

  #end(lent: Lent): void {
    if (lent.idleTimer !== null) clearTimeout(lent.idleTimer);
    lent.link.end();
  }

  #lost(lent: Lent): void {
    if (lent.lost) return;
    lent.lost = true;
    const index = this.#idle.indexOf(lent);
    if (index >= 0) this.#idle.splice(index, 1);
    if (lent.idleTimer !== null) clearTimeout(lent.idleTimer);
    this.#forget();
  }

  #forget(): void {
    this.#count -= 1;
    this.#wake();
    if (this.#count === 0) this.#emptied?.();
  }

  #wake(): void {
    const [waiter] = this.#waiters;
    if (waiter === undefined) return;
    this.#waiters.delete(waiter);
    clearTimeout(waiter.timer);
    waiter.turn();
  }
}
