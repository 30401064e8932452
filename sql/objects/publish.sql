-- Tells everybody who listens to `channel`, when the transaction commits. `data` is sent as its text; `event` is the name that
-- clients may tell kinds of events by.
create or replace function howdah.publish(channel text, event text default null, data anycompatible default null::text)
returns void
language plpgsql security definer
set search_path = ''
as $$
declare
  this_transaction constant xid8 := pg_current_xact_id();
  body constant text := coalesce(data::text, '');
begin
  if channel is null or octet_length(channel) not between 1 and 200 then
    raise exception 'the name of a channel has 1 to 200 bytes' using errcode = 'invalid_parameter_value';
  end if;
  if event ~ '[\r\n]' or octet_length(event) > 200 then
    raise exception 'the name of an event has at most 200 bytes and no line break' using errcode = 'invalid_parameter_value';
  end if;
  if octet_length(body) > 1048576 then
    raise exception 'the data of an event has at most 1048576 bytes, not %', octet_length(body)
      using errcode = 'program_limit_exceeded';
  end if;
  insert into howdah.unnumbered_events (transaction, channel, event, data)
  values (this_transaction, $1, nullif($2, ''), body);
  insert into howdah.publishing (transaction) values (this_transaction) on conflict do nothing;
end;
$$;
