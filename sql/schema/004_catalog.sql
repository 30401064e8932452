-- The catalog as the workers read it, what makes it follow changes, and the problems that they found in it.

-- Written by the workers; the key is a hash since the texts may be longer than an index entry.
create table howdah.reported_problems (
  key text primary key generated always as
    (md5(router || chr(10) || match || chr(10) || handler || chr(10) || problem)) stored,
  router text not null,
  match text not null,
  handler text not null,
  problem text not null,
  seen_at timestamptz not null default now()
);

create view howdah.route_problems as
  select router, match, handler, problem, seen_at from howdah.reported_problems;

\ir ../objects/catalog.sql
\ir ../objects/report_problems.sql
\ir ../objects/follow_router.sql
\ir ../objects/shapes_fingerprint.sql
\ir ../objects/discover_routers.sql
\ir ../objects/poll_catalog.sql
\ir ../objects/refresh_available_routers.sql

create trigger howdah_touch_catalog
  after insert or update or delete or truncate on omni_httpd.listeners
  for each statement execute function howdah.touch_catalog();
create trigger howdah_touch_catalog
  after insert or update or delete or truncate on omni_httpd.urlpattern_router
  for each statement execute function howdah.touch_catalog();
create trigger howdah_touch_catalog
  after insert or update or delete or truncate on omni_httpd.handler_role
  for each statement execute function howdah.touch_catalog();

\ir ../objects/event_trigger.sql
