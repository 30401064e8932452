-- Files that the server reads.

-- A directory of the machine that the HTTP worker runs on.
create type howdah.local_fs as (mount text);

-- A further variant of omni_httpd.http_outcome.
create type howdah.http_file as (
  mount text,
  path text,
  headers omni_http.http_headers,
  listing boolean,
  shown_path text
);
update omni_types.sum_types
set variants = variants || 'howdah.http_file'::regtype
where typ = 'omni_httpd.http_outcome'::regtype;

\ir ../objects/http_file.sql
\ir ../objects/variant.sql
\ir ../objects/instantiate_static_file_handler.sql
