-- The outcome by which a client gets the events of channels as they come, until it leaves: text/event-stream over HTTP, messages over
-- a WebSocket. Encoded as 03, then int32 and text of the newest event's place (read_events.sql) and of `since` (-1: null), headers as in
-- http_response, and the channels as array_send gives them.
--
-- A client that comes for the first time gets the events after `since`, a place that howdah.last_event_id() gave; null: those that
-- are not visible to this statement yet. One that comes again goes on where it was.
create or replace function howdah.event_stream(
  channels text[],
  since text default null,
  headers omni_http.http_headers default null
) returns omni_httpd.http_outcome
language plpgsql stable
as $$
declare
  place constant text := howdah.last_event_id();
begin
  if coalesce(cardinality(channels), 0) not between 1 and 100 or array_position(channels, null) is not null then
    raise exception 'a stream has 1 to 100 channels, none of them null' using errcode = 'invalid_parameter_value';
  end if;
  -- Nothing can be published there.
  if exists (select from unnest(channels) as listed (channel) where octet_length(channel) not between 1 and 200) then
    raise exception 'the name of a channel has 1 to 200 bytes' using errcode = 'invalid_parameter_value';
  end if;
  return '\x03'::bytea
    || int4send(octet_length(place)) || textsend(place)
    || coalesce(int4send(octet_length(textsend(since))) || textsend(since), '\xffffffff'::bytea)
    || coalesce(array_send(headers), '\xffffffff'::bytea)
    || array_send(channels);
end;
$$;

create or replace function howdah.event_stream(
  channel text,
  since text default null,
  headers omni_http.http_headers default null
) returns omni_httpd.http_outcome
language sql stable
return howdah.event_stream(array[channel], since, headers);
