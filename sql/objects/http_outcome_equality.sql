-- Equality of outcomes by what they mean: a content-type that is only asked for equals one that is written out. Found
-- where omni_httpd is in the search_path; elsewhere `=` compares the bytes.
create or replace function omni_httpd.http_outcome_eq(a omni_httpd.http_outcome, b omni_httpd.http_outcome) returns boolean
language sql stable strict
return case
  when get_byte(a, 0) <> get_byte(b, 0) then false
  when get_byte(a, 0) = 0 then
    a::bytea operator(pg_catalog.=) b::bytea
      or omni_httpd.http_response_from_http_outcome(a) operator(pg_catalog.=) omni_httpd.http_response_from_http_outcome(b)
  else a::bytea operator(pg_catalog.=) b::bytea
end;

create or replace function omni_httpd.http_outcome_ne(a omni_httpd.http_outcome, b omni_httpd.http_outcome) returns boolean
language sql stable strict
return not omni_httpd.http_outcome_eq(a, b);
