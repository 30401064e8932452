-- The setting omni_httpd.http_workers as a new session would have it; null: not set. A server that is not told by --workers
-- asks when it starts and at each reload of the configuration. So that `alter database … set omni_httpd.http_workers = 4` takes
-- effect without a new session, what databases and roles have is read from where it is kept.
create or replace function howdah.http_workers() returns integer
language plpgsql stable
set search_path = ''
as $$
declare
  found text;
begin
  select split_part(entry, '=', 2) into found
  from pg_catalog.pg_db_role_setting as kept
  cross join unnest(kept.setconfig) as entry
  where entry like 'omni\_httpd.http\_workers=%'
    and kept.setdatabase in (0, (select oid from pg_catalog.pg_database where datname = current_database()))
    and kept.setrole in (0, (select oid from pg_catalog.pg_roles where rolname = session_user))
  order by kept.setrole = 0, kept.setdatabase = 0
  limit 1;
  found := coalesce(found, nullif(current_setting('omni_httpd.http_workers', true), ''));
  -- What is no number of workers is as if it was not set: a typing error must not end a server.
  return case when found ~ '^[1-9][0-9]{0,3}$' then found::integer end;
end;
$$;
