// Whether the database wants to be served: not after omni_httpd.stop(), until omni_httpd.start(), and not while howdah's schema is not in
// it. Finds out, and has the server suspended and resumed; how that is done is not its business.
//
//   serving ──stop()──► stopped ──start()──► serving
//      └──schema dropped──► absent ──schema installed──► serving
import type { ServerOrder } from '../database/database.ts';
import { SqlFailure, type SqlResult } from '../database/exchange-result.ts';
import type { Observer } from '../observe/observation.ts';

export type ServingState = 'serving' | 'stopped' | 'absent';

export interface ServingControlOptions {
  readonly observer: Observer;
  /** Asks in the session that is at hand while the server serves. Rejects with SqlFailure where PostgreSQL reports an error. */
  readonly query: (text: string, parameters: readonly (string | null)[]) => Promise<SqlResult>;
  /** Asks while it does not serve, and leaves no session behind. */
  readonly queryAside: (text: string) => Promise<SqlResult[]>;
  /** ISO 8601; stops before it do not count. null: those before PostgreSQL was started. */
  readonly since: string | null;
  /** How often it is looked for what nothing tells, in ms. */
  readonly lookEveryMs: number;
  /** Stops accepting and closes what is open, sessions with the database as well. */
  readonly suspend: () => Promise<void>;
  readonly resume: () => Promise<void>;
}

/** Notified by omni_httpd.stop() and omni_httpd.start() at the commit. */
export const SERVING_CHANNEL = 'howdah_serving';

/** What the banner says of a server that begins without serving. */
export const STOPPED = 'nothing is served: omni_httpd.stop() was called; omni_httpd.start() ends that';

/** undefined_function, undefined_table, invalid_schema_name. */
const ABSENT_CODES = new Set(['42883', '42P01', '3F000']);

/** Whoever stopped the server for a while may start it again any moment; later it costs less to look less often. */
const EAGER_MS = 60_000;
const EAGER_EVERY_MS = 200;
const IDLE_EVERY_MS = 1000;

const DEFAULT_MOMENT = 'pg_catalog.pg_postmaster_start_time()';

export class ServingControl {
  readonly #options: ServingControlOptions;
  readonly #text: string;
  #state: ServingState = 'serving';
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> | null = null;
  #again = false;
  /** What was heard, so that nobody has to be asked. */
  #heard: ServingState | null = null;
  #suspendedMs = 0;
  #ended = false;

  constructor(options: ServingControlOptions) {
    this.#options = options;
    const { since } = options;
    const moment = since === null ? DEFAULT_MOMENT : `'${since}'::timestamptz`;
    // Whoever drops one of the schemas, and not that of howdah itself, has it all gone: the cast fails.
    this.#text = `select howdah.is_stopped(${moment}) from (select 'omni_httpd.listeners'::regclass) as there`;
  }

  get state(): ServingState {
    return this.#state;
  }

  /** Whether the server is to begin without serving. */
  async start(): Promise<ServingState> {
    this.#state = await this.#ask(false);
    if (this.#state !== 'serving') this.#suspendedMs = Date.now();
    this.#schedule();
    return this.#state;
  }

  /** Looks now. Resolves when what was found is done. */
  look(): Promise<void> {
    if (this.#ended) return Promise.resolve();
    this.#again = true;
    this.#looking ??= this.#lookWhileAsked().finally(() => {
      this.#looking = null;
      this.#schedule();
    });
    return this.#looking;
  }

  /** An order by which nothing needs to be asked. */
  hear(order: ServerOrder): Promise<void> {
    this.#heard = order === 'stop' ? 'stopped' : 'serving';
    return this.look();
  }

  /** Looks no more. Resolves when nothing is under way. */
  async end(): Promise<void> {
    this.#ended = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#looking;
  }

  async #lookWhileAsked(): Promise<void> {
    while (this.#again && !this.#ended) {
      this.#again = false;
      const heard = this.#heard;
      this.#heard = null;
      try {
        await this.#become(heard ?? (await this.#ask(this.#state !== 'serving')));
      } catch (error) {
        // A database that cannot be reached, say: everything stays as it is, and the next look may succeed.
        if (this.#state === 'serving') continue;
        this.#options.observer.observe({ kind: 'serving-unknown', reason: messageOf(error) });
      }
    }
  }

  async #ask(aside: boolean): Promise<ServingState> {
    try {
      const result = aside
        ? (await this.#options.queryAside(this.#text)).at(-1)
        : await this.#options.query(this.#text, []);
      return result?.rows[0]?.[0] === 't' ? 'stopped' : 'serving';
    } catch (error) {
      if (error instanceof SqlFailure && ABSENT_CODES.has(error.sql.code)) return 'absent';
      throw error;
    }
  }

  async #become(state: ServingState): Promise<void> {
    const before = this.#state;
    if (state === before || this.#ended) return;
    const { observer, suspend, resume } = this.#options;
    if (state === 'serving') {
      await resume();
      this.#state = state;
      observer.observe({ kind: 'serving-resumed' });
      return;
    }
    this.#state = state;
    observer.observe({ kind: 'serving-suspended', because: state });
    this.#suspendedMs = Date.now();
    if (before === 'serving') await suspend();
  }

  #schedule(): void {
    if (this.#ended) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.look(), this.#waitMs());
    this.#timer.unref();
  }

  #waitMs(): number {
    if (this.#state === 'serving') return this.#options.lookEveryMs;
    return Date.now() - this.#suspendedMs < EAGER_MS ? EAGER_EVERY_MS : IDLE_EVERY_MS;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
