// docs/managed-postgres.md as a reader follows it, as an ordinary role on a PostgreSQL server: its blocks, in their order.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { Client } from 'pg';
import { runHowdah, startServe, temporaryDirectory } from '../cli/howdah-process.ts';
import { availablePostgres, startPostgres } from '../support/postgres.ts';

const PAGE = new URL('../../docs/managed-postgres.md', import.meta.url);

/** The address in the page, in whose place that of the test's server is put. */
const ADDRESS = '@db.example/app?sslmode=verify-full';

const blocks = (language: string): string[] =>
  [...readFileSync(PAGE, 'utf8').matchAll(new RegExp('```' + language + '\\n([^]*?)```', 'g'))].map(
    ([, text = '']) => text,
  );

const [postgres] = availablePostgres();

it(
  'docs/managed-postgres.md leads an ordinary role to a server that serves',
  { skip: postgres === undefined && 'no PostgreSQL is installed', timeout: 120_000 },
  async () => {
    const [makeRole = '', useOptions = ''] = blocks('sql');
    const [serve = ''] = blocks('sh');
    assert.match(makeRole, /create role app login/);
    assert.match(useOptions, /howdah\.handler_options/);
    const named = /^howdah serve --database '(\S+)'$/m.exec(serve)?.[1] ?? '';
    assert.ok(named.endsWith(ADDRESS), `${named} is not at ${ADDRESS}`);

    using directory = temporaryDirectory();
    const server = await startPostgres(postgres);
    try {
      const { socketDir: host, port } = server;
      const url = named.replace(ADDRESS, `@/app?host=${encodeURIComponent(host)}`);
      const administrator = new Client({ host, port, user: 'postgres', database: 'postgres' });
      await administrator.connect();
      for (const statement of makeRole.split(';'))
        if (statement.trim() !== '') await administrator.query(statement);
      const { rows: roles } = await administrator.query(
        "select rolsuper, rolcreaterole, rolcreatedb from pg_roles where rolname = 'app'",
      );
      await administrator.end();
      assert.deepEqual(roles, [{ rolsuper: false, rolcreaterole: false, rolcreatedb: false }]);

      const doctor = await runHowdah(['doctor', '--database', url], { cwd: directory.path });
      assert.equal(doctor.code, 0, doctor.out + doctor.err);
      await using served = await startServe(['--database', url], { cwd: directory.path });
      const app = new Client({ host, port, user: 'app', database: 'app' });
      await app.connect();
      await app.query(useOptions);
      await app.query(
        `insert into omni_httpd.urlpattern_router (match, handler)
         values (omni_httpd.urlpattern('/transfer'), 'transfer'::regproc)`,
      );
      await app.end();
      const response = await fetch(new URL('/transfer', served.url));
      assert.deepEqual([response.status, await response.text()], [200, 'done']);
    } finally {
      await server.stop();
    }
  },
);
