-- What a process that holds WebSockets calls: takes its messages, says that it is there, leaves.

-- The oldest messages for a process, removed from the outbox; null: there are none. Those that are max_messages from the first
-- and begin within its first max_bytes, and any that were committed late and belong between them. Each is 16 bytes of uuid,
-- one byte (01 text, 00 bytes), four bytes of length, and the payload.
create or replace function howdah.take_websocket_messages(receiver text, max_messages int, max_bytes int) returns bytea
language plpgsql
-- The plans are made while the outbox is empty, when the index does not seem worth it, and are kept.
set enable_seqscan = off
as $$
declare
  last_fitting bigint;
  together bytea;
begin
  select max(id) into last_fitting
  from (
    select id, sum(bytes) over (order by id) - bytes as before
    from (
      select id, octet_length(payload) as bytes
      from howdah.websocket_outbox
      where node = receiver
      order by id
      limit max_messages
    ) as first
  ) as summed
  where before < max_bytes;
  if last_fitting is null then
    return null;
  end if;
  with taken as (
    delete from howdah.websocket_outbox
    where node = receiver and id <= last_fitting
    returning *
  )
  select string_agg(
    uuid_send(socket) || case when is_text then '\x01'::bytea else '\x00'::bytea end
      || int4send(octet_length(payload)) || payload,
    ''::bytea order by id
  )
  into together
  from taken;
  return together;
end;
$$;

-- Messages that reached nobody are counted without holding anybody up: a sequence is not part of the transaction.
create or replace function howdah.count_websocket_undelivered(messages bigint) returns void
language plpgsql
as $$
begin
  perform nextval('howdah.websocket_undelivered_count') from generate_series(1, messages);
end;
$$;

-- How many messages were sent to a WebSocket that was gone, or too slow to take them, since the installation.
create or replace function howdah.websocket_undelivered() returns bigint
language sql stable security definer
set search_path = ''
return (select case when is_called then last_value else 0 end from howdah.websocket_undelivered_count);

-- Says that the process is there. Whoever has not said so for a minute is gone, and what is in the outbox for it undelivered.
create or replace function howdah.keep_websocket_node(receiver text) returns void
language plpgsql
as $$
begin
  insert into howdah.websocket_nodes (node, seen_at) values (receiver, clock_timestamp())
  on conflict (node) do update set seen_at = excluded.seen_at;
  delete from howdah.websocket_nodes
  where node in (
    select node from howdah.websocket_nodes
    where seen_at < clock_timestamp() - interval '1 minute'
    for update skip locked
  );
  perform howdah.drop_websocket_messages();
end;
$$;

create or replace function howdah.leave_websocket_node(receiver text) returns void
language plpgsql
as $$
begin
  delete from howdah.websocket_nodes where node = receiver;
  perform howdah.drop_websocket_messages();
end;
$$;

create or replace function howdah.drop_websocket_messages() returns void
language plpgsql
as $$
declare
  messages bigint;
begin
  with lost as (
    delete from howdah.websocket_outbox
    where (node, id) in (
      select node, id from howdah.websocket_outbox as message
      where not exists (select from howdah.websocket_nodes as known where known.node = message.node)
      for update skip locked
    )
    returning 1
  )
  select count(*) into messages from lost;
  perform howdah.count_websocket_undelivered(messages);
end;
$$;
