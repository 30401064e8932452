-- Redirects with headers of one's own; and a role that has no right to the schema of outcomes is told before its handler is called.
\ir ../objects/answers.sql
\ir ../objects/stand_ins.sql
