-- Brings available_routers up to date if the set of routers has changed, and puts triggers on new ones. Returns whether
-- it has. Cheap where nothing has changed.
create or replace function howdah.refresh_routers() returns boolean
language plpgsql security definer
set search_path = ''
-- A table that somebody keeps locked is followed the next time; until then it is polled.
set lock_timeout = '2s'
as $$
declare
  changed constant boolean :=
    (select array_agg(found.*::text order by router_relation) from howdah.found_routers as found)
    is distinct from
    (select array_agg(known.*::text order by router_relation) from omni_httpd.available_routers as known);
begin
  if changed then
    -- One after the other: a refresh shows what was committed when its statement began, and that is before it waits for
    -- the lock on the view.
    perform pg_advisory_xact_lock(hashtext('howdah.refresh_routers'));
    refresh materialized view omni_httpd.available_routers;
  end if;
  if changed
    -- a new partition or child of a table that is followed
    or exists (
      select
      from pg_catalog.pg_inherits
      join pg_catalog.pg_trigger on tgrelid = inhparent and tgfoid = 'howdah.touch_catalog()'::regprocedure
      where not exists (
        select from pg_catalog.pg_trigger as own
        where own.tgrelid = inhrelid and own.tgfoid = 'howdah.touch_catalog()'::regprocedure
      )
    )
  then
    perform howdah.follow_routers();
  end if;
  if changed then
    perform howdah.raise_epoch();
  end if;
  return changed;
end;
$$;

-- Finds routers that are new, changed or gone, handlers and roles that have changed, and rights that were granted: for where
-- no event trigger tells, after a DDL statement or now and then. Raises the epoch and returns true if anything had changed.
create or replace function howdah.discover_routers() returns boolean
language plpgsql
as $$
declare
  refreshed boolean := howdah.refresh_routers();
  shapes constant text := howdah.shapes_fingerprint();
begin
  -- Not in a schema that is older than this function, while it is upgraded.
  if to_regprocedure('howdah.make_stand_ins(boolean)') is not null then
    if howdah.make_stand_ins() then
      perform howdah.raise_epoch();
      refreshed := true;
    end if;
  end if;
  update howdah.fingerprints set fingerprint = shapes where kind = 'shapes' and fingerprint is distinct from shapes;
  if found then
    perform howdah.raise_epoch();
    return true;
  end if;
  return refreshed;
end;
$$;
