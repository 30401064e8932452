// The deprecated tables of handlers, from which omni_httpd.handler is generated (omni_httpd.md §10).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeOutcome } from '../../src/catalog/outcome.ts';
import { onEachDatabase, value, type TestSession } from './databases.ts';

/** What omni_httpd.handler answers: status and body, or null for no outcome. */
async function answer(
  session: TestSession,
  path: string,
  listener = 1,
): Promise<readonly [number, string] | null> {
  const bytes = await value(
    session,
    `call omni_httpd.handler(${listener}, omni_httpd.http_request('${path}'), null)`,
  );
  if (bytes === null) return null;
  assert.ok(bytes instanceof Uint8Array);
  const outcome = decodeOutcome(Buffer.from(bytes));
  assert.ok(outcome.kind === 'response');
  return [outcome.response.status, String(outcome.response.body)];
}

async function complaint(
  session: TestSession,
  query: string,
): Promise<{ message: string; detail: string | undefined }> {
  try {
    await session.query('insert into omni_httpd.handlers (query) values ($1)', [query]);
  } catch (error) {
    assert.ok(error instanceof Error);
    return {
      message: error.message,
      detail: 'detail' in error ? (error.detail as string | undefined) : undefined,
    };
  }
  throw new Error('it was accepted');
}

onEachDatabase(
  (database) => {
    test('a default installation answers with the welcome page', async () => {
      const [status, page] = (await answer(database(), '/')) ?? [];
      assert.equal(status, 200);
      assert.match(page ?? '', /<!doctype html>[^]*Committed transactions[^]*<\/html>/);
      assert.equal(await answer(database(), '/', 2), null, 'a listener without a handler has no outcome');
    });

    test('the welcome page escapes what the database says', async (t) => {
      if (database().kind === 'embedded')
        return t.skip('its database has a name without such characters, and is the only one');
      const page = (await answer(database(), '/'))?.[1] ?? '';
      assert.ok(page.includes(`<dd>test &lt;${database().kind}&gt;</dd>`), page);
    });

    test('a query that cannot be analysed is refused at the end of the transaction (§10.1)', async () => {
      assert.deepEqual(await complaint(database(), 'select * from no_such_table'), {
        message: 'invalid query',
        detail: 'relation "no_such_table" does not exist',
      });
      assert.deepEqual(await complaint(database(), 'select request.pth from request'), {
        message: 'invalid query',
        detail: 'column request.pth does not exist',
      });
      assert.equal((await complaint(database(), 'select $1')).message, 'invalid query');
      await assert.rejects(
        database().exec("update omni_httpd.handlers set query = 'select nonexistent_function()'"),
        /invalid query/,
      );
      await database().exec(`
        begin;
        insert into omni_httpd.handlers (query) values ('select * from no_such_table');
        create table no_such_table ();
        commit;
        delete from omni_httpd.handlers where query = 'select * from no_such_table';`);
    });

    test('a query is exactly one statement (§10.1)', async () => {
      const one = 'query can only contain one statement';
      for (const query of [
        '',
        ' ',
        ';',
        '-- nothing',
        'select; select',
        'select 1; /* ; */ select 2',
        "select '--'; select 1",
      ]) {
        assert.equal((await complaint(database(), query)).message, one, query);
      }
      assert.match((await complaint(database(), 'selekt 1')).message, /^syntax error at or near "selekt"/);
      const before = await value(database(), 'select max(id) from omni_httpd.handlers');
      for (const query of [
        'select 1;',
        "select ';' -- ;",
        'select $$;$$, $a$;$$;$a$, "x;" from (select 1 as "x;") as t /* ; /* ; */ ; */ ;',
        "select E'\\';', 'a''; b'",
        'with recursive r as (select 1) select omni_httpd.abort() from r, request',
        '/* c */ with r as (select path from request) select path from r',
        'values (1)',
      ]) {
        await database().query('insert into omni_httpd.handlers (query) values ($1)', [query]);
      }
      await database().query('delete from omni_httpd.handlers where id > $1::int', [String(before)]);
    });

    test('a query is analysed and not executed', async () => {
      await database().exec(`
        create sequence drawn;
        insert into omni_httpd.handlers (query) values ('select nextval(''drawn'')');
        delete from omni_httpd.handlers where query like '%drawn%'`);
      assert.equal(await value(database(), 'select is_called from drawn'), false);
    });

    test('the first of the handlers of a listener that gives a row answers (§10.2)', async () => {
      const query = await value(
        database(),
        `select omni_httpd.cascading_query(name, query order by priority desc nulls last)
         from (values
           ('test', $$SELECT omni_httpd.http_response(body => 'test') FROM request WHERE request.path = '/test'$$, 2),
           ('ping', $$SELECT omni_httpd.http_response(body => 'pong') FROM request WHERE request.path = '/ping'$$, 1)
         ) as routes (name, query, priority)`,
      );
      assert.equal(
        query,
        "WITH test AS (SELECT omni_httpd.http_response(body => 'test') FROM request WHERE request.path = '/test'), " +
          "ping AS (SELECT omni_httpd.http_response(body => 'pong') FROM request WHERE request.path = '/ping') " +
          'SELECT * FROM test UNION ALL SELECT * FROM ping WHERE NOT EXISTS (SELECT FROM test)',
      );
      await database().query('update omni_httpd.handlers set query = $1', [query]);
      assert.deepEqual(await answer(database(), '/test'), [200, 'test']);
      assert.deepEqual(await answer(database(), '/ping'), [200, 'pong']);
      assert.equal(await answer(database(), '/other'), null);
    });

    test('cascading_query refuses nulls, and gives SELECT for no rows (§10.2)', async () => {
      await assert.rejects(
        database().query("select omni_httpd.cascading_query(null, 'q')"),
        /name can't be NULL/,
      );
      await assert.rejects(
        database().query("select omni_httpd.cascading_query('n', null)"),
        /query can't be NULL/,
      );
      assert.equal(
        await value(database(), "select omni_httpd.cascading_query('n', 'q') where false"),
        'SELECT',
      );
    });

    test('several handlers of one role are functions that are called in turn (§10.3)', async () => {
      await database().exec(`
        with handler as (
          insert into omni_httpd.handlers (query)
          values ('select omni_httpd.http_response(path || ''!'') from request where path = ''/second'' -- end')
          returning id
        )
        insert into omni_httpd.listeners_handlers select listeners.id, handler.id from omni_httpd.listeners, handler`);
      assert.deepEqual(await answer(database(), '/test'), [200, 'test']);
      assert.equal(
        await value(database(), "select count(*)::int from pg_proc where proname ~ '^handler_1_'"),
        2,
      );
      await database().exec('delete from omni_httpd.listeners_handlers where handler_id = 1');
      assert.deepEqual(await answer(database(), '/second'), [200, '/second!']);
    });

    test('the handler runs as the role of its row, which cannot be left (§10.3)', async () => {
      // Roles are of all databases of a server.
      const role = `plain_${database().kind}`;
      // Who may not make roles is given one that he may become.
      const admin = database().kind === 'owner' ? await database().administer() : null;
      await (admin ?? database()).exec(`create role ${role}`);
      await admin?.exec(`grant ${role} to owner`);
      await admin?.close();
      await database().exec(`
        delete from omni_httpd.listeners_handlers;
        delete from omni_httpd.handlers;
        grant usage on schema omni_httpd, omni_http to ${role};
        create function leave() returns text language plpgsql as $$
          begin reset role; return 'left'; exception when others then return 'stayed'; end $$;
        insert into omni_httpd.handlers (query, role_name)
          values ('select omni_httpd.http_response(current_user || '' '' || leave()) from request', '${role}');
        insert into omni_httpd.listeners_handlers
          select listeners.id, handlers.id from omni_httpd.listeners, omni_httpd.handlers;`);
      assert.deepEqual(await answer(database(), '/'), [200, `${role} stayed`]);
      // The same where each handler is a function of its own.
      await database().exec(`
        insert into omni_httpd.handlers (query, role_name) values ('select null::omni_httpd.http_outcome from request where false', '${role}');
        insert into omni_httpd.listeners_handlers select 1, max(id) from omni_httpd.handlers`);
      assert.deepEqual(await answer(database(), '/'), [200, `${role} stayed`]);
      assert.equal(
        await value(database(), `select has_schema_privilege('${role}', 'omni_httpd', 'create')`),
        false,
      );
    });

    test('a role that the current user may not use is refused (role.yml)', async () => {
      await assert.rejects(
        database().exec("update omni_httpd.handlers set role_name = 'no_such_role'"),
        /violates check constraint "handlers_role_name_check"/,
      );
    });

    test('so is one that the current user is no member of', async (t) => {
      if (database().kind !== 'owner') return t.skip('a superuser may use every role');
      await assert.rejects(
        database().exec("update omni_httpd.handlers set role_name = 'postgres'"),
        /violates check constraint "handlers_role_name_check"/,
      );
    });

    test('without handlers, what nothing matches fails; the procedure keeps its OID (§10.3)', async () => {
      const oid = "select 'omni_httpd.handler(int,omni_httpd.http_request)'::regprocedure::oid::int";
      const before = await value(database(), oid);
      await database().exec('truncate omni_httpd.listeners_handlers, omni_httpd.handlers');
      await assert.rejects(answer(database(), '/'), /subquery must return only one column/);
      assert.equal(await value(database(), oid), before);
    });

    test('the procedure may be replaced by hand (null.yml)', async () => {
      await database().exec(`
        create or replace procedure omni_httpd.handler(int, omni_httpd.http_request, out omni_httpd.http_outcome)
        language plpgsql as $$ begin end $$`);
      assert.equal(await answer(database(), '/'), null);
    });
  },
  { noInit: false },
);
