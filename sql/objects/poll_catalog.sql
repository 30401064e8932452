-- Looks for every change that no trigger has told of. Raises the epoch and returns true if there was one. To be called now and
-- then by one worker.
create or replace function howdah.poll_catalog() returns boolean
language plpgsql
as $$
declare
  discovered boolean;
  routes text;
begin
  -- Another session is at it.
  if not pg_try_advisory_xact_lock(hashtext('howdah.poll_catalog')) then
    return false;
  end if;
  discovered := howdah.discover_routers();
  -- A table may have become one that can be followed, and what a view reads may have changed.
  perform howdah.follow_routers();
  select md5(string_agg(format('%s %s %s %s %s', router, router_row, priority, handler, problem), chr(10)
    order by router, router_row, handler))
  into routes
  from howdah.read_routes(array(select router from howdah.polled_routers));
  update howdah.fingerprints set fingerprint = coalesce(routes, '')
  where kind = 'routes' and fingerprint is distinct from coalesce(routes, '');
  if found then
    perform howdah.raise_epoch();
    discovered := true;
  end if;
  -- Transactions with an older snapshot leave a slot each. Moved together the sum stays what it is.
  with spare as (
    delete from howdah.epoch_slot
    where slot in (select slot from howdah.epoch_slot order by slot for update skip locked)
      and (select count(*) from howdah.epoch_slot) > 32
    returning n
  )
  insert into howdah.epoch_slot (n) select sum(n) from spare having count(*) > 0;
  return discovered;
end;
$$;
