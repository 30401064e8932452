-- Looks for every change that no trigger has told of. Raises the epoch and returns true if there was one. To be called now and
-- then by one worker.
create or replace function howdah.poll_catalog() returns boolean
language plpgsql
as $$
declare
  discovered boolean;
  router_reason record;
  why text;
  routes text;
begin
  -- Another session is at it.
  if not pg_try_advisory_xact_lock(hashtext('howdah.poll_catalog')) then
    return false;
  end if;
  discovered := howdah.discover_routers();
  -- A table may have become followable, and a partition or the text of a view may be new.
  for router_reason in
    select router_relation as router, polled.reason
    from omni_httpd.available_routers
    left join howdah.polled_routers as polled on polled.router = router_relation
  loop
    why := howdah.follow_router(router_reason.router);
    if why is distinct from router_reason.reason then
      delete from howdah.polled_routers as polled where polled.router = router_reason.router;
      if why is not null then
        insert into howdah.polled_routers (router, reason) values (router_reason.router, why);
      end if;
    end if;
  end loop;
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
