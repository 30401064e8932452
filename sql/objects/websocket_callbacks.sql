-- Decides on a WebSocket handshake: true accepts.
create or replace function omni_httpd.websocket_handler(int, uuid, omni_httpd.http_request) returns bool
language plpgsql
as $$
begin
  return false;
end;
$$;

-- Called for a WebSocket that was opened, that was closed, and for each message in text and in bytes.

create or replace function omni_httpd.websocket_on_open(uuid) returns void
language plpgsql
as $$
begin
end;
$$;

create or replace function omni_httpd.websocket_on_close(uuid) returns void
language plpgsql
as $$
begin
end;
$$;

create or replace function omni_httpd.websocket_on_message(uuid, text) returns void
language plpgsql
as $$
begin
end;
$$;

create or replace function omni_httpd.websocket_on_message(uuid, bytea) returns void
language plpgsql
as $$
begin
end;
$$;
