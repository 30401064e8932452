-- JSON that is nested too deep is told from what is no JSON by PostgreSQL itself, on the embedded engine, too.
\ir ../objects/body_json.sql
drop function howdah.is_too_deep(text);
