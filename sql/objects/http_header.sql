-- A header; the constructor of omni_http.http_header.
create or replace function omni_http.http_header(name text, value text) returns omni_http.http_header
language sql immutable
return row(name, value)::omni_http.http_header;
