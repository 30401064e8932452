// howdah.catalog() and howdah.route_problems: what the workers are told of routers, routes and handlers (omni_httpd.md §7, §8).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CatalogRows, RouteRow } from '../../src/catalog/catalog-rows.ts';
import { onEachDatabase, one, value, type TestDatabase, type TestSession } from './databases.ts';

async function readCatalog(session: TestSession): Promise<CatalogRows> {
  return (await value(session, 'select howdah.catalog()')) as CatalogRows;
}

/** The routes of one router. */
async function routesOf(session: TestSession, router: string): Promise<readonly RouteRow[]> {
  return (await readCatalog(session)).routes.filter((route) => route.router === router);
}

/** What a session that hears of DDL does where no event trigger tells the database. */
async function discover(database: TestDatabase): Promise<void> {
  if (database.kind === 'owner') await database.query('select howdah.discover_routers()');
}

onEachDatabase((database) => {
  test('an installation without listeners has the default route alone (§2)', async () => {
    const catalog = await readCatalog(database());
    assert.deepEqual(catalog.listeners, []);
    assert.deepEqual(catalog.problems, []);
    assert.equal(catalog.routes.length, 1);
    const [route] = catalog.routes;
    assert.ok(route !== undefined);
    assert.equal(route.router, 'omni_httpd.default_router');
    assert.equal(route.priority, -2147483648);
    assert.deepEqual(route.match, {});
    assert.equal(route.kind, 'procedure');
    assert.equal(route.outcome, 'out');
    assert.equal(route.handler, 'omni_httpd.handler(integer,omni_httpd.http_request)');
    assert.deepEqual(
      route.arguments.map(({ mode, pass }) => `${mode} ${pass}`),
      ['in listener', 'in request', 'out null'],
    );
  });

  test('the default route is hidden in sessions that have omni_httpd.no_init (§2)', async () => {
    await database().exec(`begin; set local omni_httpd.no_init = true`);
    assert.deepEqual((await readCatalog(database())).routes, []);
    await database().exec('rollback');
  });

  test('the OIDs of the types are those of this database', async () => {
    const expected = await one(
      database(),
      `select
         'omni_httpd.http_request'::regtype::oid::int as "httpRequest",
         'omni_http.http_method'::regtype::oid::int as "httpMethod",
         'omni_http.http_header'::regtype::oid::int as "httpHeader",
         'omni_http.http_header[]'::regtype::oid::int as "httpHeaderArray",
         'omni_http.http_headers'::regtype::oid::int as "httpHeaders",
         'omni_httpd.http_outcome'::regtype::oid::int as "httpOutcome"`,
    );
    assert.deepEqual((await readCatalog(database())).types, expected);
  });

  test('a route says how its function is called', async () => {
    await database().exec(`
      create schema "My App";
      create function "My App"."Hello"(omni_httpd.http_request) returns omni_httpd.http_outcome
        language sql stable security definer return omni_httpd.http_response('hello');
      insert into omni_httpd.urlpattern_router values
        (omni_httpd.urlpattern('/hello', method => 'GET', port => 8080), '"My App"."Hello"'::regproc);`);
    const [route] = await routesOf(database(), 'omni_httpd.urlpattern_router');
    assert.ok(route !== undefined);
    const { row, ...described } = route;
    assert.deepEqual(described, {
      router: 'omni_httpd.urlpattern_router',
      match: { pathname: '/hello', method: 'GET', port: 8080 },
      priority: 0,
      handler: '"My App"."Hello"(omni_httpd.http_request)',
      name: '"My App"."Hello"',
      kind: 'function',
      volatility: 'stable',
      returnsSet: false,
      securityDefiner: true,
      strict: false,
      leavesNothing: true,
      outcome: 'result',
      arguments: [{ mode: 'in', pass: 'request', type: 'omni_httpd.http_request' }],
      role: null,
      standIn: null,
      retry: false,
      cancelOnDisconnect: false,
    });
    const read = await one(
      database(),
      `select (given).match = router.match as match, (given).handler = router.handler as handler
       from (select $1::omni_httpd.urlpattern_router as given) as literal, omni_httpd.urlpattern_router as router`,
      [row],
    );
    assert.deepEqual(read, { match: true, handler: true });
    await database().exec('delete from omni_httpd.urlpattern_router');
  });

  test('arguments are passed by type, the last of a type gets it, the others null (§8.2)', async () => {
    await database().exec(`
      create table tenants (note text, match omni_httpd.urlpattern, place omni_httpd.route_priority, handler regprocedure);
      create function many(int, tenants, text, int, omni_httpd.http_request, omni_httpd.http_outcome)
        returns omni_httpd.http_outcome language sql return null::omni_httpd.http_outcome;
      create procedure middle(inout omni_httpd.http_outcome, omni_httpd.http_request) language plpgsql as $$ begin end $$;
      create procedure outs(out omni_httpd.http_outcome, int) language plpgsql as $$ begin end $$;
      create procedure nothing() language plpgsql as $$ begin end $$;
      create function wrong() returns text language sql return 'x';
      create function several() returns setof omni_httpd.http_outcome language sql as $$ select omni_httpd.abort() $$;
      create function changes(inout o omni_httpd.http_outcome) language sql as $$ select $1 $$;
      create function listed(variadic omni_httpd.http_request[]) returns omni_httpd.http_outcome language sql
        as $$ select omni_httpd.abort() $$;
      insert into tenants select 'note "x"', omni_httpd.urlpattern(), 7, handler::regproc
      from unnest(array['many', 'middle', 'outs', 'nothing', 'wrong', 'several', 'changes', 'listed']) as handler;`);
    await discover(database());
    const routes = await routesOf(database(), 'public.tenants');
    const calls = Object.fromEntries(
      routes.map((route) => [
        route.name.replace('public.', ''),
        [
          route.kind,
          route.outcome,
          route.returnsSet,
          ...route.arguments.map(({ mode, pass }) => `${mode} ${pass}`),
        ],
      ]),
    );
    assert.deepEqual(calls, {
      many: [
        'function',
        'result',
        false,
        'in null',
        'in row',
        'in null',
        'in listener',
        'in request',
        'in null',
      ],
      middle: ['procedure', 'inout', false, 'inout outcome', 'in request'],
      outs: ['procedure', 'out', false, 'out null', 'in listener'],
      nothing: ['procedure', 'none', false],
      wrong: ['function', 'none', false],
      several: ['function', 'result', true],
      changes: ['function', 'inout', false, 'inout outcome'],
      listed: ['function', 'result', true, 'in null'],
    });
    assert.ok(routes.every((route) => route.priority === 7));
    const [first] = routes;
    const note = await value(database(), 'select ($1::public.tenants).note', [first?.row ?? null]);
    assert.equal(note, 'note "x"');
  });

  test('routes() lists them with priority, matcher and type (§3)', async () => {
    const rows = await database().query(
      `select matcher::text, match, priority, handler::text, type from omni_httpd.routes where router = 'tenants'::regclass
       and handler in ('middle'::regproc, 'many'::regproc) order by handler::text desc`,
    );
    assert.deepEqual(
      rows.map(({ matcher, match, priority, type }) => ({ matcher, match, priority, type })),
      [
        { matcher: 'omni_httpd.urlpattern', match: {}, priority: 7, type: 'middleware' },
        { matcher: 'omni_httpd.urlpattern', match: {}, priority: 7, type: 'handler' },
      ],
    );
    const order = await database().query('select priority from omni_httpd.routes');
    const priorities = order.map((row) => Number(row['priority']));
    assert.deepEqual(
      priorities,
      priorities.toSorted((a, b) => b - a),
    );
    await database().exec('drop table tenants cascade');
    await discover(database());
  });

  test('rows without a match, a handler or a function that is there are passed over; urlpattern() is a match (§7.2)', async () => {
    await database().exec(`
      create table loose (like omni_httpd.urlpattern_router);
      create function here() returns omni_httpd.http_outcome language sql return omni_httpd.abort();
      create function gone() returns omni_httpd.http_outcome language sql return omni_httpd.abort();
      insert into loose values
        (null, 'here'::regproc), (omni_httpd.urlpattern('/a'), null), (omni_httpd.urlpattern('/b'), 'gone'::regproc),
        (omni_httpd.urlpattern(null), 'here'::regproc);
      drop function gone();`);
    await discover(database());
    const routes = await routesOf(database(), 'public.loose');
    assert.deepEqual(
      routes.map(({ match, name }) => ({ match, name })),
      [{ match: {}, name: 'public.here' }],
    );
    const listed = await value(
      database(),
      "select count(*)::int from omni_httpd.routes where router = 'loose'::regclass",
    );
    assert.equal(listed, 1);
  });

  test('a router that cannot be read is a problem, and the others go on working', async () => {
    await database().exec(`
      create view broken as select match, handler from omni_httpd.urlpattern_router
        union all select omni_httpd.urlpattern((1 / (random() * 0)::int)::text), 'here()'::regprocedure;`);
    await discover(database());
    const catalog = await readCatalog(database());
    assert.deepEqual(catalog.problems, [
      { router: 'public.broken', match: '', handler: '', problem: 'division by zero' },
    ]);
    assert.ok(catalog.routes.some((route) => route.router === 'public.loose'));
    await database().exec('drop view broken');
    await discover(database());
    assert.deepEqual((await readCatalog(database())).problems, []);
  });

  test('a router of somebody else is a problem until it may be read, and is polled', async (t) => {
    if (database().kind !== 'owner') return t.skip('a superuser may read every router');
    const admin = await database().administer();
    await admin.exec(
      'create schema foreign_owned; create table foreign_owned.router (like omni_httpd.urlpattern_router)',
    );
    await admin.exec('grant usage on schema foreign_owned to owner');
    await discover(database());
    const { problems } = await readCatalog(database());
    assert.deepEqual(problems, [
      {
        router: 'foreign_owned.router',
        match: '',
        handler: '',
        problem: 'permission denied for table router',
      },
    ]);
    await admin.exec('grant select on foreign_owned.router to owner');
    assert.deepEqual((await readCatalog(database())).problems, []);
    await database().query('select howdah.poll_catalog()');
    const before = await value(database(), 'select howdah.epoch()');
    await admin.exec(
      "insert into foreign_owned.router values (omni_httpd.urlpattern('/x'), 'here'::regproc)",
    );
    assert.equal(await value(database(), 'select howdah.epoch()'), before);
    assert.equal(await value(database(), 'select howdah.poll_catalog()'), true);
    assert.notEqual(await value(database(), 'select howdah.epoch()'), before);
    assert.equal(await value(database(), 'select howdah.poll_catalog()'), false);
    await admin.exec('drop schema foreign_owned cascade');
    await admin.close();
    await discover(database());
  });

  test('the role of handler_role is told, and one that does not exist is a problem', async () => {
    const me = await value(database(), 'select current_user::text');
    await database().exec(
      `insert into omni_httpd.handler_role values ('here'::regproc, '"${String(me)}"'::regrole)`,
    );
    const [route] = await routesOf(database(), 'public.loose');
    assert.equal(route?.role, me);
    const admin = database().kind === 'owner' ? await database().administer() : null;
    await (admin ?? database()).exec(`create role passing${admin === null ? '' : ' role owner'}`);
    await database().exec("update omni_httpd.handler_role set role = 'passing'");
    await (admin ?? database()).exec('drop owned by passing; drop role passing');
    await admin?.close();
    await discover(database());
    const catalog = await readCatalog(database());
    assert.deepEqual(
      catalog.routes.filter(({ router }) => router === 'public.loose'),
      [],
    );
    assert.equal(catalog.problems.length, 1);
    assert.match(catalog.problems[0]?.problem ?? '', /role .* does not exist/);
    await database().exec('delete from omni_httpd.handler_role');
  });

  test('listeners are told in order, addresses without a prefix length', async () => {
    await database().exec(`
      insert into omni_httpd.listeners (address, port) values ('::1', 0), ('10.0.0.1', 8443);
      update omni_httpd.listeners set protocol = 'https', effective_port = 8443 where port = 8443;`);
    const { listeners } = await readCatalog(database());
    assert.deepEqual(
      listeners.map(({ address, port, effectivePort, protocol }) => ({
        address,
        port,
        effectivePort,
        protocol,
      })),
      [
        { address: '::1', port: 0, effectivePort: 0, protocol: 'http' },
        { address: '10.0.0.1', port: 8443, effectivePort: 8443, protocol: 'https' },
      ],
    );
    await database().exec('delete from omni_httpd.listeners');
  });

  test('the catalog is one snapshot', async (t) => {
    if (database().kind === 'embedded') return t.skip('the embedded engine is one session');
    const other = await database().connect();
    await database().exec('begin isolation level repeatable read');
    const before = await readCatalog(database());
    await other.exec("insert into loose values (omni_httpd.urlpattern('/late'), 'here'::regproc)");
    assert.deepEqual(await readCatalog(database()), before);
    await database().exec('commit');
    const after = await readCatalog(database());
    assert.equal(after.routes.length, before.routes.length + 1);
    assert.ok(BigInt(after.epoch) > BigInt(before.epoch));
    await other.exec("delete from loose where match = omni_httpd.urlpattern('/late')");
    await other.close();
  });

  test('problems that workers report are shown, replaced, and keep the time when they were first seen', async () => {
    const report = async (problems: readonly object[]): Promise<void> => {
      await database().query('select howdah.report_problems($1::jsonb)', [JSON.stringify(problems)]);
    };
    const problem = { router: 'r', match: '{}', handler: 'h()', problem: 'x'.repeat(5000) };
    const epoch = await value(database(), 'select howdah.epoch()');
    await report([problem]);
    const first = await one(
      database(),
      'select router, match, handler, problem, seen_at from howdah.route_problems',
    );
    assert.equal(first['problem'], problem.problem);
    await report([problem, { ...problem, problem: 'another' }]);
    assert.equal(await value(database(), 'select count(*)::int from howdah.route_problems'), 2);
    const again = await value(
      database(),
      "select seen_at from howdah.route_problems where problem <> 'another'",
    );
    assert.deepEqual(again, first['seen_at']);
    await report([]);
    assert.equal(await value(database(), 'select count(*)::int from howdah.route_problems'), 0);
    assert.equal(await value(database(), 'select howdah.epoch()'), epoch);
  });
});
