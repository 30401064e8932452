// Opens the database that a server was told to serve from, with howdah's schema in it: the embedded engine or a PostgreSQL
// server. Knows nothing of HTTP.
import { EVENTS_CHANNEL } from '../catalog/event-hub.ts';
import type { Database, SetupSession } from '../database/database.ts';
import type { EmbeddedDatabase } from '../database/embedded/embedded-database.ts';
import { openEmbedded } from '../database/embedded/open-embedded.ts';
import { SqlFailure, type SqlResult } from '../database/exchange-result.ts';
import { installSchema, type SchemaVersions } from '../database/schema-installation.ts';
import { openServer } from '../database/server/open-server.ts';
import type { ServerDatabase } from '../database/server/server-database.ts';
import { HowdahError } from '../errors.ts';
import type { Observer } from '../observe/observation.ts';
import { CONFIGURATION_CHANNEL } from './listener-configuration.ts';

/** Where a server's database is. */
export interface ServerDatabaseChoice {
  /** Connection string: URL, `name=value …`, or `env`. */
  readonly url: string;
  /** The same for a way past a pooler, for what needs a backend of its own; null: there is none, or no pooler. */
  readonly directUrl?: string | null;
  /** Sessions for calls, at most. */
  readonly maxSessions: number;
}

export interface OpenDatabaseOptions {
  /** null: the embedded engine. */
  readonly server: ServerDatabaseChoice | null;
  /** Data directory of the embedded engine; null: in memory. */
  readonly dataDirectory: string | null;
  /** Address of the first listener of a new database; null: as the settings of the session say. */
  readonly listen: { readonly host: string; readonly port: number } | null;
  /** A new database gets no listener and no default page; false: as omni_httpd.no_init says. */
  readonly noInit: boolean;
  readonly handlerTimeoutMs: number;
  readonly observer: Observer;
  /** Channels to listen to, besides the catalog's. */
  readonly channels: readonly string[];
  /** Whether the schema is brought up to this program's; default true. Of a fleet, the master does it. */
  readonly installs?: boolean;
}

export interface OpenDatabase {
  readonly database: Database;
  /** The same, where it is the embedded engine. */
  readonly embedded: EmbeddedDatabase | null;
  /** The same, where it is a PostgreSQL server. */
  readonly server: ServerDatabase | null;
  /** In a few words. */
  readonly description: string;
  /** `listener` is called when notifications arrive again, after some may have been missed. */
  onReconnected(listener: () => void): void;
}

/** Notified of each change of the catalog. */
export const CATALOG_CHANNEL = 'howdah_catalog';

/**
 * What shows that a channel has been notified, where nothing can be listened to. Messages for WebSockets are looked for about once
 * a second anyway; commands to a server (howdah_control) are heard, or not.
 */
const CHANNEL_VERSIONS: Readonly<Record<string, string>> = {
  [CATALOG_CHANNEL]: 'howdah.epoch()::text',
  [EVENTS_CHANNEL]: `concat_ws(' ', (select max(id) from howdah.events), (select count(*) from howdah.unnumbered_events))`,
  [CONFIGURATION_CHANNEL]: `concat_ws(' ', (select md5(string_agg(l::text, ' ' order by id)) from omni_httpd.listeners l),
    (select md5(string_agg(c::text, ' ' order by id)) from howdah.certificates c), howdah.http_workers())`,
};

/** insufficient_privilege. */
const NOT_ALLOWED = '42501';

/** @throws HowdahError where the data directory, the server or the schema stands in the way; nothing is left open then */
export async function openDatabase(options: OpenDatabaseOptions): Promise<OpenDatabase> {
  const { server, dataDirectory, handlerTimeoutMs, observer, channels } = options;
  const onStart = async (session: SetupSession): Promise<void> => {
    await install(session, options);
  };
  if (server === null) {
    const database = await openEmbedded({
      dataDirectory,
      observer,
      handlerTimeoutMs,
      listenChannels: channels,
      onStart: (session) => installOverLeftovers(session, options),
    });
    const major = database.version.split('.')[0] ?? '';
    return {
      database,
      embedded: database,
      server: null,
      description: `embedded PostgreSQL ${major} ${dataDirectory === null ? 'in memory' : `in ${dataDirectory}`}`,
      onReconnected: () => undefined,
    };
  }
  const database = await openServer({
    ...server,
    env: process.env,
    observer,
    handlerTimeoutMs,
    listenChannels: [CATALOG_CHANNEL, ...channels],
    channelVersions: CHANNEL_VERSIONS,
    ...(options.installs === false ? {} : { onStart }),
  });
  return {
    database,
    embedded: null,
    server: database,
    description: `PostgreSQL ${database.version} at ${database.place}`,
    onReconnected: (listener) => void database.onReconnected(listener),
  };
}

/**
 * Brings the schema of the database up to this program's.
 * @throws HowdahError HOWDAH_SCHEMA_REFUSED where the user has no right to, and what installSchema throws
 */
export async function install(
  session: SetupSession,
  { listen, noInit }: Pick<OpenDatabaseOptions, 'listen' | 'noInit'>,
): Promise<SchemaVersions> {
  const target = {
    exec: (text: string) => session.exec(text),
    query: async (text: string) => asRecords(await session.query(text)),
  };
  try {
    return await installSchema(target, {
      noInit,
      initAddress: listen?.host ?? null,
      initPort: listen?.port ?? null,
    });
  } catch (error) {
    if (!(error instanceof SqlFailure) || error.sql.code !== NOT_ALLOWED) throw error;
    throw new HowdahError('HOWDAH_SCHEMA_REFUSED', error.message, { cause: error });
  }
}

/** Gives schemas that are left of howdah's other names; a constant name would be taken the second time. */
const SET_ASIDE = `
do $$
declare
  found name;
begin
  if to_regclass('howdah.migrations') is not null then
    drop event trigger if exists refresh_available_routers;
  end if;
  for found in
    select nspname from pg_catalog.pg_namespace where nspname in ('howdah', 'omni_httpd', 'omni_http', 'omni_types')
  loop
    execute format('alter schema %I rename to %I', found, found || to_char(clock_timestamp(), '_YYYYMMDD_HH24MISS'));
  end loop;
end $$`;

/**
 * Where some of the schemas were dropped, nobody can say what may go of the others as long as the embedded engine does not start:
 * so they are renamed, with what is in them.
 */
async function installOverLeftovers(session: SetupSession, options: OpenDatabaseOptions): Promise<void> {
  try {
    await install(session, options);
  } catch (error) {
    if (!(error instanceof HowdahError) || error.code !== 'HOWDAH_SCHEMA_INCOMPLETE') throw error;
    await session.exec(SET_ASIDE);
    const { rows } = await session.query(
      `select nspname from pg_catalog.pg_namespace where nspname ~ '^(howdah|omni_httpd|omni_http|omni_types)_[0-9_]+$' order by 1`,
    );
    const renamed = rows.map(([name]) => name ?? '');
    options.observer.observe({ kind: 'schema-set-aside', reason: error.message, renamed });
    await install(session, options);
  }
}

function asRecords({ fields, rows }: SqlResult): Record<string, string | null>[] {
  return rows.map((row) => Object.fromEntries(fields.map(({ name }, i) => [name, row[i] ?? null])));
}
