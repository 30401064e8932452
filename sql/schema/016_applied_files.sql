-- The files of SQL that `howdah dev` has run: each runs again when its content is another.
create table howdah.applied_files (
  -- As it was given, or relative to the directory that was.
  path text primary key,
  -- SHA-256 of the content, hexadecimal.
  hash text not null,
  applied_at timestamptz not null default now()
);
