-- Handlers run as their role in omni_httpd.handler_role.

create table howdah.stand_ins (
  id int primary key generated always as identity,
  handler regprocedure not null unique,
  role regrole not null,
  -- The parameters of howdah.handler_stand_in_<id>; null: there is none, for a reason.
  signature text,
  problem text,
  -- By somebody else, along with what its role owned.
  dropped boolean not null default false,
  -- Tells whether the handler or the rights of its role have changed since.
  expected text
);

\ir ../objects/stand_ins.sql
\ir ../objects/call_afresh.sql
\ir ../objects/stop_handling.sql
\ir ../objects/catalog.sql
\ir ../objects/discover_routers.sql
\ir ../objects/refresh_available_routers.sql

create trigger howdah_make_stand_ins
  after insert or update or delete or truncate on omni_httpd.handler_role
  for each statement execute function howdah.handler_role_trigger();

-- What cannot be read because somebody has locked it is not the same as what is not there.
\ir ../objects/read_routes.sql
\ir ../objects/shapes_fingerprint.sql
