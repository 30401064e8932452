-- Which handlers leave nothing in their session, so that calls of them share a statement.
\ir ../objects/leaves_nothing.sql
\ir ../objects/describe_handlers.sql
