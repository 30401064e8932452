-- Trigger of the tables that the catalog is made from.
create or replace function howdah.touch_catalog() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  perform howdah.raise_epoch();
  return null;
end;
$$;
