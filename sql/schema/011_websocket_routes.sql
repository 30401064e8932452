-- Several applications of WebSockets in one server: which functions serve which path. A handshake that no row matches goes to
-- omni_httpd.websocket_handler, as without this table.
create table howdah.websocket_router (
  match omni_httpd.urlpattern not null unique,
  -- Decides: takes what it wants of the listener's id (int), the socket (uuid) and the request; gives a boolean, or an http_outcome:
  -- howdah.event_stream() accepts and feeds the socket, a response is sent instead.
  handler regprocedure not null,
  on_open regprocedure,
  on_message regprocedure,
  on_binary regprocedure,
  on_close regprocedure,
  -- What a socket whose function failed can expect: to stay open, or to be closed (1011; 1013 where the database was away).
  on_error text not null default 'keep' check (on_error in ('keep', 'close')),
  priority omni_httpd.route_priority not null default 0
);

\ir ../objects/websocket_routes.sql
\ir ../objects/catalog.sql
\ir ../objects/shapes_fingerprint.sql

create trigger howdah_touch_catalog
  after insert or update or delete or truncate on howdah.websocket_router
  for each statement execute function howdah.touch_catalog();
