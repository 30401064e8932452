-- Forms with files, for handlers in SQL.
\ir ../objects/form_parts.sql
