-- The welcome page leads to the examples where they are there.
\ir ../objects/default_page.sql
