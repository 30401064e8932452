-- At the end of a transaction that has published: gives its events their ids and tells the workers (010_events.sql has the reasons).
create or replace function howdah.number_events() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  channels text[];
  told text;
begin
  if not new.is_last then
    -- The application's deferred triggers come first: what they wait for must not be somebody who waits for our lock.
    update howdah.publishing set is_last = true where transaction = new.transaction;
    return null;
  end if;
  delete from howdah.publishing where transaction = new.transaction;
  -- Any number that others are unlikely to lock.
  perform pg_advisory_xact_lock(7525364775374054774);
  with own as (
    delete from howdah.unnumbered_events where transaction = new.transaction returning *
  ),
  numbered as (
    insert into howdah.events (id, channel, event, data, published_at)
    select nextval('howdah.event_id'), channel, event, data, clock_timestamp()
    from (select * from own order by place) as in_order
    returning channel
  )
  select array_agg(distinct numbered.channel) into channels from numbered;
  if cardinality(channels) > 100 then
    -- Stands for all of them: the queue of notifications is limited.
    perform pg_notify('howdah_events', '');
  else
    foreach told in array coalesce(channels, '{}') loop
      perform pg_notify('howdah_events', told);
    end loop;
  end if;
  return null;
end;
$$;
