// The other functions of the SQL API: headers, requests, URL patterns, control (omni_httpd.md §3).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onEachDatabase, one, value } from './databases.ts';

const HEADERS = `array[
  omni_http.http_header('A', '1'), omni_http.http_header('b', '2'), null, omni_http.http_header(null, 'x'),
  omni_http.http_header('a', '3'), omni_http.http_header('c', null)]::omni_http.http_headers`;

onEachDatabase((database) => {
  test('http_header_get gives the first header of that name in any case, or null (§3)', async () => {
    const found = await one(
      database(),
      `select
         omni_http.http_header_get(${HEADERS}, 'a') as a,
         omni_http.http_header_get(${HEADERS}, 'B') as b,
         omni_http.http_header_get(${HEADERS}, 'c') as c,
         omni_http.http_header_get(${HEADERS}, 'd') as d,
         omni_http.http_header_get('{}', 'a') as empty,
         omni_http.http_header_get(null, 'a') as no_headers,
         omni_http.http_header_get(${HEADERS}, null) as no_name,
         omni_http.http_header_get((${HEADERS}::omni_http.http_header[])[2:], 'b') as sliced`,
    );
    assert.deepEqual(found, {
      a: '1',
      b: '2',
      c: null,
      d: null,
      empty: null,
      no_headers: null,
      no_name: null,
      sliced: '2',
    });
    const shifted = `'[3:4]={"(x,1)","(y,2)"}'::omni_http.http_headers`;
    assert.equal(await value(database(), `select omni_http.http_header_get(${shifted}, 'y')`), '2');
  });

  test('http_header_get_all gives all of them in order (§3)', async () => {
    const all = async (headers: string, name: string): Promise<unknown> =>
      value(database(), `select array(select omni_http.http_header_get_all(${headers}, ${name}))`);
    assert.deepEqual(await all(HEADERS, "'a'"), ['1', '3']);
    assert.deepEqual(await all(HEADERS, "'C'"), [null]);
    assert.deepEqual(await all(HEADERS, "'x'"), []);
    assert.deepEqual(await all('null', "'a'"), []);
    assert.deepEqual(await all(HEADERS, 'null'), []);
  });

  test('http_request has its own order of arguments, and defaults (§3)', async () => {
    const request = await one(database(), "select (omni_httpd.http_request('/p')).*, 1 as n");
    assert.equal(request['method'], 'GET');
    assert.equal(request['path'], '/p');
    assert.equal(request['query_string'], null);
    assert.equal(request['body'], null);
    const headers = await value(
      database(),
      "select cardinality((omni_httpd.http_request('/', 'POST')).headers)",
    );
    assert.equal(headers, 0);
  });

  test('urlpattern has its own order of arguments (§3)', async () => {
    const pattern = await one(
      database(),
      "select (omni_httpd.urlpattern('p', 's', 'h', 'PUT', 'host', 1, 'proto', 'user', 'pass')).*",
    );
    assert.deepEqual(pattern, {
      protocol: 'proto',
      username: 'user',
      password: 'pass',
      hostname: 'host',
      port: 1,
      pathname: 'p',
      search: 's',
      hash: 'h',
      method: 'PUT',
    });
    const all = await one(
      database(),
      'select omni_httpd.urlpattern() is not null as is_not_null, omni_httpd.urlpattern() is distinct from null as is_distinct',
    );
    assert.deepEqual(all, { is_not_null: false, is_distinct: true });
  });

  test('methods are ordered as documented (§1)', async () => {
    const methods = await value(database(), 'select enum_range(null::omni_http.http_method)::text');
    assert.equal(methods, '{GET,HEAD,POST,PUT,DELETE,CONNECT,OPTIONS,TRACE,PATCH}');
  });

  test('a request is a parameter that SQL functions reach into', async () => {
    await database().exec(`
      create function greets(request omni_httpd.http_request) returns omni_httpd.http_outcome
        return omni_httpd.http_response(body => 'Hello, ' || coalesce(nullif(request.query_string, ''), 'world'));`);
    const body = await value(
      database(),
      `select convert_from((greets(omni_httpd.http_request('/', query_string => 'you'))::omni_httpd.http_response).body, 'UTF8')`,
    );
    assert.equal(body, 'Hello, you');
  });

  test('stop_handling is kept by the session, also after a commit, until who runs routes clears it (§8.4)', async () => {
    const stopped = "select coalesce(nullif(current_setting('omni_httpd.stop_handling', true), ''), 'off')";
    assert.equal(await value(database(), stopped), 'off');
    await database().exec('begin; select omni_httpd.stop_handling(); rollback');
    assert.equal(await value(database(), stopped), 'off');
    assert.equal(await value(database(), 'select omni_httpd.stop_handling()'), true);
    assert.equal(await value(database(), stopped), 'on');
    await database().exec('reset all');
    assert.equal(await value(database(), stopped), 'off');
  });

  test('the WebSocket callbacks refuse and do nothing until they are replaced (§3, §11)', async () => {
    const id = "'6f1b1f8e-0000-4000-8000-000000000000'::uuid";
    const accepts = await value(
      database(),
      `select omni_httpd.websocket_handler(1, ${id}, omni_httpd.http_request('/'))`,
    );
    assert.equal(accepts, false);
    await database().query(`select omni_httpd.websocket_on_open(${id}), omni_httpd.websocket_on_close(${id}),
      omni_httpd.websocket_on_message(${id}, 'text'), omni_httpd.websocket_on_message(${id}, '\\x00'::bytea)`);
  });

  test('unload does nothing (§3)', async () => {
    await database().query('select omni_httpd.unload()');
  });

  test('a router can have the columns of others by like (§2, §7.1)', async () => {
    await database().exec(
      'create table ordered (like omni_httpd.urlpattern_router, like omni_httpd.router_priority)',
    );
    await database().query('select howdah.discover_routers()');
    const found = await value(
      database(),
      "select priority_col_idx from omni_httpd.available_routers where router_relation = 'ordered'::regclass",
    );
    assert.equal(found, 3);
  });

  test('a match can be there once in the default router (§2)', async () => {
    await database().exec(
      "insert into omni_httpd.urlpattern_router values (omni_httpd.urlpattern('/once'), 'greets'::regproc)",
    );
    await assert.rejects(
      database().exec(
        "insert into omni_httpd.urlpattern_router values (omni_httpd.urlpattern('/once'), 'greets'::regproc)",
      ),
      /unique constraint/,
    );
  });
});
