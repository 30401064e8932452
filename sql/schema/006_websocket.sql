-- What a WebSocket calls. Looked up by OID: replace these functions, do not drop them.
\ir ../objects/websocket_callbacks.sql
