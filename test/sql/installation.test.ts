// Installation and upgrade of the SQL schema (omni_httpd.md §4).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HowdahError } from '../../src/errors.ts';
import { installSchema } from '../../src/database/schema-installation.ts';
import { readSchemaSource, SQL_DIRECTORY, type SchemaSource } from '../../src/database/schema-migrations.ts';
import { onEachDatabase, one, OPTIONS, value, type TestDatabase } from './databases.ts';

const SOURCE = await readSchemaSource();
const LATEST = SOURCE.migrations.length;

function upTo(number: number, init = SOURCE.init): SchemaSource {
  return { migrations: SOURCE.migrations.slice(0, number), init };
}

async function drop(database: TestDatabase): Promise<void> {
  await database.exec('drop schema if exists howdah, omni_httpd, omni_http, omni_types cascade');
}

function refusal(code: string): (error: unknown) => boolean {
  return (error) => error instanceof HowdahError && error.code === code;
}

onEachDatabase(
  (database) => {
    test('nothing is left of an installation that fails', async () => {
      const broken = { ...SOURCE, init: 'select no_such_function()' };
      await assert.rejects(installSchema(database(), OPTIONS, broken), /no_such_function/);
      const schemas = "select count(*)::int from pg_namespace where nspname in ('howdah', 'omni_httpd')";
      assert.equal(await value(database(), schemas), 0);
    });

    test('a fresh database gets all migrations, recorded with name and hash', async () => {
      assert.deepEqual(await installSchema(database(), OPTIONS), { from: 0, to: LATEST });
      const recorded = await database().query(
        'select number, name, sha256 from howdah.migrations order by number',
      );
      assert.deepEqual(
        recorded,
        SOURCE.migrations.map(({ number, name, sha256 }) => ({ number, name, sha256 })),
      );
    });

    test('installing again changes nothing', async () => {
      const before = await value(database(), 'select howdah.epoch()');
      assert.deepEqual(await installSchema(database(), OPTIONS), { from: LATEST, to: LATEST });
      assert.equal(await value(database(), 'select howdah.epoch()'), before);
    });

    test('with no_init there is no listener and no handler, and unmatched requests fail (§10.3)', async () => {
      const counts = await one(
        database(),
        `select
           (select count(*)::int from omni_httpd.listeners) as listeners,
           (select count(*)::int from omni_httpd.handlers) as handlers,
           (select count(*)::int from omni_httpd.configuration_reloads) as reloads`,
      );
      assert.deepEqual(counts, { listeners: 0, handlers: 0, reloads: 0 });
      await assert.rejects(
        database().query("call omni_httpd.handler(1, omni_httpd.http_request('/'), null)"),
        /subquery/,
      );
    });

    test('no_init does not stay in the session, where it would hide the default router (§15.5)', async () => {
      assert.equal(await value(database(), 'select count(*)::int from omni_httpd.default_router'), 1);
    });

    test('a database of a later version is refused', async () => {
      await assert.rejects(
        installSchema(database(), OPTIONS, upTo(LATEST - 1)),
        refusal('HOWDAH_SCHEMA_NEWER'),
      );
    });

    test('an older schema is upgraded, and its data and OIDs stay', async () => {
      for (let older = LATEST - 1; older >= 4; older--) {
        await drop(database());
        await installSchema(database(), OPTIONS, upTo(older, ''));
        await database().exec(`
          create or replace function stays() returns omni_httpd.http_outcome language sql return omni_httpd.http_response('stays');
          insert into omni_httpd.urlpattern_router values (omni_httpd.urlpattern('/stays'), 'stays'::regproc);
          insert into omni_httpd.listeners (address, port) values ('127.0.0.1', 8099);
          create table if not exists kept (outcome omni_httpd.http_outcome);
          insert into kept select stays();`);
        const handler =
          "select 'omni_httpd.handler(int,omni_httpd.http_request)'::regprocedure::oid::int as oid";
        const before = await value(database(), handler);
        const epoch = Number(await value(database(), 'select howdah.epoch()'));
        assert.deepEqual(await installSchema(database(), { ...OPTIONS, noInit: false }), {
          from: older,
          to: LATEST,
        });
        assert.equal(await value(database(), handler), before);
        assert.ok(Number(await value(database(), 'select howdah.epoch()')) >= epoch);
        const kept = await one(
          database(),
          `select
             (select count(*)::int from omni_httpd.routes where match = '{"pathname": "/stays"}') as routes,
             (select array_agg(port::int) from omni_httpd.listeners) as ports,
             (select convert_from((outcome::omni_httpd.http_response).body, 'UTF8') from kept) as body,
             (select max(number) from howdah.migrations) as version`,
        );
        assert.deepEqual(kept, { routes: 1, ports: [8099], body: 'stays', version: LATEST });
        await database().exec('drop table kept');
      }
    });

    test('what is left where somebody dropped one of the schemas is told, and left alone', async () => {
      await installSchema(database(), OPTIONS);
      await database().exec('drop schema omni_httpd cascade');
      const error: unknown = await installSchema(database(), OPTIONS).catch((thrown: unknown) => thrown);
      assert.ok(error instanceof HowdahError);
      assert.equal(error.code, 'HOWDAH_SCHEMA_INCOMPLETE');
      assert.match(error.message, /schemas that are missing: omni_httpd$/);
      // The hint is what mends it.
      await database().exec(/: (drop schema .*)$/.exec(error.hint)?.[1] ?? '');
      assert.equal((await installSchema(database(), OPTIONS)).from, 0);
    });

    test('schemas of these names that howdah has not made are left alone', async () => {
      await drop(database());
      await database().exec('create schema omni_httpd; create table omni_httpd.theirs (a int)');
      await assert.rejects(installSchema(database(), OPTIONS), refusal('HOWDAH_SCHEMA_OCCUPIED'));
      assert.equal(await value(database(), "select to_regclass('omni_httpd.theirs') is not null"), true);
      await drop(database());
    });

    test('a default installation has a listener, the welcome page, and one reload of its own (§4, §5.3)', async () => {
      const options = { noInit: false, initAddress: '::1', initPort: 0 };
      await installSchema(database(), options);
      const rows = await one(
        database(),
        `select
           (select array_agg(host(address) || ' ' || port || ' ' || effective_port) from omni_httpd.listeners) as listeners,
           (select array_agg(query) from omni_httpd.handlers) as handlers,
           (select array_agg(role_name = current_user) from omni_httpd.handlers) as own,
           (select count(*)::int from omni_httpd.configuration_reloads) as reloads`,
      );
      assert.deepEqual(rows, {
        listeners: ['::1 0 0'],
        handlers: ['SELECT omni_httpd.default_page(request.*::omni_httpd.http_request) FROM request'],
        own: [true],
        reloads: 1,
      });
      const page = await value(database(), "select howdah.catalog() -> 'listeners' -> 0 ->> 'address'");
      assert.equal(page, '::1');
    });

    test('an installation whose options say nothing follows the settings of its session (§4)', async () => {
      const silent = { noInit: false, initAddress: null, initPort: null };
      const listeners =
        "select array_agg(host(address) || ' ' || port) from omni_httpd.listeners where address is not null";
      await drop(database());
      await database().exec(
        "set omni_httpd.init_listen_address = '::1'; set omni_httpd.init_port = '0'; set omni_httpd.no_init = 'off'",
      );
      await installSchema(database(), silent);
      assert.deepEqual(await value(database(), listeners), ['::1 0']);
      await drop(database());
      await database().exec("set omni_httpd.no_init = 'on'");
      await installSchema(database(), silent);
      assert.equal(await value(database(), listeners), null);
      assert.equal(await value(database(), 'select count(*)::int from omni_httpd.handlers'), 0);
      await drop(database());
      await database().exec(
        'reset omni_httpd.init_listen_address; reset omni_httpd.init_port; reset omni_httpd.no_init',
      );
      await installSchema(database(), silent);
      // Where nobody says anything it is reached from this machine only, not from all as with omni_httpd.
      assert.deepEqual(await value(database(), listeners), ['127.0.0.1 8080']);
      await drop(database());
      await assert.rejects(
        database()
          .exec("set omni_httpd.init_port = '70000'")
          .then(() => installSchema(database(), silent)),
        /port_check/,
      );
      await database().exec('reset omni_httpd.init_port');
      await installSchema(database(), { ...OPTIONS, noInit: false });
    });

    test('an address or port that is none is an error, not SQL', async () => {
      await drop(database());
      const options = { noInit: false, initAddress: "127.0.0.1'); drop schema public; --", initPort: 8080 };
      await assert.rejects(installSchema(database(), options), /invalid input syntax for type inet/);
      await assert.rejects(
        installSchema(database(), { ...OPTIONS, noInit: false, initPort: 70_000 }),
        /port_check/,
      );
    });

    test('installers of one database wait for one another', async (t) => {
      if (database().kind === 'embedded') return t.skip('the embedded engine is one session');
      const sessions = await Promise.all([1, 2, 3].map(() => database().connect()));
      const results = await Promise.all(sessions.map((session) => installSchema(session, OPTIONS)));
      assert.deepEqual(
        results.map(({ from }) => from).toSorted((a, b) => a - b),
        [0, LATEST, LATEST],
      );
      for (const session of sessions) await session.close();
    });

    test('the event trigger is there where it may be made', async () => {
      await installSchema(database(), OPTIONS);
      const triggers = await value(
        database(),
        "select count(*)::int from pg_event_trigger where evtname = 'refresh_available_routers'",
      );
      assert.equal(triggers, database().kind === 'owner' ? 0 : 1);
    });
  },
  { install: false },
);

describe('the files of migrations', () => {
  async function withFiles(
    files: Readonly<Record<string, string>>,
    run: (directory: string) => Promise<void>,
  ): Promise<void> {
    const directory = await mkdtemp(join(tmpdir(), 'howdah-sql-'));
    try {
      await mkdir(join(directory, 'schema'));
      await mkdir(join(directory, 'objects'));
      for (const [path, text] of Object.entries(files)) await writeFile(join(directory, path), text);
      await run(directory);
    } finally {
      await rm(directory, { recursive: true });
    }
  }

  test('are put together with what they include, nested and in place', async () => {
    const files = {
      'schema/001_a.sql': 'one;\n\\ir ../objects/x.sql\nthree;\n',
      'objects/x.sql': '\\ir y.sql\ntwo;\n',
      'objects/y.sql': "select '$& $1 \\ir no';\n",
      'init.sql': '',
    };
    await withFiles(files, async (directory) => {
      const { migrations } = await readSchemaSource(directory);
      assert.deepEqual(
        migrations.map(({ number, name, sql }) => ({ number, name, sql: sql.replace(/\n+/g, ' ') })),
        [{ number: 1, name: 'a', sql: "one; select '$& $1 \\ir no'; two; three; " }],
      );
    });
  });

  test('have names that fit and numbers without gaps', async () => {
    await withFiles({ 'schema/001_a.sql': '', 'schema/003_c.sql': '', 'init.sql': '' }, async (directory) => {
      await assert.rejects(readSchemaSource(directory), /003_c\.sql: expected number 2/);
    });
    await withFiles({ 'schema/1_a.sql': '', 'init.sql': '' }, async (directory) => {
      await assert.rejects(readSchemaSource(directory), /not the name of a migration: 1_a\.sql/);
    });
  });

  test('include every object, so that none is forgotten', async () => {
    const schema = join(SQL_DIRECTORY, 'schema');
    const texts = await Promise.all(
      (await readdir(schema)).map((file) => readFile(join(schema, file), 'utf8')),
    );
    const included = new Set(texts.join('').match(/[a-z_]+\.sql$/gm));
    assert.deepEqual(new Set(await readdir(join(SQL_DIRECTORY, 'objects'))), included);
  });
});
