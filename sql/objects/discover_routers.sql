-- Brings available_routers up to date if the set of routers has changed, and puts triggers on new ones. Returns whether
-- it has. Cheap where nothing has changed.
create or replace function howdah.refresh_routers() returns boolean
language plpgsql security definer
set search_path = ''
-- A table that somebody keeps locked is followed the next time; until then it is polled.
set lock_timeout = '2s'
as $$
declare
  discovered regclass;
  why text;
begin
  if (select array_agg(found.*::text order by router_relation) from howdah.found_routers as found)
    is not distinct from
    (select array_agg(known.*::text order by router_relation) from omni_httpd.available_routers as known)
  then
    return false;
  end if;
  -- One after the other: a refresh shows what was committed when its statement began, and that is before it waits for
  -- the lock on the view.
  perform pg_advisory_xact_lock(hashtext('howdah.refresh_routers'));
  refresh materialized view omni_httpd.available_routers;
  delete from howdah.polled_routers as polled
  where not exists (select from omni_httpd.available_routers where router_relation = polled.router);
  foreach discovered in array array(select router_relation from omni_httpd.available_routers) loop
    why := howdah.follow_router(discovered);
    if why is null then
      delete from howdah.polled_routers as polled where polled.router = discovered;
    else
      insert into howdah.polled_routers as polled (router, reason) values (discovered, why)
      on conflict on constraint polled_routers_pkey do update set reason = excluded.reason
      where polled.reason is distinct from excluded.reason;
    end if;
  end loop;
  perform howdah.raise_epoch();
  return true;
end;
$$;

-- Finds routers that are new, changed or gone, and handlers and roles that have changed: for where no event trigger tells,
-- after a DDL statement or now and then. Raises the epoch and returns true if anything had changed.
create or replace function howdah.discover_routers() returns boolean
language plpgsql
as $$
declare
  refreshed constant boolean := howdah.refresh_routers();
  shapes constant text := howdah.shapes_fingerprint();
begin
  update howdah.fingerprints set fingerprint = shapes where kind = 'shapes' and fingerprint is distinct from shapes;
  if found then
    perform howdah.raise_epoch();
    return true;
  end if;
  return refreshed;
end;
$$;
