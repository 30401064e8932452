// The epoch: which changes raise it, how often, and that writers do not wait for one another.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onEachDatabase, value, type TestDatabase, type TestSession } from './databases.ts';

async function epoch(session: TestSession): Promise<number> {
  return Number(await value(session, 'select howdah.epoch()'));
}

/** By how much `sql`, run by itself, raises the epoch. */
async function raise(session: TestSession, sql: string): Promise<number> {
  const before = await epoch(session);
  await session.exec(sql);
  return (await epoch(session)) - before;
}

/** Whether `sql` raises the epoch at once (event trigger) or, where there is none, when DDL is looked for. */
async function followed(database: TestDatabase, sql: string): Promise<boolean> {
  const before = await epoch(database);
  await database.exec(sql);
  if (database.kind === 'owner') {
    assert.equal(await epoch(database), before, 'without an event trigger nothing tells of DDL');
    assert.equal(await value(database, 'select howdah.discover_routers()'), true);
  }
  return (await epoch(database)) > before;
}

const INSERT =
  "insert into omni_httpd.urlpattern_router values (omni_httpd.urlpattern('/' || random()), 'known'::regproc)";
const KNOWN = `create or replace function known() returns omni_httpd.http_outcome
  language sql return omni_httpd.abort()`;

onEachDatabase((database) => {
  test('every kind of change of a router, a listener or a role raises it', async () => {
    await database().exec(KNOWN);
    assert.equal(await raise(database(), INSERT), 1);
    await database().query('select howdah.discover_routers()');
    assert.equal(await raise(database(), 'update omni_httpd.urlpattern_router set match = match'), 1);
    assert.equal(await raise(database(), 'delete from omni_httpd.urlpattern_router'), 1);
    assert.equal(await raise(database(), 'truncate omni_httpd.urlpattern_router'), 1);
    assert.equal(await raise(database(), 'insert into omni_httpd.listeners (port) values (0)'), 1);
    assert.equal(await raise(database(), 'delete from omni_httpd.listeners'), 1);
    const grant =
      "insert into omni_httpd.handler_role select 'known'::regproc, oid from pg_roles where rolname = current_user";
    assert.equal(await raise(database(), grant), 1);
    assert.equal(await raise(database(), 'delete from omni_httpd.handler_role'), 1);
  });

  test('a transaction raises it once, and one that is rolled back not at all', async () => {
    assert.equal(await raise(database(), `begin; ${INSERT}; ${INSERT}; ${INSERT}; commit`), 1);
    assert.equal(await raise(database(), `begin; ${INSERT}; rollback`), 0);
    assert.equal(await raise(database(), `begin; savepoint s; ${INSERT}; rollback to s; commit`), 0);
    assert.equal(
      await raise(database(), `begin; savepoint s; ${INSERT}; rollback to s; ${INSERT}; commit`),
      1,
    );
    assert.equal(await raise(database(), `begin; savepoint s; ${INSERT}; release s; ${INSERT}; commit`), 1);
  });

  test('in a single session the notification carries the epoch that was committed', async () => {
    const payloads = await database().listen('howdah_catalog');
    const before = payloads.length;
    await database().exec(`begin; ${INSERT}; ${INSERT}; commit`);
    const committed = await epoch(database());
    await value(database(), 'select 1');
    assert.deepEqual(payloads.slice(before), [String(committed)]);
    await database().exec(`begin; ${INSERT}; rollback`);
    assert.equal(payloads.length, before + 1);
    await database().exec('unlisten *');
  });

  test('writers do not wait for one another, and each counts', async (t) => {
    if (database().kind === 'embedded') return t.skip('the embedded engine is one session');
    const before = await epoch(database());
    const sessions = await Promise.all([1, 2, 3].map(() => database().connect()));
    for (const session of sessions) {
      await session.exec("set lock_timeout = '10s'; begin");
      await session.exec(INSERT);
      assert.equal(await epoch(session), before + 1);
    }
    assert.equal(await epoch(database()), before);
    for (const [i, session] of sessions.entries()) {
      await session.exec('commit');
      assert.equal(await epoch(database()), before + i + 1);
      await session.close();
    }
  });

  test('a writer with an older snapshot is not failed by another', async (t) => {
    if (database().kind === 'embedded') return t.skip('the embedded engine is one session');
    for (const level of ['repeatable read', 'serializable']) {
      const other = await database().connect();
      const before = await epoch(database());
      await other.exec(`begin isolation level ${level}`);
      await other.query('select 1 from pg_class limit 1');
      await database().exec(INSERT);
      await other.exec(INSERT);
      await other.exec('commit');
      assert.equal(await epoch(database()), before + 2);
      await other.close();
    }
  });

  test('slots that older snapshots leave are put together without a change of the sum', async () => {
    for (let i = 0; i < 40; i++)
      await database().exec(`begin isolation level repeatable read; ${INSERT}; commit`);
    await database().query('select howdah.poll_catalog()');
    const before = await epoch(database());
    const slots = Number(await value(database(), 'select count(*) from howdah.epoch_slot'));
    assert.ok(slots <= 32, `${slots} slots`);
    assert.equal(await raise(database(), INSERT), 1);
    assert.equal(await epoch(database()), before + 1);
  });

  test('a new router is found, and followed', async () => {
    assert.ok(await followed(database(), 'create table one (like omni_httpd.urlpattern_router, extra text)'));
    const rows = await database().query(
      "select match_col_idx, handler_col_idx, priority_col_idx, handler_col_name::text from omni_httpd.available_routers where router_relation = 'one'::regclass",
    );
    assert.deepEqual(rows, [
      { match_col_idx: 1, handler_col_idx: 2, priority_col_idx: null, handler_col_name: 'handler' },
    ]);
    assert.equal(
      await raise(database(), "insert into one values (omni_httpd.urlpattern('/'), 'known'::regproc)"),
      1,
    );
  });

  test('what is no router is not found (§7.1)', async () => {
    await database().exec(`
      create table two_matches (a omni_httpd.urlpattern, b omni_httpd.urlpattern, h regprocedure);
      create table two_handlers (a omni_httpd.urlpattern, g regprocedure, h regprocedure);
      create table two_priorities (a omni_httpd.urlpattern, h regprocedure, p omni_httpd.route_priority, q omni_httpd.route_priority);
      create table no_handler (a omni_httpd.urlpattern);
      create temporary table passing (like omni_httpd.urlpattern_router);
      create index on one (match, handler);`);
    await database().query('select howdah.discover_routers()');
    const names = await database().query(
      'select router_relation::text as name from omni_httpd.available_routers order by 1',
    );
    assert.deepEqual(
      names.map(({ name }) => name),
      ['omni_httpd.default_router', 'omni_httpd.urlpattern_router', 'one'],
    );
  });

  test('a router is followed through a change of its columns, a dropped one included', async () => {
    assert.ok(await followed(database(), 'alter table one add column priority omni_httpd.route_priority'));
    assert.ok(await followed(database(), 'alter table one drop column extra'));
    assert.ok(await followed(database(), 'alter table one rename column match to pattern'));
    const routes = await value(
      database(),
      'select jsonb_path_query_array(howdah.catalog(), \'$.routes[*] ? (@.router == "public.one").row\')',
    );
    const [row] = routes as string[];
    assert.ok(row !== undefined);
    const read = await value(
      database(),
      'select (literal).pattern = pattern from one, (select $1::one as literal) as given',
      [row],
    );
    assert.equal(read, true);
    assert.ok(await followed(database(), 'alter table one rename to uno'));
    assert.ok(await followed(database(), 'drop table uno'));
  });

  test('the functions of routes are followed', async () => {
    await database().query('select howdah.discover_routers()');
    assert.ok(
      await followed(
        database(),
        'create or replace function known() returns omni_httpd.http_outcome language sql stable return omni_httpd.abort()',
      ),
    );
    await database().query('select howdah.discover_routers()');
    assert.ok(await followed(database(), 'drop function known()'));
    await database().exec(`${KNOWN}; delete from omni_httpd.urlpattern_router; ${INSERT}`);
    await database().query('select howdah.discover_routers()');
    assert.ok(
      await followed(database(), 'create schema elsewhere; alter function known() set schema elsewhere'),
    );
    assert.ok(await followed(database(), 'drop schema elsewhere cascade'));
    await database().exec(KNOWN);
  });

  test('DDL that concerns no route raises nothing', async () => {
    await database().query('select howdah.discover_routers()');
    assert.equal(await raise(database(), 'create table plain (a int)'), 0);
    assert.equal(await raise(database(), 'create function plain() returns int language sql return 1'), 0);
    assert.equal(await raise(database(), 'drop function plain(); drop table plain'), 0);
    assert.equal(await value(database(), 'select howdah.discover_routers()'), false);
  });

  test('partitions are no routers of their own, and followed where they are written to directly', async () => {
    assert.ok(
      await followed(
        database(),
        `create table parts (tenant int, match omni_httpd.urlpattern, handler regprocedure) partition by list (tenant);
         create table part_one partition of parts for values in (1);`,
      ),
    );
    await database().query('select howdah.discover_routers()');
    const routers = await value(
      database(),
      "select count(*)::int from omni_httpd.available_routers where router_relation::text like 'part%'",
    );
    assert.equal(routers, 1);
    assert.equal(
      await raise(
        database(),
        "insert into part_one values (1, omni_httpd.urlpattern('/p'), 'known'::regproc)",
      ),
      1,
    );
    assert.equal(
      await raise(database(), "insert into parts values (1, omni_httpd.urlpattern('/q'), 'known'::regproc)"),
      1,
    );
    await database().exec('create table part_two partition of parts for values in (2)');
    await database().query('select howdah.poll_catalog()');
    assert.equal(
      await raise(
        database(),
        "insert into part_two values (2, omni_httpd.urlpattern('/r'), 'known'::regproc)",
      ),
      1,
    );
    await followed(database(), 'drop table parts');
  });

  test('the tables behind a router that is a view are followed', async () => {
    await database().exec('create table behind (path text)');
    assert.ok(
      await followed(
        database(),
        `create view between as select path from behind where path <> '';
         create view shown as select omni_httpd.urlpattern(path) as match, 'known()'::regprocedure as handler from between`,
      ),
    );
    assert.equal(await raise(database(), "insert into behind values ('/v')"), 1);
    const matches = await value(
      database(),
      'select jsonb_path_query_array(howdah.catalog(), \'$.routes[*] ? (@.router == "public.shown").match\')',
    );
    assert.deepEqual(matches, [{ pathname: '/v' }]);
    await followed(database(), 'drop view shown');
  });

  test('what no trigger tells is found by a poll, and listed with the reason', async () => {
    await database().exec(`
      create table hidden (path text);
      create function paths() returns setof text language plpgsql stable as $$ begin return query table hidden; end $$;
      create view computed as
        select omni_httpd.urlpattern(path) as match, 'known()'::regprocedure as handler from paths() as path;
      create materialized view stored as
        select omni_httpd.urlpattern(path) as match, 'known()'::regprocedure as handler from hidden;`);
    await database().query('select howdah.poll_catalog()');
    const reasons = await database().query(
      'select router::text, reason from howdah.polled_routers order by 1',
    );
    assert.deepEqual(reasons, [
      { router: 'computed', reason: 'public.computed reads functions' },
      { router: 'stored', reason: 'public.stored is a materialized view' },
    ]);
    assert.equal(await value(database(), 'select howdah.poll_catalog()'), false);
    await database().exec("alter table hidden disable trigger all; insert into hidden values ('/h')");
    const before = await epoch(database());
    assert.equal(await value(database(), 'select howdah.poll_catalog()'), true);
    assert.equal(await epoch(database()), before + 1);
    assert.equal(await value(database(), 'select howdah.poll_catalog()'), false);
    await database().exec('drop materialized view stored; drop view computed');
    await database().query('select howdah.poll_catalog()');
    assert.equal(await value(database(), 'select count(*)::int from howdah.polled_routers'), 0);
  });
});
