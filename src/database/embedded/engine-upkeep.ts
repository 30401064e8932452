// What PostgreSQL's background processes do on a server, and nobody does for a session that is alone: checkpoints, without which the
// write-ahead log grows for ever, and the vacuum and analyze of autovacuum. Runs in turns of the session, between calls.
import type { Observer } from '../../observe/observation.ts';
import type { SqlResult } from '../exchange-result.ts';

/** Between two looks: some hundred MB of log at the most that the engine can write. */
const LOOK_EVERY_MS = 10_000;

/**
 * Log since the last checkpoint that is a reason for one: two segments of 16 MB, which are used again from then on. Less would have
 * pages written whole into the log too often (full_page_writes), more is memory that an engine in memory does not get back.
 */
const CHECKPOINT_BYTES = 32 * 1024 * 1024;

/** A larger table would have calls wait for seconds; when it is vacuumed, is for its owner to say. */
const LARGEST_TABLE_BYTES = 256 * 1024 * 1024;

const READ_LOG_SIZE = `
  select pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), redo_lsn)
  from pg_catalog.pg_control_checkpoint()`;

/** Of autovacuum's rules (PostgreSQL's manual, 24.1.6), with its settings, the storage parameter that takes a table out of it as well. */
const READ_DUE_TABLES = `
  with settings as (
    select
      current_setting('autovacuum')::bool as enabled,
      current_setting('autovacuum_vacuum_threshold')::float8 as dead_least,
      current_setting('autovacuum_vacuum_scale_factor')::float8 as dead_share,
      current_setting('autovacuum_vacuum_insert_threshold')::float8 as inserted_least,
      current_setting('autovacuum_vacuum_insert_scale_factor')::float8 as inserted_share,
      current_setting('autovacuum_analyze_threshold')::float8 as modified_least,
      current_setting('autovacuum_analyze_scale_factor')::float8 as modified_share,
      current_setting('autovacuum_freeze_max_age')::float8 as oldest
  ), tables as (
    select
      format('%I.%I', schemaname, stats.relname) as name,
      stats.n_dead_tup > dead_least + dead_share * greatest(reltuples, 0)
        or inserted_least >= 0 and stats.n_ins_since_vacuum > inserted_least + inserted_share * greatest(reltuples, 0)
        or age(relfrozenxid) > oldest as is_old,
      stats.n_mod_since_analyze > modified_least + modified_share * greatest(reltuples, 0) as is_changed
    from pg_catalog.pg_stat_all_tables as stats
      join pg_catalog.pg_class as class on class.oid = stats.relid
      cross join settings
    where enabled
      and relkind in ('r', 'm')
      and relpersistence <> 't'
      and not coalesce('autovacuum_enabled=false' = any (reloptions), false)
      and pg_catalog.pg_relation_size(class.oid) <= ${LARGEST_TABLE_BYTES}
  )
  select case when is_old and is_changed then 'vacuum (analyze) ' when is_old then 'vacuum ' else 'analyze ' end || name
  from tables
  where is_old or is_changed
  order by name`;

/** What upkeep needs of the database. */
export interface UpkeptDatabase {
  readonly isClosing: boolean;
  /** How many units of work it has ended. */
  readonly unitsEnded: number;
  query(text: string): Promise<SqlResult>;
}

export class EngineUpkeep {
  readonly #database: UpkeptDatabase;
  readonly #observer: Observer;
  #timer: NodeJS.Timeout | null = null;
  /** What there was when the last look had ended: what upkeep does itself is no reason for another one. */
  #unitsSeen = 0;
  #looks = false;

  constructor(database: UpkeptDatabase, observer: Observer) {
    this.#database = database;
    this.#observer = observer;
  }

  /** Looks from time to time, until the database closes. */
  start(): void {
    this.#timer = setInterval(() => this.#tick(), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  #tick(): void {
    if (this.#database.isClosing) {
      if (this.#timer !== null) clearInterval(this.#timer);
      return;
    }
    if (this.#looks || this.#database.unitsEnded === this.#unitsSeen) return;
    this.#looks = true;
    void this.look()
      .catch((error: unknown) => {
        // A database that closes, or whose engine was lost, has told so itself; the next look comes.
        if (this.#database.isClosing) return;
        this.#observer.observe({ kind: 'internal-error', where: 'upkeep of the embedded engine', error });
      })
      .finally(() => {
        this.#looks = false;
        this.#unitsSeen = this.#database.unitsEnded;
      });
  }

  /** Does what is due, each in a turn of its own. Rejects with the first failure. */
  async look(): Promise<void> {
    const log = await this.#database.query(READ_LOG_SIZE);
    if (Number(log.rows[0]?.[0]) >= CHECKPOINT_BYTES) await this.#database.query('checkpoint');
    // After it: what the statements before have done is counted a moment later than they end.
    const { rows } = await this.#database.query(READ_DUE_TABLES);
    for (const [statement] of rows) {
      if (typeof statement === 'string') await this.#database.query(statement);
    }
  }
}
