-- A stream of a channel that cannot be, which would say nothing for ever, is refused.
\ir ../objects/event_stream.sql
