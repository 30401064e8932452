-- What a request brings, for handlers in SQL. What is malformed is answered with 400 (SQLSTATE PT400).

-- The first value of that name in the query; null where there is none.
create or replace function howdah.query_value(request omni_httpd.http_request, name text) returns text
language sql immutable
as $$
  select given.value
  from howdah.parse_query(request.query_string) with ordinality as given (name, value, place)
  where given.name = query_value.name
  order by place
  limit 1
$$;

-- All values of that name, in their order.
create or replace function howdah.query_values(request omni_httpd.http_request, name text) returns text[]
language sql immutable
as $$
  select coalesce(array_agg(given.value order by place), '{}')
  from howdah.parse_query(request.query_string) with ordinality as given (name, value, place)
  where given.name = query_values.name
$$;

create or replace function howdah.body_text(request omni_httpd.http_request) returns text
language plpgsql immutable
as $$
begin
  return convert_from(request.body, 'UTF8');
exception
  when character_not_in_repertoire or untranslatable_character then
    raise exception 'the body is no UTF-8 text' using errcode = 'PT400';
end;
$$;

-- Whether brackets are nested so deep in a text of JSON that parsing it would run over the stack.
create or replace function howdah.is_too_deep(json_text text) returns boolean
language sql immutable
as $$
  select coalesce(max(depth) > 1000, false)
  from (
    select sum(case when bracket in ('[', '{') then 1 else -1 end) over (order by place) as depth
    from unnest(string_to_array(
      regexp_replace(regexp_replace(json_text, '"(?:[^"\\]|\\.)*"', '', 'g'), '[^][{}]', '', 'g'),
      null
    )) with ordinality as brackets (bracket, place)
  ) as nested
$$;

create or replace function howdah.body_json(request omni_httpd.http_request) returns jsonb
language plpgsql stable
as $$
begin
  if coalesce(length(request.body), 0) = 0 then
    raise exception 'a body of JSON is expected' using errcode = 'PT400';
  end if;
  -- A server looks at its stack; in WebAssembly it cannot, and the embedded engine would be lost.
  if length(request.body) > 1000 and current_setting('howdah.embedded', true) = 'on'
    and howdah.is_too_deep(howdah.body_text(request))
  then
    raise exception 'the body is nested too deep' using errcode = 'PT400';
  end if;
  return howdah.body_text(request)::jsonb;
exception
  when data_exception or program_limit_exceeded or statement_too_complex then
    raise exception 'the body is not valid JSON' using errcode = 'PT400';
end;
$$;

-- As query_values() and query_value(), of a form that was sent as the body; nothing of a body of another type.
create or replace function howdah.form_values(request omni_httpd.http_request, name text) returns text[]
language sql immutable
as $$
  select coalesce(array_agg(given.value order by place), '{}')
  from howdah.parse_query(
    case
      when omni_http.http_header_get(request.headers, 'content-type') ~* '^application/x-www-form-urlencoded\s*(?:;|$)'
      then howdah.body_text(request)
    end
  ) with ordinality as given (name, value, place)
  where given.name = form_values.name
$$;

create or replace function howdah.form_value(request omni_httpd.http_request, name text) returns text
language sql immutable
as $$
  select (howdah.form_values(request, name))[1]
$$;

-- Value of the cookie, percent-decoded where it can be; null where there is none.
create or replace function howdah.cookie(request omni_httpd.http_request, name text) returns text
language plpgsql immutable
as $$
declare
  pair text;
  found text;
begin
  -- HTTP/2 may spread cookies over several fields.
  for pair in
    select unnest(string_to_array(string_agg(field.value, ';' order by place), ';'))
    from unnest(request.headers) with ordinality as field (name, value, place)
    where lower(field.name collate "C") = 'cookie'
  loop
    continue when trim(split_part(pair, '=', 1), E' \t') <> name or position('=' in pair) = 0;
    found := trim(substr(pair, position('=' in pair) + 1), E' \t');
    exit;
  end loop;
  return howdah.url_decode(found);
exception
  when sqlstate 'PT400' then
    return found;
end;
$$;
