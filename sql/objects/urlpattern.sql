-- Constructor of omni_httpd.urlpattern; without arguments it accepts everything. The order of the arguments is not that of the fields.
create or replace function omni_httpd.urlpattern(
  pathname text default null,
  search text default null,
  hash text default null,
  method omni_http.http_method default null,
  hostname text default null,
  port int default null,
  protocol text default null,
  username text default null,
  password text default null
) returns omni_httpd.urlpattern
language sql immutable
return row(protocol, username, password, hostname, port, pathname, search, hash, method)::omni_httpd.urlpattern;
