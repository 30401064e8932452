// What chain.test.ts makes its chains of: routers, and a handler for each thing that a route can do, in schema t.

export const CHAIN_ROUTES = `
create schema t;
create or replace procedure omni_httpd.handler(int, omni_httpd.http_request, out omni_httpd.http_outcome)
  language plpgsql as $$ begin $3 := omni_httpd.http_response(status => 404); end $$;
create table t.log (entry text);
create function t.note(entry text) returns void language sql as $$ insert into t.log values (entry) $$;
create table t.prioritized (like omni_httpd.urlpattern_router, priority omni_httpd.route_priority);
create table t.named (like omni_httpd.urlpattern_router, priority omni_httpd.route_priority, label text);

create function t.hello(request omni_httpd.http_request) returns omni_httpd.http_outcome
  language sql return omni_httpd.http_response('hello ' || request.path);
create function t.second(request omni_httpd.http_request) returns omni_httpd.http_outcome
  language plpgsql as $$ begin perform t.note('second'); return omni_httpd.http_response('second'); end $$;
create function t.none(omni_httpd.http_request) returns omni_httpd.http_outcome language sql
  as $$ select null::omni_httpd.http_outcome $$;
create function t.no_outcome(omni_httpd.http_request) returns void language plpgsql
  as $$ begin perform t.note('no_outcome'); end $$;
create function t.stop(omni_httpd.http_request) returns omni_httpd.http_outcome language plpgsql
  as $$ begin perform omni_httpd.stop_handling(); return omni_httpd.http_response('stopped'); end $$;
create function t.boom(omni_httpd.http_request) returns omni_httpd.http_outcome language plpgsql
  as $$ begin perform t.note('boom'); raise exception 'went wrong' using detail = 'the detail', errcode = 'P0123'; end $$;
create function t.strict(request omni_httpd.http_request, nothing text) returns omni_httpd.http_outcome
  strict language sql as $$ select omni_httpd.http_response('ran') $$;
create function t.strict_mark(inout outcome omni_httpd.http_outcome)
  strict language plpgsql as $$ begin outcome := omni_httpd.http_response('strict'); end $$;

create function t.mark(request omni_httpd.http_request, inout outcome omni_httpd.http_outcome) language plpgsql as $$
declare
  response omni_httpd.http_response := outcome::omni_httpd.http_response;
begin
  perform t.note('mark ' || coalesce(convert_from(response.body, 'utf8'), '-'));
  if outcome is not null then
    response.headers := response.headers || omni_http.http_header('x-mark', 'yes');
    outcome := response;
  end if;
end $$;
create function t.default_answer(inout outcome omni_httpd.http_outcome) language plpgsql as $$
begin
  outcome := coalesce(outcome, omni_httpd.http_response('made by middleware'));
end $$;
create function t.stopping(inout outcome omni_httpd.http_outcome) language plpgsql as $$
begin
  perform omni_httpd.stop_handling();
end $$;
create function t.erase(inout outcome omni_httpd.http_outcome) language plpgsql as $$
begin outcome := null; end $$;
create function t.two(inout outcome omni_httpd.http_outcome, out extra text) language plpgsql as $$
begin extra := 'x'; outcome := omni_httpd.http_response('two'); end $$;

create procedure t.commits(request omni_httpd.http_request, out outcome omni_httpd.http_outcome) language plpgsql as $$
begin
  perform t.note('before commit');
  commit;
  perform t.note('after commit');
  rollback;
  outcome := omni_httpd.http_response('committed');
end $$;
create procedure t.middle(inout outcome omni_httpd.http_outcome) language plpgsql as $$
begin
  perform t.note('middle');
  commit;
  if outcome is not null then
    outcome := omni_httpd.http_response(
      'middle: ' || convert_from((outcome::omni_httpd.http_response).body, 'utf8'));
  end if;
end $$;
create procedure t.no_out(request omni_httpd.http_request) language plpgsql as $$
begin perform t.note('no_out'); end $$;

create function t.arguments(
  odd boolean, listener int, request omni_httpd.http_request, route t.named, given omni_httpd.http_outcome,
  more jsonb default '{}'
) returns omni_httpd.http_outcome language sql as $$
  select omni_httpd.http_response(format('%s|%s|%s|%s|%s|%s',
    odd is null, listener, request.path, route.label, given is null, more is null)) $$;
create function t.two_listeners(first int, second int) returns omni_httpd.http_outcome language sql as $$
  select omni_httpd.http_response(format('%s|%s', first, second)) $$;
create function t.echo(request omni_httpd.http_request) returns omni_httpd.http_outcome language sql as $$
  select omni_httpd.http_response(jsonb_build_object(
    'method', request.method, 'path', request.path, 'query', request.query_string,
    'body', convert_from(request.body, 'utf8'), 'headers', to_jsonb(request.headers))) $$;
create function t.goes_away() returns omni_httpd.http_outcome language sql return omni_httpd.abort();
create function t.elsewhere() returns omni_httpd.http_outcome language sql
  return omni_httpd.http_proxy('http://upstream/path', false);
`;
