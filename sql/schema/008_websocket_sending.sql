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

create sequence howdah.websocket_undelivered_count;

\ir ../objects/websocket_outbox.sql
\ir ../objects/websocket_send.sql
