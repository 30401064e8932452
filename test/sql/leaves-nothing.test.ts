// Which functions are known to leave nothing in their session (sql/objects/leaves_nothing.sql), so that calls of them share statements.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onEachDatabase, value } from './databases.ts';

onEachDatabase((database) => {
  /** Creates `f()` and what it needs; says whether f leaves nothing, and drops all. */
  const leavesNothing = async (definitions: string): Promise<unknown> => {
    await database().exec(
      `create schema probe; set search_path = probe, public; ${definitions}; set search_path to default`,
    );
    try {
      return await value(
        database(),
        "select 'probe.f'::regproc::oid in (select howdah.leaving_nothing(array['probe.f'::regproc::oid])) as found",
      );
    } finally {
      await database().exec('reset search_path; drop schema probe cascade');
    }
  };
  const sql = (body: string): string =>
    `create function f() returns text stable language sql as $f$ ${body} $f$`;
  const g = (body: string): string => `create function g() returns text language sql as $g$ ${body} $g$`;
  const SETTING = "select set_config('app.user', 'ada', true)";

  test('a function that reads does', async () => {
    const table = 'create table items (id int primary key, name text)';
    for (const definitions of [
      sql("select 'a'"),
      `${table}; ${sql('select name from items where id = 1')}`,
      `${table}; create function f() returns text stable language sql return (select max(name) from probe.items)`,
      `${table}; create function f() returns text stable language plpgsql as
        $f$ begin return (select string_agg(name, ',') from probe.items); end $f$`,
      `${g("select current_setting('app.user', true)")}; ${sql('select g()')}`,
      `create view v as select 1 as x; ${sql('select x::text from v')}`,
      `create function f() returns omni_httpd.http_outcome stable language sql
        return omni_httpd.http_response('a', headers => array[omni_http.http_header('x', 'y')])`,
      `create function f() returns omni_httpd.http_outcome stable language plpgsql as
        $f$ begin if true then perform howdah.fail(404); end if; return howdah.redirect('/'); end $f$`,
    ]) {
      assert.equal(await leavesNothing(definitions), true, definitions);
    }
  });

  test('a function that may change a setting or take a lock does not, however it comes to it', async () => {
    const setting = g(SETTING);
    for (const definitions of [
      sql(SETTING),
      sql(SETTING.toUpperCase()),
      sql("select \"set_config\"('a.b', 'c', true)"),
      sql("select U&\"\\0073et_config\"('a.b', 'c', true)"),
      sql('select pg_advisory_lock(1)::text'),
      "create function f() returns text stable language sql return set_config('a.b', 'c', true)",
      "create function f() returns text stable language plpgsql as $f$ begin execute 'select 1'; return 1; end $f$",
      `${setting}; ${sql('select g()')}`,
      `${setting}; create function h() returns text language sql as $h$ select probe.g() $h$; ${sql('select h()')}`,
      `${setting}; create function f() returns text stable language sql return probe.g()`,
      `create function "the G"() returns text language sql as $g$ ${SETTING} $g$; ${sql('select "the G"()')}`,
      `create function "G" () returns text language sql as $g$ ${SETTING} $g$; ${sql('select "G"()')}`,
      `create function größe () returns text language sql as $g$ ${SETTING} $g$; ${sql('select größe()')}`,
      // The names of others lead to it.
      `${setting}; create view v as select probe.g() as x; ${sql('select x from v')}`,
      `create view v as ${SETTING} as x; ${sql('select x from v')}`,
      `${setting}; create function h(x text default probe.g()) returns text language sql as $h$ select x $h$; ${sql('select h()')}`,
      `create table items (name text); alter table items enable row level security;
        create policy p on items using (set_config('a.b', 'c', true) is not null); ${sql('select name from items')}`,
      `create function step(text, text) returns text immutable language sql as $g$ ${SETTING} $g$;
        create aggregate total (text) (sfunc = step, stype = text); ${sql("select total('a')")}`,
      // Nothing in its body does.
      `create function less(text, text) returns bool language sql as $g$ select set_config('a.b', 'c', true) is null $g$;
        create operator <<< (leftarg = text, rightarg = text, function = less); ${sql("select ('a' <<< 'b')::text")}`,
      `create type pair as (a text); create function text_of(pair) returns text language sql as $g$ ${SETTING} $g$;
        create cast (pair as text) with function text_of(pair); ${sql("select row('a')::probe.pair::text")}`,
      `create domain checked as text check (set_config('a.b', value, true) is not null); ${sql("select 'a'::probe.checked::text")}`,
      `create function probe.checks(text) returns bool language sql as $g$ select set_config('a.b', $1, true) is not null $g$;
        create domain checked as text check (checks(value)); ${sql("select 'a'::probe.checked::text")}`,
    ]) {
      assert.equal(await leavesNothing(definitions), false, definitions);
    }
  });

  test('one that does not is no reason against another', async () => {
    await database().exec(`create schema probe;
      create function probe.setting() returns text stable language sql as $f$ ${SETTING} $f$;
      create function probe.loop() returns text stable language plpgsql as $f$ begin return probe.loop(); end $f$;
      create function probe.reading() returns text stable language sql as $f$ select 'a' $f$`);
    const found = await value(
      database(),
      `select array_agg(f::regproc::text order by f::regproc::text)::text[] from howdah.leaving_nothing(
        array['probe.setting', 'probe.reading', 'probe.loop']::regproc[]::oid[]) as f`,
    );
    assert.deepEqual(found, ['probe.loop', 'probe.reading']);
    await database().exec('drop schema probe cascade');
  });

  test('of the functions of the SQL API those do that handlers call', async () => {
    const leaving = await value(
      database(),
      `select array_agg(distinct proname::text)
      from pg_proc
      where pronamespace in ('omni_httpd'::regnamespace, 'omni_http'::regnamespace) and provolatile <> 'v' and prokind = 'f'
        and oid not in (select howdah.leaving_nothing(array(
          select oid from pg_proc where pronamespace in ('omni_httpd'::regnamespace, 'omni_http'::regnamespace))))`,
    );
    // It reads routers whose names it learns as it runs.
    assert.deepEqual(leaving, ['routes']);
  });
});
