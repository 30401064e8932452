-- Runs the handlers in SQL that the routers have for a request, in the current transaction, and returns their outcome: for tests that end
-- with a rollback. Routes of an application in TypeScript are not known here. Procedures that commit fail, as in any transaction.
create or replace function howdah.call(
  method omni_http.http_method,
  path text,
  headers omni_http.http_headers default null,
  body bytea default null
) returns omni_httpd.http_outcome
language plpgsql
as $$
declare
  asked constant text[] := regexp_match(path, '^([^?]*)(?:\?(.*))?$');
  host constant text := lower(split_part(coalesce(omni_http.http_header_get(headers, 'host'), 'localhost'), ':', 1));
  request constant omni_httpd.http_request := row(
    method, asked[1], asked[2], body, coalesce(headers, array[]::omni_http.http_header[])
  );
  listener constant int := coalesce((select min(id) from omni_httpd.listeners), 0);
  outcome omni_httpd.http_outcome;
  route jsonb;
  match jsonb;
  groups jsonb;
  arguments text;
  handled boolean := false;
begin
  if path is null or left(path, 1) <> '/' then
    raise exception 'a path begins with /: %', coalesce(path, 'null') using errcode = 'invalid_parameter_value';
  end if;
  perform set_config('omni_httpd.stop_handling', 'off', false);
  for route in select value from jsonb_array_elements(howdah.catalog() -> 'routes') with ordinality order by ordinality loop
    match := route -> 'match';
    continue when match ->> 'method' <> method::text;
    continue when asked[1] !~ ('^(?:' || howdah.pattern_regex(match ->> 'pathname', '/') || ')$');
    continue when coalesce(asked[2], '') !~ ('^(?:' || howdah.pattern_regex(match ->> 'search', '&') || ')$');
    continue when host !~ ('^(?:' || howdah.pattern_regex(lower(match ->> 'hostname'), '.') || ')$');
    groups :=
      howdah.pattern_groups(match ->> 'search', '&', coalesce(asked[2], ''))
      || howdah.pattern_groups(lower(match ->> 'hostname'), '.', host)
      || howdah.pattern_groups(match ->> 'pathname', '/', asked[1]);
    -- A text that can be no number or no UUID, where the parameter is one: the route does not match.
    continue when exists (
      select
      from jsonb_array_elements(route -> 'arguments') as argument
      where argument ->> 'mode' = 'in' and argument ->> 'pass' in ('null', 'listener')
        and groups ->> (argument ->> 'parameter') !~ case
          when argument ->> 'type' in ('smallint', 'integer', 'bigint') then '^[+-]?\d{1,20}$'
          when argument ->> 'type' = 'uuid' then '(?i)^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$'
          else ''
        end
    );
    if route ->> 'outcome' <> 'inout' then
      continue when handled;
      handled := true;
    end if;
    select coalesce(string_agg(
      case
        when argument ->> 'mode' = 'in' and argument ->> 'pass' in ('null', 'listener')
          and groups ? (argument ->> 'parameter')
        then format('($4 ->> %L)::%s', argument ->> 'parameter', argument ->> 'type')
        when argument ->> 'pass' = 'request' then '$1'
        when argument ->> 'pass' = 'listener' then '$2'
        when argument ->> 'pass' = 'outcome' then '$3'
        when argument ->> 'pass' = 'row' then format('%L::%s', route ->> 'row', argument ->> 'type')
        else 'null'
      end,
      ', ' order by ordinality
    ), '')
    into arguments
    from jsonb_array_elements(route -> 'arguments') with ordinality as given (argument, ordinality)
    where route ->> 'kind' = 'procedure' or argument ->> 'mode' <> 'out';
    if route ->> 'kind' = 'procedure' then
      execute format('call %s(%s)', coalesce(route ->> 'standIn', route ->> 'name'), arguments)
        into outcome using request, listener, outcome, groups;
    else
      execute format('select * from %s(%s)', coalesce(route ->> 'standIn', route ->> 'name'), arguments)
        into outcome using request, listener, outcome, groups;
    end if;
    if route ->> 'outcome' = 'none' then
      outcome := null;
    end if;
    exit when current_setting('omni_httpd.stop_handling', true) = 'on';
  end loop;
  return outcome;
end;
$$;
