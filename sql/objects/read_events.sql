-- What workers read of the events, in one snapshot (the function is stable).

-- The events after `after_id` on `channels` (null: on any; each is named once), oldest first, up to max_events and max_bytes (one may go
-- beyond). Encoded, integers big-endian: int64 up to which id events are no longer kept; int64 up to which id the answer is
-- complete; int32 and text of the era; then for each event int64 id, int32 and text of channel, of event (-1: null), of data.
create or replace function howdah.read_events(after_id bigint, channels text[], max_events int, max_bytes int) returns bytea
language plpgsql stable
-- The plans are made while there are no events, when the index does not seem worth it, and are kept.
set enable_seqscan = off
as $$
declare
  log howdah.event_log;
  complete_to bigint;
  together bytea;
  taken bigint;
  taken_to bigint;
  found_events bigint;
begin
  select * into log from howdah.event_log;
  select greatest(max(id), log.pruned_to) into complete_to from howdah.events;
  with found as materialized (
    select * from (
      (select id, channel, event, data from howdah.events where channels is null and id > after_id order by id limit max_events)
      union all
      -- From the index of each channel: there may be many events on others.
      select late.*
      from unnest(channels) as wanted (channel)
      cross join lateral (
        select id, events.channel, event, data from howdah.events
        where events.channel = wanted.channel and id > after_id
        order by id
        limit max_events
      ) as late
    ) as any_order
    order by id
    limit max_events
  ),
  summed as (
    select *, sum(octet_length(data)) over (order by id) - octet_length(data) as before from found
  )
  select
    string_agg(
      int8send(id) || int4send(octet_length(textsend(channel))) || textsend(channel)
        || coalesce(int4send(octet_length(textsend(event))) || textsend(event), '\xffffffff'::bytea)
        || int4send(octet_length(textsend(data))) || textsend(data),
      ''::bytea order by id
    ),
    count(*),
    max(id),
    (select count(*) from found)
  into together, taken, taken_to, found_events
  from summed
  where before < max_bytes;
  if taken < found_events or found_events = max_events then
    complete_to := taken_to;
  end if;
  return int8send(log.pruned_to) || int8send(complete_to) || int4send(octet_length(log.era)) || textsend(log.era)
    || coalesce(together, ''::bytea);
end;
$$;

-- The place of the newest event, for whoever wants those after it.
create or replace function howdah.last_event_id() returns text
language sql stable security definer
set search_path = ''
return (
  select log.era || '.' || greatest((select max(id) from howdah.events), log.pruned_to) from howdah.event_log as log
);
