-- Forgets the oldest events, of those published before `retention` ago at most max_events, unless another process is just at it. Gives
-- how many it has forgotten.
create or replace function howdah.prune_events(retention interval, max_events int) returns int
language plpgsql
set enable_seqscan = off
as $$
declare
  up_to bigint;
  forgotten int;
begin
  if not pg_try_advisory_xact_lock(7525364775374054775) then
    return 0;
  end if;
  -- Numbers and times grow together.
  select max(id) into up_to
  from (select id, published_at from howdah.events order by id limit max_events) as oldest
  where published_at < clock_timestamp() - retention;
  if up_to is null then
    return 0;
  end if;
  delete from howdah.events where id <= up_to;
  get diagnostics forgotten = row_count;
  update howdah.event_log set pruned_to = up_to where pruned_to < up_to;
  return forgotten;
end;
$$;
