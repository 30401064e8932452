-- Passes the request on to `url`; with preserve_host (also if null) with the client's Host.
create or replace function omni_httpd.http_proxy(url text, preserve_host boolean default true)
returns omni_httpd.http_outcome
language sql stable
return ('\x02'::bytea
  || coalesce(boolsend(preserve_host), '\x02'::bytea)
  || coalesce('\x01'::bytea || textsend(url), ''::bytea))::omni_httpd.http_outcome;
