-- Messages on their way to WebSockets. NOTIFY only wakes the process that holds the socket: its payload is limited to 8000 bytes.

-- The processes that hold WebSockets, by the first 12 digits of their sockets' identifiers.
create table howdah.websocket_nodes (
  node text primary key,
  seen_at timestamptz not null
);

create table howdah.websocket_outbox (
  id bigint not null generated always as identity,
  node text not null,
  socket uuid not null,
  is_text boolean not null,
  payload bytea not null,
  primary key (node, id)
);

-- Messages matter as long as there are sockets, and a transaction with NOTIFY holds every other one up while its commit is
-- written to disk. On a server (PostgreSQL 15, messages of 64 bytes), one session and 16 sent 1 800 and 900 a second with a
-- logged table, 8 400 and 4 800 without; so a crash of the server empties it. The embedded engine does not wait for the disk, and
-- is ended when a handler loops, which must not lose what others sent: logged.
do $$
begin
  if current_setting('howdah.embedded', true) is distinct from 'on' then
    alter table howdah.websocket_outbox set unlogged;
  end if;
end;
$$;

create sequence howdah.websocket_undelivered_count;

\ir ../objects/websocket_outbox.sql
\ir ../objects/websocket_send.sql
