-- The groups of a pattern as arguments of the functions of a WebSocket, and whether a handler is strict.
\ir ../objects/describe_handlers.sql
\ir ../objects/websocket_routes.sql
