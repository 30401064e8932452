-- Sends one message to a WebSocket when the transaction commits: the process that holds the socket takes it from the outbox,
-- wherever it runs. A socket that is gone is counted (howdah.websocket_undelivered), and no error.
create or replace function howdah.put_websocket_message(socket uuid, is_text boolean, payload bytea) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
  -- The process that made the identifier has put its own number in front.
  receiver constant text := left(socket::text, 13);
begin
  if socket is null then
    raise exception 'socket can''t be null';
  end if;
  if payload is null then
    raise exception 'data can''t be null';
  end if;
  insert into howdah.websocket_outbox (node, socket, is_text, payload)
  select known.node, $1, $2, $3 from howdah.websocket_nodes as known where known.node = receiver;
  if found then
    -- Of a transaction's equal notifications one is delivered.
    perform pg_notify('howdah_websocket', receiver);
  else
    perform nextval('howdah.websocket_undelivered_count');
  end if;
end;
$$;

create or replace function omni_httpd.websocket_send(socket uuid, data text) returns void
language plpgsql
as $$
begin
  perform howdah.put_websocket_message(socket, true, convert_to(data, 'UTF8'));
end;
$$;

create or replace function omni_httpd.websocket_send(socket uuid, data bytea) returns void
language plpgsql
as $$
begin
  perform howdah.put_websocket_message(socket, false, data);
end;
$$;
