-- Deprecated.
create or replace function omni_httpd.unload() returns void
language plpgsql
as $$
begin
  raise warning 'unload has been deprecated and is a no-op now';
end;
$$;
