-- Constructor of omni_httpd.http_request. The order of the arguments is not that of the fields.
create or replace function omni_httpd.http_request(
  path text,
  method omni_http.http_method default 'GET',
  query_string text default null,
  body bytea default null,
  headers omni_http.http_headers default array[]::omni_http.http_headers
) returns omni_httpd.http_request
language sql immutable
return row(method, path, query_string, body, headers)::omni_httpd.http_request;
