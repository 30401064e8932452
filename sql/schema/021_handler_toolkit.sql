-- For handlers in SQL: what a request brings, taken apart, and what is answered, put together.
\ir ../objects/url_encoding.sql
\ir ../objects/request_parts.sql
\ir ../objects/answers.sql
