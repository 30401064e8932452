// Handlers that run as their role in omni_httpd.handler_role: what stands in for them, what they cannot do, and why some are refused
// (omni_httpd.md §8.3).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CatalogRows } from '../../src/catalog/catalog-rows.ts';
import { compileRoute, functionCall } from '../../src/catalog/sql-route.ts';
import { onEachDatabase, value, type TestDatabase } from './databases.ts';

const SCHEMA = `
create schema app;
create table app.routes (like omni_httpd.urlpattern_router);
create table app.log (entry text, who text default current_user);
create function app.who() returns omni_httpd.http_outcome language plpgsql as $$
begin return omni_httpd.http_response(current_user || ' ' || session_user); end $$;
create function app.leaves(omni_httpd.http_request) returns omni_httpd.http_outcome language plpgsql as $$
declare
  said text := '';
  way text;
begin
  foreach way in array array['reset role', 'set role none', 'set local role none', 'reset session authorization',
    'set session authorization default', 'reset all', 'discard all', format('set role %I', session_user)]
  loop
    begin
      execute way;
      said := said || way || ': ' || current_user || '; ';
    exception when others then
      null;
    end;
  end loop;
  return omni_httpd.http_response(said || current_user);
end $$;
create function app.fails(omni_httpd.http_request) returns omni_httpd.http_outcome language plpgsql as $$
begin raise exception 'as %', current_user; end $$;
create function app.nothing(omni_httpd.http_request) returns void language plpgsql as $$
begin insert into app.log (entry) values ('nothing'); end $$;
create function app.middle(inout outcome omni_httpd.http_outcome) language plpgsql as $$
begin
  outcome := omni_httpd.http_response(
    current_user || ' after ' || coalesce(convert_from((outcome::omni_httpd.http_response).body, 'utf8'), 'nothing'));
end $$;
create function app.two(inout outcome omni_httpd.http_outcome, out extra text) language plpgsql as $$
begin extra := 'x'; outcome := omni_httpd.http_response('two ' || current_user); end $$;
create procedure app.plain(int, out extra text, inout outcome omni_httpd.http_outcome, route app.routes) language plpgsql as $$
begin
  outcome := omni_httpd.http_response(format('%s %s %s', current_user, $1, (route.match).pathname));
end $$;
create procedure app.commits(out outcome omni_httpd.http_outcome) language plpgsql as $$
begin commit; outcome := omni_httpd.http_response(current_user::text); end $$;
create procedure app.says_commit(out outcome omni_httpd.http_outcome) language plpgsql as $$
begin -- no commit
  outcome := omni_httpd.http_response('commit' || current_user /* rollback */); end $$;
create function app.defers(omni_httpd.http_request) returns omni_httpd.http_outcome language plpgsql as $$
begin
  create temporary table deferring (a int);
  create constraint trigger later after insert on deferring deferrable initially deferred
    for each row execute function app.writes_who();
  insert into deferring values (1);
  return omni_httpd.http_response('deferred');
end $$;
create function app.writes_who() returns trigger language plpgsql as $$
begin insert into app.log (entry, who) values ('deferred', current_user); return null; end $$;
create function app.holds(omni_httpd.http_request) returns omni_httpd.http_outcome language plpgsql as $$
begin
  execute 'declare held cursor with hold for select app.log_who()';
  return omni_httpd.http_response('held');
end $$;
create function app.log_who() returns text language plpgsql as $$
begin insert into app.log (entry, who) values ('held', current_user); return ''; end $$;
grant usage on schema app, omni_httpd, omni_http to other;
grant select, insert on app.log to other;
`;

onEachDatabase((database) => {
  /** A role that `other` is to be, and who serves is a member of. */
  async function prepare(target: TestDatabase): Promise<void> {
    // The databases of one server share it.
    const roles = `do $$ begin
      if to_regrole('other') is null then create role other; create role stranger; end if; end $$`;
    if (target.kind === 'owner') {
      const admin = await target.administer();
      await admin.exec(`${roles}; grant other to owner; grant temporary on database "test <owner>" to other`);
      await admin.close();
    } else {
      await target.exec(roles);
    }
    await target.exec(SCHEMA);
    await target.query('select howdah.discover_routers()');
  }

  async function catalog(): Promise<CatalogRows> {
    return (await value(database(), 'select howdah.catalog()')) as CatalogRows;
  }

  /** Makes `handler` the only route, run as `role`. */
  async function route(handler: string, role = 'other'): Promise<void> {
    await database().exec(
      `delete from app.routes; delete from omni_httpd.handler_role;
       insert into app.routes values (omni_httpd.urlpattern('/there'), 'app.${handler}'::regproc);
       insert into omni_httpd.handler_role values ('app.${handler}'::regproc, '${role}')`,
    );
  }

  /** What the route answers when it is called as the catalog has it. */
  async function answer(outcome = 'null'): Promise<string> {
    const { routes, problems } = await catalog();
    const row = routes.find(({ router }) => router === 'app.routes');
    assert.ok(row, JSON.stringify(problems));
    const compiled = compileRoute(row);
    assert.ok(!('problem' in compiled), JSON.stringify(compiled));
    assert.equal(compiled.isProcedure, false);
    const call = functionCall(compiled, {
      request: () => "omni_httpd.http_request('/there')",
      listener: () => '17',
      group: (_, { name }) => `null::text /* ${name} */`,
      row: () => `'${row.row.replaceAll("'", "''")}'::app.routes`,
      outcome: () => `${outcome}::omni_httpd.http_outcome`,
    });
    return String(
      await value(
        database(),
        `select coalesce(convert_from((answer.o::omni_httpd.http_response).body, 'utf8'), 'null') from (select ${call} as o) answer`,
      ),
    );
  }

  async function problem(): Promise<string | undefined> {
    const { routes, problems } = await catalog();
    assert.equal(
      routes.find(({ router }) => router === 'app.routes'),
      undefined,
    );
    return problems.find(({ router }) => router === 'app.routes')?.problem;
  }

  const me = async (): Promise<string> => String(await value(database(), 'select current_user'));

  test('a function runs as its role, and who called it is himself again', async () => {
    await prepare(database());
    await route('who');
    assert.match(await answer(), /^other /);
    await database().exec('delete from omni_httpd.handler_role');
    assert.match(await answer(), new RegExp(`^${await me()} `));
  });

  test('it has no way out of its role', async () => {
    await route('leaves');
    // RESET ALL is allowed and changes no role.
    assert.equal(await answer(), 'reset all: other; other');
  });

  test('an error in it ends the role', async () => {
    await route('fails');
    await assert.rejects(answer(), /as other/);
    assert.equal(await value(database(), 'select current_user = session_user'), true);
  });

  test('what it leaves for the commit runs as its role', async () => {
    await database().exec('truncate app.log');
    for (const handler of ['defers', 'holds']) {
      await route(handler);
      await answer();
    }
    assert.deepEqual(
      await database().query('select entry, who from app.log'),
      [{ entry: 'deferred', who: 'other' }],
      'the trigger ran before the function was left, and the cursor was closed',
    );
    await database().exec('discard temp; close all');
  });

  test('middleware, functions without an outcome and with several results run as their role', async () => {
    await route('middle');
    assert.equal(await answer(), 'other after nothing');
    assert.equal(await answer("omni_httpd.http_response('x')"), 'other after x');
    await route('two');
    assert.equal(await answer(), 'two other');
    await route('nothing');
    assert.equal(await answer(), 'null');
    assert.equal(await value(database(), "select who from app.log where entry = 'nothing'"), 'other');
  });

  test('a procedure that does not commit runs as its role, as part of the transaction', async () => {
    await route('plain');
    assert.equal(await answer(), 'other 17 /there');
    await route('says_commit');
    assert.equal(await answer(), 'commitother');
  });

  test('a procedure that commits is refused, with the reason', async () => {
    await route('commits');
    assert.match(
      (await problem()) ?? '',
      /^a procedure that commits or rolls back cannot be held to the role other/,
    );
  });

  test('a handler that is replaced by one that may be held to its role is taken in', async () => {
    await database().exec(
      `create or replace procedure app.commits(out outcome omni_httpd.http_outcome) language plpgsql as $$
       begin outcome := omni_httpd.http_response('no more, ' || current_user); end $$`,
    );
    if (database().kind === 'owner')
      assert.equal(await value(database(), 'select howdah.discover_routers()'), true);
    assert.equal(await answer(), 'no more, other');
  });

  test('rights that are missing are named, and found when they are granted', async () => {
    await route('who');
    await database().exec('revoke usage on schema app from other');
    await database().query('select howdah.discover_routers()');
    assert.equal(
      await problem(),
      'the role other has no right to the schema of the handler: grant usage on schema app to other',
    );
    await database().exec('grant usage on schema app to other; revoke usage on schema omni_httpd from other');
    await database().query('select howdah.discover_routers()');
    assert.equal(
      await problem(),
      'the role other has no right to the types of handlers: grant usage on schema omni_http, omni_httpd to other',
    );
    await database().exec(
      'grant usage on schema omni_httpd to other; revoke execute on function app.who() from public',
    );
    await database().query('select howdah.discover_routers()');
    assert.equal(
      await problem(),
      'the role other may not call the handler: grant execute on routine app.who() to other',
    );
    await database().exec('grant execute on function app.who() to other');
    assert.equal(await value(database(), 'select howdah.discover_routers()'), true);
    assert.match(await answer(), /^other /);
    assert.equal(await value(database(), 'select howdah.discover_routers()'), false);
  });

  test('a role that who serves is no member of is refused, with the grant that mends it', async (t) => {
    if (database().kind !== 'owner') return t.skip('a superuser may act as every role');
    await route('who', 'stranger');
    assert.equal(
      await problem(),
      'owner may not act as the role stranger of omni_httpd.handler_role: grant stranger to owner',
    );
  });

  test('a stand-in can be called by nobody else, and is gone with its row', async () => {
    await route('who');
    const standIns = `select count(*)::int from pg_proc where proname ~ '^handler_stand_in_'`;
    assert.equal(await value(database(), standIns), 1);
    assert.equal(
      await value(
        database(),
        `select bool_or(has_function_privilege('public', oid, 'execute')) from pg_proc where proname ~ '^handler_stand_in_'`,
      ),
      false,
    );
    assert.equal(await value(database(), `select has_schema_privilege('other', 'howdah', 'create')`), false);
    await database().exec('drop owned by other');
    await database().exec(
      'grant usage on schema app, omni_httpd, omni_http to other; grant insert on app.log to other; grant execute on function app.who() to other',
    );
    await database().query('select howdah.discover_routers()');
    assert.match((await problem()) ?? '', /^the function that runs it as other was dropped/);
    await database().exec('update omni_httpd.handler_role set role = role');
    assert.match(await answer(), /^other /);
    await database().exec('truncate omni_httpd.handler_role');
    assert.equal(await value(database(), standIns), 0);
    assert.equal(await value(database(), 'select count(*)::int from howdah.stand_ins'), 0);
  });
});
