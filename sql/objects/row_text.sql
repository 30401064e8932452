-- A row as a record literal that means the same under any search_path.
create or replace function howdah.row_text(router_row anyelement) returns text
language plpgsql stable
set search_path = ''
as $$
begin
  return router_row::text;
end;
$$;
