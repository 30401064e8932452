// The databases that every test of the SQL schema runs on: the embedded engine, and each PostgreSQL server on this machine as a
// superuser and as an ordinary role that owns its database.
import { after, before, describe } from 'node:test';
import { PGlite } from '@electric-sql/pglite';
import { Client } from 'pg';
import { installSchema } from '../../src/database/schema-installation.ts';
import type { SchemaTarget } from '../../src/database/schema-installation.ts';
import { startPostgres, testedPostgres } from '../support/postgres.ts';
import type { TestPostgres } from '../support/postgres.ts';

export type Row = Readonly<Record<string, unknown>>;

export interface TestSession extends SchemaTarget {
  exec(sql: string): Promise<unknown>;
  query(sql: string, parameters?: readonly (string | null)[]): Promise<readonly Row[]>;
  /** Payloads of the channel, in a list that grows. They are there when the statement that sent them is over. */
  listen(channel: string): Promise<readonly string[]>;
  close(): Promise<void>;
}

export interface TestDatabase extends TestSession {
  readonly kind: 'embedded' | 'superuser' | 'owner';
  /** Another session of the same user; not on the embedded engine, which has one. */
  connect(): Promise<TestSession>;
  /** A session of a superuser in the same database; likewise. */
  administer(): Promise<TestSession>;
}

export interface Installation {
  /** Whether the schema is installed before the tests; default true. */
  readonly install?: boolean;
  /** Default true. */
  readonly noInit?: boolean;
}

export const OPTIONS = { noInit: true, initAddress: '127.0.0.1', initPort: 8080 } as const;

/** Defines the same tests for each kind of database; `database()` is one fresh database for all of them. */
export function onEachDatabase(
  define: (database: () => TestDatabase) => void,
  { install = true, noInit = true }: Installation = {},
): void {
  const suite = (title: string, open: () => Promise<TestDatabase>): void => {
    describe(title, () => {
      let opened: TestDatabase | undefined;
      const database = (): TestDatabase => {
        if (opened === undefined) throw new Error('the database is not open');
        return opened;
      };
      before(async () => {
        opened = await open();
        if (install) await installSchema(opened, { ...OPTIONS, noInit });
      });
      after(async () => {
        await opened?.close();
      });
      define(database);
    });
  };
  suite('embedded engine', openEmbedded);
  for (const installed of testedPostgres()) {
    describe(`PostgreSQL ${installed.version}`, () => {
      let server: TestPostgres | undefined;
      const host = (): string => server?.socketDir ?? '';
      before(async () => {
        server = await startPostgres(installed);
      });
      after(async () => {
        await server?.stop();
      });
      suite('superuser', () => createDatabase(host(), 'superuser'));
      suite('owner of the database', () => createDatabase(host(), 'owner'));
    });
  }
}

export async function openEmbedded(): Promise<TestDatabase> {
  const engine = await PGlite.create();
  return {
    kind: 'embedded',
    exec: (sql) => engine.exec(sql),
    query: async (sql, parameters = []) => (await engine.query<Row>(sql, [...parameters])).rows,
    async listen(channel) {
      const payloads: string[] = [];
      await engine.listen(channel, (payload) => payloads.push(payload));
      return payloads;
    },
    connect: () => Promise.reject(new Error('the embedded engine is one session')),
    administer: () => Promise.reject(new Error('the embedded engine is one session')),
    close: () => engine.close(),
  };
}

async function createDatabase(host: string, kind: 'superuser' | 'owner'): Promise<TestDatabase> {
  const user = kind === 'superuser' ? 'postgres' : 'owner';
  const admin = await connect(host, 'postgres', 'postgres');
  if (kind === 'owner') await admin.exec('create role owner login');
  // Characters that mean something in HTML: the name is shown on a page.
  const name = `test <${kind}>`;
  await admin.exec(`create database "${name}" owner ${user}`);
  await admin.close();
  const session = await connect(host, user, name);
  return {
    ...session,
    kind,
    connect: () => connect(host, user, name),
    administer: () => connect(host, 'postgres', name),
  };
}

async function connect(host: string, user: string, database: string): Promise<TestSession> {
  const client = new Client({ host, user, database });
  await client.connect();
  // A test that failed in a transaction must not hold up the ones after it.
  await client.query("set lock_timeout = '20s'");
  return {
    exec: (sql) => client.query(sql),
    query: async (sql, parameters = []) => (await client.query<Row>(sql, [...parameters])).rows,
    async listen(channel) {
      const payloads: string[] = [];
      client.on('notification', (message) => {
        if (message.channel === channel) payloads.push(message.payload ?? '');
      });
      await client.query(`listen ${client.escapeIdentifier(channel)}`);
      return payloads;
    },
    close: () => client.end(),
  };
}

/** The first row. */
export async function one(
  session: TestSession,
  sql: string,
  parameters?: readonly (string | null)[],
): Promise<Row> {
  const [row] = await session.query(sql, parameters);
  if (row === undefined) throw new Error(`no row: ${sql}`);
  return row;
}

/** The first column of the first row. */
export async function value(
  session: TestSession,
  sql: string,
  parameters?: readonly (string | null)[],
): Promise<unknown> {
  return Object.values(await one(session, sql, parameters))[0];
}
