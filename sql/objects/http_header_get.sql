-- Value of the first header of that name (in any case), or null. A loop over the array, because starting an executor for a
-- query over unnest() costs twice as much for ten headers. Names are ASCII: "C" spares the locale.
create or replace function omni_http.http_header_get(headers omni_http.http_headers, name text) returns text
language plpgsql immutable strict
as $$
declare
  fields constant omni_http.http_header[] := headers;
  wanted constant text := lower(name collate "C");
begin
  for i in coalesce(array_lower(fields, 1), 1)..coalesce(array_upper(fields, 1), 0) loop
    if lower(fields[i].name collate "C") = wanted then
      return fields[i].value;
    end if;
  end loop;
  return null;
end;
$$;
