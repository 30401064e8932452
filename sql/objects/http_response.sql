-- A response, by the type of its body. One function per type instead of one for any type, because PostgreSQL then inlines
-- each into its caller (the reason is told at the type http_outcome), and because the body is encoded by its own
-- type without looking. STABLE, as textsend and array_send are: what is not marked so is not inlined.
--
-- A null body makes the first of the two forms null. So the body is an argument that is used once, and copied once; the
-- status and the headers are used twice, and where they are volatile (a random cookie) the function is called: 5 to 9 µs.

create or replace function omni_httpd.http_response(
  body text default null,
  status int default 200,
  headers omni_http.http_headers default null
) returns omni_httpd.http_outcome
language sql stable
return coalesce(
  '\x00'::bytea
    || int2send(coalesce(status, 200)::smallint)
    || coalesce(array_send(headers), '\xffffffff'::bytea)
    || '\x02'::bytea
    || textsend(body),
  '\x00'::bytea || int2send(coalesce(status, 200)::smallint) || coalesce(array_send(headers), '\xffffffff'::bytea)
)::omni_httpd.http_outcome;

create or replace function omni_httpd.http_response(
  body bytea,
  status int default 200,
  headers omni_http.http_headers default null
) returns omni_httpd.http_outcome
language sql stable
return coalesce(
  '\x00'::bytea
    || int2send(coalesce(status, 200)::smallint)
    || coalesce(array_send(headers), '\xffffffff'::bytea)
    || '\x03'::bytea
    || body,
  '\x00'::bytea || int2send(coalesce(status, 200)::smallint) || coalesce(array_send(headers), '\xffffffff'::bytea)
)::omni_httpd.http_outcome;

create or replace function omni_httpd.http_response(
  body json,
  status int default 200,
  headers omni_http.http_headers default null
) returns omni_httpd.http_outcome
language sql stable
return coalesce(
  '\x00'::bytea
    || int2send(coalesce(status, 200)::smallint)
    || coalesce(array_send(headers), '\xffffffff'::bytea)
    || '\x04'::bytea
    || json_send(body),
  '\x00'::bytea || int2send(coalesce(status, 200)::smallint) || coalesce(array_send(headers), '\xffffffff'::bytea)
)::omni_httpd.http_outcome;

create or replace function omni_httpd.http_response(
  body jsonb,
  status int default 200,
  headers omni_http.http_headers default null
) returns omni_httpd.http_outcome
language sql stable
return coalesce(
  '\x00'::bytea
    || int2send(coalesce(status, 200)::smallint)
    || coalesce(array_send(headers), '\xffffffff'::bytea)
    || '\x04'::bytea
    || textsend(body::text),
  '\x00'::bytea || int2send(coalesce(status, 200)::smallint) || coalesce(array_send(headers), '\xffffffff'::bytea)
)::omni_httpd.http_outcome;

create or replace function omni_httpd.http_response(
  body "char",
  status int default 200,
  headers omni_http.http_headers default null
) returns omni_httpd.http_outcome
language sql stable
return coalesce(
  '\x00'::bytea
    || int2send(coalesce(status, 200)::smallint)
    || coalesce(array_send(headers), '\xffffffff'::bytea)
    || '\x02'::bytea
    || textsend(body::text),
  '\x00'::bytea || int2send(coalesce(status, 200)::smallint) || coalesce(array_send(headers), '\xffffffff'::bytea)
)::omni_httpd.http_outcome;

-- A body of any other type is refused, unless it is null.
create or replace function omni_httpd.http_response(
  body anycompatible,
  status int default 200,
  headers omni_http.http_headers default null
) returns omni_httpd.http_outcome
language plpgsql stable
as $$
begin
  -- Not "is not null", which is false for a row of nulls.
  if body is distinct from null then
    raise exception 'Can''t (yet) cast % to bytea', format_type(pg_typeof(body), null)
      using errcode = 'cannot_coerce';
  end if;
  return omni_httpd.http_response(null::text, status, headers);
end;
$$;
