// Brings the SQL schema of a database up to this program's: installs it or applies the migrations that are missing. Does not
// connect: it is given a session.
import { HowdahError } from '../errors.ts';
import { readSchemaSource, type Migration, type SchemaSource } from './schema-migrations.ts';

/** A session outside of a transaction, that nobody else uses meanwhile. */
export interface SchemaTarget {
  /** Runs any number of statements as one simple query. */
  exec(sql: string): Promise<unknown>;
  /** Runs one statement; the rows by column name, values as text. */
  query(sql: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

export interface SchemaOptions {
  /** Installs no listener and no default handler; false: as the setting omni_httpd.no_init of the session says. */
  readonly noInit: boolean;
  /**
   * Address (text of an inet) of the first listener; only for a fresh installation. null: as the setting
   * omni_httpd.init_listen_address says, 127.0.0.1 where it is not set.
   */
  readonly initAddress: string | null;
  /** Port of the first listener, 0 for any; likewise, with omni_httpd.init_port and 8080. */
  readonly initPort: number | null;
}

/** Numbers of the last migration before and after; 0: none. */
export interface SchemaVersions {
  readonly from: number;
  readonly to: number;
}

/** Any number that other programs are unlikely to lock: the letters "howdah" as an integer. */
const INSTALLATION_LOCK = 0x68_6f_77_64_61_68;

/** In front of the first migration: what says which migrations are there. */
const BOOTSTRAP = `
create schema howdah;
create table howdah.migrations (
  number int primary key,
  name text not null,
  applied_at timestamptz not null default now(),
  sha256 text not null
);`;

/** The migrations' own statements are no news to the event trigger; it would look for routers after each. */
const WITHOUT_EVENTS = `select set_config('howdah.in_event', 'on', true)`;

const FOLLOW = 'select howdah.discover_routers()';

/**
 * Applies the missing migrations, all in one transaction, and does nothing where none is missing. Installers of one database
 * wait for one another. The session needs the right to create schemas in the database; where it may create event
 * triggers, they are used.
 *
 * @throws HowdahError HOWDAH_SCHEMA_NEWER where the database was migrated by a later version of the program;
 *   HOWDAH_SCHEMA_OCCUPIED where the schemas exist but are not howdah's; HOWDAH_SCHEMA_INCOMPLETE where somebody has dropped some of them
 */
export async function installSchema(
  db: SchemaTarget,
  options: SchemaOptions,
  source?: SchemaSource,
): Promise<SchemaVersions> {
  const { migrations, init } = source ?? (await readSchemaSource());
  const to = migrations.length;
  await db.exec('begin');
  try {
    // Held until the transaction ends. A statement of its own: what follows has to see what the one before committed.
    await db.exec(`select pg_advisory_xact_lock(${INSTALLATION_LOCK})`);
    const from = await installedVersion(db);
    if (from > to) {
      throw new HowdahError('HOWDAH_SCHEMA_NEWER', `the database is at ${from}, this program at ${to}`);
    }
    if (from < to) await db.exec(WITHOUT_EVENTS);
    if (from === 0) await db.exec(BOOTSTRAP);
    for (const migration of migrations.slice(from)) await apply(db, migration);
    if (from === 0) {
      await db.exec(initSettings(options));
      await db.exec(init);
    }
    if (from < to) await db.exec(FOLLOW);
    await db.exec('commit');
    return { from, to };
  } catch (error) {
    // Fails where the connection is gone, and then there is nothing to roll back.
    await db.exec('rollback').catch(() => undefined);
    throw error;
  }
}

async function installedVersion(db: SchemaTarget): Promise<number> {
  const [found] = await db.query(
    `select
       (to_regclass('howdah.migrations') is not null)::text as ours,
       (select string_agg(nspname, ', ' order by nspname) from pg_catalog.pg_namespace
        where nspname in ('howdah', 'omni_http', 'omni_httpd', 'omni_types')) as schemas,
       (select string_agg(wanted, ', ') from unnest(array['omni_http', 'omni_httpd', 'omni_types']) as needed (wanted)
        where to_regnamespace(wanted) is null) as missing`,
  );
  if (found?.['ours'] !== 'true') {
    const schemas = found?.['schemas'];
    if (typeof schemas === 'string') {
      throw new HowdahError('HOWDAH_SCHEMA_OCCUPIED', `schemas that exist already: ${schemas}`);
    }
    return 0;
  }
  const [last] = await db.query('select coalesce(max(number), 0)::text as number from howdah.migrations');
  const number = Number(last?.['number']);
  const missing = found['missing'];
  if (number > 0 && typeof missing === 'string')
    throw new HowdahError('HOWDAH_SCHEMA_INCOMPLETE', `schemas that are missing: ${missing}`);
  return number;
}

async function apply(db: SchemaTarget, migration: Migration): Promise<void> {
  await db.exec(migration.sql);
  await db.exec(
    `insert into howdah.migrations (number, name, sha256)
     values (${migration.number}, ${literal(migration.name)}, ${literal(migration.sha256)})`,
  );
}

/** Local to the transaction: a session that serves must not have no_init set, it hides the default router. */
function initSettings(options: SchemaOptions): string {
  const settings: readonly (readonly [string, string | null, string])[] = [
    ['omni_httpd.no_init', options.noInit ? 'true' : null, 'false'],
    ['omni_httpd.init_listen_address', options.initAddress, '127.0.0.1'],
    ['omni_httpd.init_port', options.initPort === null ? null : String(options.initPort), '8080'],
  ];
  return settings
    .map(([name, given, fallback]) => {
      // '': what a setting is after a transaction that set it locally.
      const wanted =
        given === null
          ? `coalesce(nullif(current_setting(${literal(name)}, true), ''), ${literal(fallback)})`
          : literal(given);
      return `select set_config(${literal(name)}, ${wanted}, true);`;
    })
    .join('\n');
}

function literal(text: string): string {
  const quoted = text.replaceAll("'", "''").replaceAll('\\', '\\\\');
  return quoted.includes('\\') ? `E'${quoted}'` : `'${quoted}'`;
}
