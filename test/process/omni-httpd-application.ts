// The application of omni-httpd.process.test.ts, in SQL: rows of omni_httpd's tables, and routes with their handlers.

/** For the tables of handlers that are kept for applications of before routers. */
export const HANDLERS = `
create table users (id integer primary key generated always as identity, handle text, name text);
insert into users (handle, name) values ('johndoe', 'John');
with handler as (
  insert into omni_httpd.handlers (query)
  select omni_httpd.cascading_query(name, query order by priority desc nulls last)
  from (values
    ('hello', $$select omni_httpd.http_response(headers => array[omni_http.http_header('content-type', 'text/html')],
        body => 'Hello, <b>' || users.name || '</b>!')
      from request join users on string_to_array(request.path, '/', '') = array[null, 'users', users.handle]$$, 1),
    ('abort', $$select omni_httpd.abort() from request where request.path = '/abort'$$, 1),
    ('length', $$select omni_httpd.http_response(headers => array[omni_http.http_header('content-length', request.query_string)],
        body => '0123456789') from request where request.path = '/length'$$, 1),
    ('nothing', $$select omni_httpd.http_response(body => null) from request where request.path = '/null-body'$$, 1),
    ('empty', $$select omni_httpd.http_response(body => '') from request where request.path = '/empty-body'$$, 1),
    ('headers', $$select omni_httpd.http_response(body => (select json_object_agg(h.name, h.value) from unnest(request.headers) h))
      from request where request.path = '/headers'$$, 1),
    ('ip', $$select omni_httpd.http_response(omni_http.http_header_get(request.headers, 'Omnigres-Connecting-IP'))
      from request where request.path = '/connecting-ip'$$, 1),
    ('echo', $$select omni_httpd.http_response(body => request.body) from request where request.path = '/echo'$$, 1),
    ('proxy', $$select omni_httpd.http_proxy('http://127.0.0.1:' || (select min(effective_port) from omni_httpd.listeners))
      from request where request.path = '/proxy'$$, 1),
    ('value', $$select omni_httpd.http_response(body => request.*::omni_httpd.http_request::text)
      from request where request.path = '/http_request'$$, 1),
    ('not_found', $$select omni_httpd.http_response(status => 404, body => json_build_object('method', request.method,
        'path', request.path, 'query_string', request.query_string)) from request$$, 0)
  ) as routes (name, query, priority)
  returning id
)
insert into omni_httpd.listeners_handlers (listener_id, handler_id)
select listeners.id, handler.id from omni_httpd.listeners, handler where listeners.port = 0;
`;

/** For routers of urlpatterns. */
export const ROUTES = `
create table my_router (like omni_httpd.urlpattern_router);
create table ordered (like omni_httpd.urlpattern_router, like omni_httpd.router_priority);
create procedure says(request omni_httpd.http_request, out outcome omni_httpd.http_outcome) language plpgsql as $$
begin outcome := omni_httpd.http_response('says ' || request.path); end $$;
create procedure no_request(out outcome omni_httpd.http_outcome) language plpgsql as $$
begin outcome := omni_httpd.http_response('no request needed'); end $$;
create procedure no_outcome() language plpgsql as $$ begin end $$;
create procedure takes_outcome(outcome omni_httpd.http_outcome) language plpgsql as $$ begin end $$;
create function function_handler() returns omni_httpd.http_outcome language sql as $$
select omni_httpd.http_response('function') $$;
create function tuple(t my_router) returns omni_httpd.http_outcome language sql as $$
select omni_httpd.http_response(format('%s', t.handler)) $$;
create function nulls(test text) returns omni_httpd.http_outcome language sql as $$
select omni_httpd.http_response(format('%s', test is null)) $$;
create function group_argument(request omni_httpd.http_request, handle text, number bigint) returns omni_httpd.http_outcome
  language sql stable return omni_httpd.http_response(handle || ' ' || number);
create procedure ok(request omni_httpd.http_request, out outcome omni_httpd.http_outcome) language plpgsql as $$
begin outcome := omni_httpd.http_response('ok'); end $$;
create procedure last(request omni_httpd.http_request, out outcome omni_httpd.http_outcome) language plpgsql as $$
begin outcome := omni_httpd.http_response('last'); perform omni_httpd.stop_handling(); end $$;
create procedure not_last(request omni_httpd.http_request, inout outcome omni_httpd.http_outcome) language plpgsql as $$
begin outcome := omni_httpd.http_response('not last'); end $$;
create procedure parenthesize(request omni_httpd.http_request, inout outcome omni_httpd.http_outcome) language plpgsql as $$
declare response omni_httpd.http_response := outcome::omni_httpd.http_response;
begin response.body = '(' || response.body || ')'; outcome := response; end $$;
create procedure forgets(request omni_httpd.http_request, inout outcome omni_httpd.http_outcome) language plpgsql as $$
begin outcome := null; end $$;
create procedure transacts(out outcome omni_httpd.http_outcome) language plpgsql as $$
begin
  create table if not exists transacted (val int); commit;
  insert into transacted values (0); rollback;
  insert into transacted values (1);
  outcome := omni_httpd.http_response((select val::text from transacted limit 1));
end $$;
create procedure isolates(request omni_httpd.http_request, out outcome omni_httpd.http_outcome) language plpgsql as $$
begin
  if request.path = '/isolated' then rollback; set transaction isolation level serializable; end if;
  outcome := omni_httpd.http_response(current_setting('transaction_isolation'));
end $$;
create procedure sets_role(out outcome omni_httpd.http_outcome) language plpgsql as $$
begin set role another; commit; outcome := omni_httpd.http_response(current_user::text); end $$;
create procedure sets_role_and_fails(out outcome omni_httpd.http_outcome) language plpgsql as $$
begin set role another; raise exception 'fail'; end $$;
create procedure who(out outcome omni_httpd.http_outcome) language plpgsql as $$
begin outcome := omni_httpd.http_response(current_user::text); end $$;
create procedure who_with_role(out outcome omni_httpd.http_outcome) language plpgsql as $$
begin outcome := omni_httpd.http_response(current_user::text); end $$;
create function sets_role_function() returns omni_httpd.http_outcome language plpgsql as $$
begin execute format('set role %I', session_user); return omni_httpd.http_response(current_user::text); end $$;
insert into omni_httpd.handler_role values ('who_with_role()', 'another'), ('sets_role_function()', 'another');
insert into my_router (match, handler) values
  (omni_httpd.urlpattern('/says'), 'says'::regproc),
  (omni_httpd.urlpattern('/another_port', port => (select effective_port from omni_httpd.listeners order by id desc limit 1)),
    'says'::regproc),
  (omni_httpd.urlpattern('/another_host', hostname => 'localhost'), 'says'::regproc),
  (omni_httpd.urlpattern('/no_request'), 'no_request'::regproc),
  (omni_httpd.urlpattern('/takes_outcome'), 'takes_outcome'::regproc),
  (omni_httpd.urlpattern('/no_outcome'), 'no_outcome'::regproc),
  (omni_httpd.urlpattern('/function'), 'function_handler'::regproc),
  (omni_httpd.urlpattern('/tuple'), 'tuple'::regproc),
  (omni_httpd.urlpattern('/nulls'), 'nulls'::regproc),
  (omni_httpd.urlpattern('/groups/:handle/:number'), 'group_argument'::regproc),
  (omni_httpd.urlpattern('/transacts'), 'transacts'::regproc),
  (omni_httpd.urlpattern('/isolated'), 'isolates'::regproc),
  (omni_httpd.urlpattern('/as-usual'), 'isolates'::regproc),
  (omni_httpd.urlpattern('/sets-role'), 'sets_role'::regproc),
  (omni_httpd.urlpattern('/sets-role-and-fails'), 'sets_role_and_fails'::regproc),
  (omni_httpd.urlpattern('/who'), 'who'::regproc),
  (omni_httpd.urlpattern('/who-with-role'), 'who_with_role'::regproc),
  (omni_httpd.urlpattern('/sets-role-function'), 'sets_role_function'::regproc);
insert into ordered (match, handler, priority) values
  (omni_httpd.urlpattern('/order/*'), 'ok'::regproc, 1),
  (omni_httpd.urlpattern('/order/last'), 'last'::regproc, 10),
  (omni_httpd.urlpattern('/order/not-last'), 'not_last'::regproc, 10),
  (omni_httpd.urlpattern('/order/after'), 'parenthesize'::regproc, -1),
  (omni_httpd.urlpattern('/order/null'), 'forgets'::regproc, 10),
  (omni_httpd.urlpattern('/order/null'), 'forgets'::regproc, 9);
`;
