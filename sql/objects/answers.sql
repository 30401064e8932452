-- What handlers in SQL answer with, besides omni_httpd.http_response().

-- Ends the handler, rolls its transaction back, and answers with a status of 400 to 599 and the message as plain text. The type of its
-- result is for expressions: coalesce((select …), howdah.fail(404)).
create or replace function howdah.fail(status int, message text default null) returns omni_httpd.http_outcome
language plpgsql stable
as $$
begin
  if status is null or status not between 400 and 599 then
    raise exception 'a failure has a status of 400 to 599, not %', coalesce(status::text, 'null')
      using errcode = 'invalid_parameter_value';
  end if;
  raise exception using errcode = 'PT' || status, message = coalesce(message, '');
end;
$$;

-- 303: ask for the other URL with GET, as after a form; 301 or 308: it is there for good; 302 or 307: for now.
create or replace function howdah.redirect(location text, status int default 303) returns omni_httpd.http_outcome
language sql stable
as $$
  select omni_httpd.http_response(status => status, headers => array[omni_http.http_header('location', location)])
$$;

-- The same with more headers: cookies, say.
create or replace function howdah.redirect(location text, headers omni_http.http_headers, status int default 303)
returns omni_httpd.http_outcome
language sql stable
as $$
  select omni_httpd.http_response(
    status => status,
    headers => array[omni_http.http_header('location', location)] || coalesce(headers, array[]::omni_http.http_headers)
  )
$$;

-- The header that sets a cookie; a null value has it forgotten. The value may be any text: it is percent-encoded. The defaults are those
-- of setCookie() in TypeScript.
create or replace function howdah.set_cookie(
  name text,
  value text,
  max_age interval default null,
  path text default '/',
  domain text default null,
  secure boolean default true,
  http_only boolean default true,
  same_site text default 'lax'
) returns omni_http.http_header
language plpgsql immutable
as $$
declare
  age constant interval := case when value is null then interval '0' else max_age end;
begin
  if name is null or name !~ '^[!#$%&''*+.^_`|~0-9A-Za-z-]+$' then
    raise exception 'a cookie cannot have the name %', coalesce(quote_literal(name), 'null')
      using errcode = 'invalid_parameter_value';
  end if;
  if concat(path, domain) ~ '[^ -:<-~]' then
    raise exception 'the path and the domain of a cookie have no control characters and no semicolon'
      using errcode = 'invalid_parameter_value';
  end if;
  if same_site is null or lower(same_site) not in ('strict', 'lax', 'none') then
    raise exception 'same_site is strict, lax or none, not %', coalesce(same_site, 'null')
      using errcode = 'invalid_parameter_value';
  end if;
  if not secure and (lower(same_site) = 'none' or name like '\_\_Host-%' or name like '\_\_Secure-%') then
    raise exception 'the cookie % needs secure', name using errcode = 'invalid_parameter_value';
  end if;
  if name like '\_\_Host-%' and (path is distinct from '/' or domain is not null) then
    raise exception 'the cookie % has the path / and no domain', name using errcode = 'invalid_parameter_value';
  end if;
  return omni_http.http_header(
    'set-cookie',
    concat_ws(
      '; ',
      name || '=' || howdah.url_encode(coalesce(value, '')),
      'Max-Age=' || trunc(extract(epoch from age))::bigint,
      'Domain=' || domain,
      'Path=' || path,
      case when value is null then 'Expires=Thu, 01 Jan 1970 00:00:00 GMT' end,
      case when http_only then 'HttpOnly' end,
      case when secure then 'Secure' end,
      'SameSite=' || initcap(same_site)
    )
  );
end;
$$;
