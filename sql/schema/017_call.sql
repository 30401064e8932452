-- Handlers called from SQL, for tests.
\ir ../objects/pattern_regex.sql
\ir ../objects/call.sql
