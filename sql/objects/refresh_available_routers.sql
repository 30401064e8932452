-- Function of the event trigger, where there is one: after DDL, finds routers and raises the epoch if a route's function or
-- router has changed. Never in the way of the DDL.
create or replace function omni_httpd.refresh_available_routers() returns event_trigger
language plpgsql security definer
set search_path = ''
-- Whoever keeps a router locked must not hold up DDL elsewhere: what has changed is then found by the poll.
set lock_timeout = '500ms'
as $$
begin
  -- The refresh that this does itself ends in this event, too.
  if current_setting('howdah.in_event', true) = 'on' then
    return;
  end if;
  perform set_config('howdah.in_event', 'on', true);
  begin
    -- Not in a schema that is older than this function, while it is upgraded.
    if to_regprocedure('howdah.make_stand_ins(boolean)') is not null then
      if howdah.make_stand_ins() then
        perform howdah.raise_epoch();
      end if;
    end if;
    if not howdah.refresh_routers() then
      -- Compared only, not recorded: a row that is written here would make concurrent DDL wait.
      if tg_tag in ('CREATE VIEW', 'ALTER VIEW') then
        perform howdah.follow_routers();
      end if;
      if (select fingerprint from howdah.fingerprints where kind = 'shapes') is distinct from howdah.shapes_fingerprint()
        or tg_tag in ('CREATE VIEW', 'ALTER VIEW', 'REFRESH MATERIALIZED VIEW')
      then
        perform howdah.raise_epoch();
      end if;
    end if;
  exception
    when others then
      raise warning 'howdah could not look for routers: %', sqlerrm;
  end;
  perform set_config('howdah.in_event', 'off', true);
end;
$$;
