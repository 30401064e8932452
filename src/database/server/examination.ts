// What stands between a PostgreSQL server and howdah serving from it, found by looking: settings, rights, room, what is between. Changes
// nothing.
import type { SetupSession } from '../database.ts';

export interface Finding {
  /** What was looked at, as one word. */
  readonly check: string;
  /** `warning`: it serves, with less. `problem`: it does not. */
  readonly state: 'ok' | 'warning' | 'problem';
  readonly detail: string;
  /** SQL, or what to do; null where all is well. */
  readonly remedy: string | null;
}

export interface ExaminationOptions {
  /** Migrations that this program has. */
  readonly migrations: number;
  /** Sessions that are to be open: those for calls of all workers, and those beside them. */
  readonly sessions: number;
  /** Of the backend, as the connection was told at its start. */
  readonly processId: number;
}

const SCHEMAS = ['howdah', 'omni_http', 'omni_httpd', 'omni_types'] as const;

type Facts = Readonly<Record<string, string | null>>;

/** In one statement, so that a pooler cannot spread it over several servers. */
const FACTS = `
select
  pg_backend_pid() as pid,
  current_user as role,
  current_database() as database,
  current_setting('server_version') as version,
  current_setting('server_encoding') as encoding,
  pg_is_in_recovery() as standby,
  current_setting('default_transaction_read_only') as read_only,
  current_setting('max_connections')::int as max_connections,
  current_setting('superuser_reserved_connections')::int as reserved,
  (select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()) as used,
  (select rolconnlimit from pg_roles where rolname = current_user) as role_limit,
  (select datconnlimit from pg_database where datname = current_database()) as database_limit,
  (select setting::int from pg_settings where name = 'statement_timeout') as statement_timeout_ms,
  has_database_privilege(current_database(), 'create') as may_create,
  exists (select from pg_class where relname = 'migrations' and relnamespace in
    (select oid from pg_namespace where nspname = 'howdah')) as installed,
  (select string_agg(nspname, ', ' order by nspname) from pg_namespace
   where nspname in ('howdah', 'omni_http', 'omni_httpd', 'omni_types')) as schemas,
  (select string_agg(nspname, ', ' order by nspname) from pg_namespace
   where nspname in ('howdah', 'omni_http', 'omni_httpd', 'omni_types') and not has_schema_privilege(oid, 'usage')) as closed_schemas,
  (select string_agg(format('%I.%I', relnamespace::regnamespace::name, relname), ', ' order by relname) from pg_class
   where relnamespace in (select oid from pg_namespace where nspname in ('howdah', 'omni_httpd')) and relkind = 'r'
     and not (has_table_privilege(oid, 'select') and has_table_privilege(oid, 'insert')
       and has_table_privilege(oid, 'update') and has_table_privilege(oid, 'delete'))) as closed_tables,
  exists (select from pg_event_trigger where evtname = 'refresh_available_routers' and evtenabled <> 'D') as event_trigger`;

export async function examineServer(session: SetupSession, options: ExaminationOptions): Promise<Finding[]> {
  const { fields, rows } = await session.query(FACTS);
  const facts: Facts = Object.fromEntries(fields.map(({ name }, i) => [name, rows[0]?.[i] ?? null]));
  const findings = [
    version(facts),
    encoding(facts),
    writable(facts),
    pooler(facts, options),
    await schema(session, facts, options),
    ...(isTrue(facts, 'installed') ? [grants(facts), eventTrigger(facts)] : []),
    connections(facts, options),
    statementTimeout(facts),
  ];
  return findings;
}

const ok = (check: string, detail: string): Finding => ({ check, state: 'ok', detail, remedy: null });
const problem = (check: string, detail: string, remedy: string): Finding => ({
  check,
  state: 'problem',
  detail,
  remedy,
});
const warning = (check: string, detail: string, remedy: string): Finding => ({
  check,
  state: 'warning',
  detail,
  remedy,
});

const isTrue = (facts: Facts, name: string): boolean => facts[name] === 't';
const text = (facts: Facts, name: string): string => facts[name] ?? '';
const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Older ones are refused on the way in. */
function version(facts: Facts): Finding {
  return ok('version', `PostgreSQL ${text(facts, 'version')}`);
}

function encoding(facts: Facts): Finding {
  const found = text(facts, 'encoding');
  if (found === 'UTF8') return ok('encoding', found);
  return problem(
    'encoding',
    `the database is encoded in ${found}: requests and responses are UTF-8`,
    'make a database with: create database … encoding UTF8 template template0',
  );
}

function writable(facts: Facts): Finding {
  if (isTrue(facts, 'standby')) {
    return problem(
      'writable',
      'the server is a standby',
      'connect to the primary: list all hosts and add target_session_attrs=read-write to the connection string',
    );
  }
  if (facts['read_only'] === 'on') {
    return problem(
      'writable',
      'transactions are read-only by default',
      `alter role ${identifier(text(facts, 'role'))} set default_transaction_read_only = off;`,
    );
  }
  return ok('writable', 'a primary that takes writes');
}

/** A pooler makes up the process that it announces. */
function pooler(facts: Facts, { processId }: ExaminationOptions): Finding {
  if (Number(facts['pid']) === processId) return ok('pooler', 'the connection goes to the server itself');
  return warning(
    'pooler',
    'something between here and the server (a pooler) ends connections and makes its own: it is served through, without prepared statements',
    'give howdah serve the address of the server itself as --direct-url, so that changes are heard of and not looked for once a second',
  );
}

async function schema(session: SetupSession, facts: Facts, options: ExaminationOptions): Promise<Finding> {
  const role = identifier(text(facts, 'role'));
  const mayCreate = isTrue(facts, 'may_create');
  const grant = `grant create on database ${identifier(text(facts, 'database'))} to ${role};`;
  if (!isTrue(facts, 'installed')) {
    if (facts['schemas'] !== null) {
      return problem(
        'schema',
        `schemas with the names of howdah's are there and not its own: ${text(facts, 'schemas')}`,
        'drop or rename them (of omni_httpd: drop the extension), or take another database',
      );
    }
    return mayCreate
      ? warning('schema', 'not installed', 'howdah install, or howdah serve, which does it at its start')
      : problem('schema', `not installed, and ${role} may not create schemas`, grant);
  }
  if (text(facts, 'closed_schemas').split(', ').includes('howdah')) {
    return problem(
      'schema',
      `${role} may not look into the schema howdah`,
      `grant usage on schema howdah to ${role};`,
    );
  }
  if (text(facts, 'closed_tables').split(', ').includes('howdah.migrations')) {
    return problem(
      'schema',
      `${role} may not read howdah.migrations`,
      `grant select on howdah.migrations to ${role};`,
    );
  }
  const { rows } = await session.query('select coalesce(max(number), 0) from howdah.migrations');
  const found = Number(rows[0]?.[0]);
  if (found === options.migrations) return ok('schema', `migration ${found}`);
  if (found > options.migrations) {
    return problem(
      'schema',
      `migration ${found}: of a later version, this one has ${options.migrations}`,
      'run that version of howdah, or a later one',
    );
  }
  const detail = `migration ${found} of ${options.migrations}`;
  return mayCreate
    ? warning('schema', detail, 'howdah install, or howdah serve, which does it at its start')
    : problem('schema', `${detail}, and ${role} may not create schemas`, grant);
}

function grants(facts: Facts): Finding {
  const role = identifier(text(facts, 'role'));
  const all = SCHEMAS.join(', ');
  if (facts['closed_schemas'] !== null) {
    return problem(
      'grants',
      `${role} may not use the schemas ${text(facts, 'closed_schemas')}`,
      `grant usage on schema ${all} to ${role};`,
    );
  }
  if (facts['closed_tables'] !== null) {
    return problem(
      'grants',
      `${role} may not read and write ${text(facts, 'closed_tables')}`,
      `grant all on all tables in schema ${all} to ${role}; grant all on all sequences in schema ${all} to ${role};`,
    );
  }
  return ok('grants', `${role} may read and write what howdah needs`);
}

function eventTrigger(facts: Facts): Finding {
  if (isTrue(facts, 'event_trigger')) return ok('event trigger', 'new routers are found as they are made');
  return warning(
    'event trigger',
    'new routers are found by looking once a second',
    'have a superuser install howdah, or live with it',
  );
}

function connections(facts: Facts, { sessions }: ExaminationOptions): Finding {
  const free = Number(facts['max_connections']) - Number(facts['reserved']) - Number(facts['used']);
  const limits = (['role_limit', 'database_limit'] as const)
    .map((name) => Number(facts[name]))
    .filter((limit) => limit >= 0);
  const room = Math.min(free, ...limits);
  if (room >= sessions) return ok('connections', `room for ${room}, up to ${sessions} are used`);
  return warning(
    'connections',
    `room for ${room}, where up to ${sessions} are used: it goes on with fewer`,
    'raise max_connections or the connection limit of the role or database, or give fewer --sessions or --workers',
  );
}

function statementTimeout(facts: Facts): Finding {
  const limitMs = Number(facts['statement_timeout_ms']);
  if (limitMs === 0) return ok('statement timeout', 'none: --handler-timeout counts');
  return warning(
    'statement timeout',
    `handlers are ended after ${limitMs} ms, whatever --handler-timeout says`,
    `alter role ${identifier(text(facts, 'role'))} set statement_timeout = 0;`,
  );
}
