-- Values of the headers of that name (in any case), in order; none for null arguments. Not strict, since PostgreSQL inlines
-- no strict set-returning function.
create or replace function omni_http.http_header_get_all(headers omni_http.http_headers, header_name text)
returns setof text
language sql immutable
begin atomic
  select field.value
  from unnest(headers) with ordinality as field (name, value, place)
  where lower(field.name collate "C") = lower(header_name collate "C")
  order by field.place;
end;
