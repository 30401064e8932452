-- Outcomes that are a file, or the list of a directory, below a directory that the operator of the server allows (--allow-fs). The HTTP
-- worker reads it: PostgreSQL may run on another machine. The encoding is described at the type http_outcome; this variant is
--   04  howdah.http_file: headers as those of http_response, one byte (01: list directories), int32 length and mount, int32
--       length and path, and the path that links of a list begin with, up to the end.

create or replace function howdah.local_fs(mount text) returns howdah.local_fs
language sql immutable
return row(mount)::howdah.local_fs;

-- `path` begins with a slash and is that below the mount; `shown_path`, null: the same, is what links of a list begin with. Headers that are given
-- go before those that the server adds (content-type, etag, cache-control).
create or replace function howdah.http_file(
  fs howdah.local_fs,
  path text,
  headers omni_http.http_headers default null,
  listing boolean default false,
  shown_path text default null
) returns omni_httpd.http_outcome
language sql stable
return (
  '\x04'::bytea
    || coalesce(array_send(headers), '\xffffffff'::bytea)
    || case when listing then '\x01'::bytea else '\x00'::bytea end
    || int4send(octet_length(textsend((fs).mount))) || textsend((fs).mount)
    || int4send(octet_length(textsend(path))) || textsend(path)
    || textsend(coalesce(shown_path, path))
)::omni_httpd.http_outcome;

-- Whether values of that type are directories for the server to read: howdah.local_fs, a domain over it, or a type of that name
-- and shape in another schema. (That of omni_vfs has a column `id`.)
create or replace function howdah.is_local_fs(type regtype) returns boolean
language sql stable
return type = 'howdah.local_fs'::regtype or exists (
  select from pg_catalog.pg_type where oid = type and typbasetype = 'howdah.local_fs'::regtype
) or exists (
  select
  from pg_catalog.pg_type as given
  join pg_catalog.pg_attribute on attrelid = given.typrelid
  where given.oid = type and given.typname = 'local_fs' and attname = 'mount'
);
