-- http_outcome from and to its variant http_proxy. The encoding is described at the type.

create or replace function omni_httpd.http_outcome_from_http_proxy(proxy omni_httpd.http_proxy)
returns omni_httpd.http_outcome
language sql stable
return case
  when proxy is distinct from null then
    ('\x02'::bytea
      || coalesce(boolsend((proxy).preserve_host), '\x02'::bytea)
      || coalesce('\x01'::bytea || textsend((proxy).url), ''::bytea))::omni_httpd.http_outcome
end;

-- null for another variant. Takes bytea, the base type of http_outcome, because a cast can only be created on that.
create or replace function omni_httpd.http_proxy_from_http_outcome(outcome bytea) returns omni_httpd.http_proxy
language sql stable strict
return case get_byte(outcome, 0)
  when 2 then row(
    case when octet_length(outcome) > 2 then convert_from(substring(outcome from 4), pg_client_encoding()) end,
    case get_byte(outcome, 1) when 0 then false when 1 then true end
  )::omni_httpd.http_proxy
end;
