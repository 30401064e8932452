// The SQL API as applications write it down: what columns, attributes and arguments are called, and what they have where nothing is
// given (omni_httpd.md §1 to §3). Not what is done with them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onEachDatabase, type TestDatabase } from './databases.ts';

const COLUMNS = `
  select pg_class.relname || ': ' || string_agg(
    attname || ' ' || format_type(atttypid, null)
      || case when attnotnull then ' not null' else '' end
      || coalesce(' default ' || pg_get_expr(adbin, adrelid), '')
      || case attidentity when 'a' then ' identity' else '' end,
    ', ' order by attnum
  ) as line
  from pg_catalog.pg_attribute
  join pg_catalog.pg_class on pg_class.oid = attrelid
  left join pg_catalog.pg_attrdef on adrelid = attrelid and adnum = attnum
  where relnamespace = 'omni_httpd'::regnamespace and relkind in ('r', 'v', 'm', 'c') and attnum > 0
  group by pg_class.relname
  order by 1`;

const ROUTINES = `
  select pg_proc.proname || '(' || pg_get_function_arguments(pg_proc.oid) || ')'
    || coalesce(': ' || pg_get_function_result(pg_proc.oid), '') as line
  from pg_catalog.pg_proc
  where pronamespace in ('omni_http'::regnamespace, 'omni_httpd'::regnamespace)
    and prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
    -- Behind casts, operators and the aggregate.
    and proname !~ 'http_outcome|^cascading_query_'
  order by 1`;

const HEADERS = 'headers omni_http.http_headers DEFAULT NULL::omni_http.http_header[]';
const RESPONSE = `status integer DEFAULT 200, ${HEADERS}): omni_httpd.http_outcome`;

onEachDatabase((database) => {
  const lines = async (query: string): Promise<string[]> => {
    const session: TestDatabase = database();
    await session.exec("begin; set local search_path = ''");
    const rows = await session.query(query);
    await session.exec('commit');
    return rows.map(({ line }) => String(line)).toSorted();
  };

  test('tables, views and composite types have these columns (§1, §2)', async () => {
    assert.deepEqual(
      await lines(COLUMNS),
      [
        'available_routers: router_relation regclass, match_col_idx smallint, handler_col_idx smallint, priority_col_idx smallint, handler_col_name name',
        'configuration_reloads: id integer not null identity, happened_at timestamp without time zone not null default now()',
        'default_router: column1 omni_httpd.urlpattern, column2 regprocedure, column3 omni_httpd.route_priority',
        'handler_role: handler regprocedure not null, role regrole not null',
        'handlers: id integer not null identity, query text not null, role_name name not null default CURRENT_USER',
        'http_proxy: url text, preserve_host boolean',
        'http_request: method omni_http.http_method, path text, query_string text, body bytea, headers omni_http.http_headers',
        'http_response: body bytea, status smallint, headers omni_http.http_headers',
        "listeners: id integer not null identity, address inet not null default '127.0.0.1'::inet, port omni_httpd.port not null default 80, effective_port omni_httpd.port not null default 0, protocol omni_httpd.http_protocol not null default 'http'::omni_httpd.http_protocol",
        'listeners_handlers: listener_id integer not null, handler_id integer not null',
        'router_priority: priority omni_httpd.route_priority',
        'routes: router regclass, matcher regtype, match jsonb, priority integer, handler regprocedure, type text',
        'urlpattern: protocol text, username text, password text, hostname text, port integer, pathname text, search text, hash text, method omni_http.http_method',
        'urlpattern_router: match omni_httpd.urlpattern, handler regprocedure',
      ].toSorted(),
    );
  });

  test('functions and procedures have these arguments and results (§3)', async () => {
    assert.deepEqual(
      await lines(ROUTINES),
      [
        'http_header(name text, value text): omni_http.http_header',
        'http_header_get(headers omni_http.http_headers, name text): text',
        'http_header_get_all(headers omni_http.http_headers, header_name text): SETOF text',
        'abort(): omni_httpd.http_outcome',
        'cascading_query(name text, query text): text',
        'check_if_role_accessible_to_current_user(role name): boolean',
        'default_page(request omni_httpd.http_request): SETOF omni_httpd.http_outcome',
        'handler(IN integer, IN omni_httpd.http_request, OUT omni_httpd.http_outcome)',
        'http_proxy(url text, preserve_host boolean DEFAULT true): omni_httpd.http_outcome',
        "http_request(path text, method omni_http.http_method DEFAULT 'GET'::omni_http.http_method, query_string text DEFAULT NULL::text, body bytea DEFAULT NULL::bytea, headers omni_http.http_headers DEFAULT (ARRAY[]::omni_http.http_header[])::omni_http.http_headers): omni_httpd.http_request",
        `http_response(body text DEFAULT NULL::text, ${RESPONSE}`,
        ...['bytea', 'json', 'jsonb', '"char"', 'anycompatible'].map(
          (type) => `http_response(body ${type}, ${RESPONSE}`,
        ),
        "instantiate_static_file_handler(schema name DEFAULT 'omni_httpd'::name, name name DEFAULT 'static_file_handler'::name): void",
        'reload_configuration(): boolean',
        'routes(): TABLE(router regclass, matcher regtype, match jsonb, priority integer, handler regprocedure, type text)',
        'start(IN immediate boolean DEFAULT false)',
        'stop(IN immediate boolean DEFAULT false)',
        'stop_handling(): boolean',
        'unload(): void',
        'urlpattern(pathname text DEFAULT NULL::text, search text DEFAULT NULL::text, hash text DEFAULT NULL::text, method omni_http.http_method DEFAULT NULL::omni_http.http_method, hostname text DEFAULT NULL::text, port integer DEFAULT NULL::integer, protocol text DEFAULT NULL::text, username text DEFAULT NULL::text, password text DEFAULT NULL::text): omni_httpd.urlpattern',
        'wait_for_configuration_reloads(IN n integer)',
        'websocket_handler(integer, uuid, omni_httpd.http_request): boolean',
        'websocket_on_close(uuid): void',
        'websocket_on_message(uuid, bytea): void',
        'websocket_on_message(uuid, text): void',
        'websocket_on_open(uuid): void',
        'websocket_send(socket uuid, data bytea): void',
        'websocket_send(socket uuid, data text): void',
      ].toSorted(),
    );
  });
});
