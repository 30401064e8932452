-- Routers: the relations that hold routes, how they are found, and the roles that handlers run as.

-- Every change of the catalog raises the sum of these by one. A transaction takes a slot that no other holds, so that
-- writers do not wait for one another.
create table howdah.epoch_slot (
  slot int primary key generated always as identity,
  n bigint not null default 0
);
insert into howdah.epoch_slot (n) values (1);

\ir ../objects/epoch.sql
\ir ../objects/raise_epoch.sql
\ir ../objects/touch_catalog.sql

create table omni_httpd.urlpattern_router (
  match omni_httpd.urlpattern unique,
  handler regprocedure
);

-- A template for `like`.
create table omni_httpd.router_priority (
  priority omni_httpd.route_priority
);

create table omni_httpd.handler_role (
  handler regprocedure not null primary key,
  role regrole not null
);

-- What default_router calls. Kept by OID: replace it, do not drop it.
\ir ../objects/handler.sql

-- Itself a router: what nothing else matches goes to the procedure omni_httpd.handler. Its columns are called column1 to
-- column3 there where this API comes from, and applications may have used the names.
create view omni_httpd.default_router (column1, column2, column3) as
  select
    omni_httpd.urlpattern(),
    'omni_httpd.handler(int,omni_httpd.http_request)'::regprocedure,
    (-2147483648)::omni_httpd.route_priority
  where not coalesce(nullif(current_setting('omni_httpd.no_init', true), '')::boolean, false);

\ir ../objects/found_routers.sql

create materialized view omni_httpd.available_routers as
  select * from howdah.found_routers;

-- Routers whose changes no trigger tells, and why: they are compared by howdah.poll_catalog().
create table howdah.polled_routers (
  router regclass primary key,
  reason text not null
);

-- What was there when the catalog was last compared: 'shapes' for routers and handlers, 'routes' for polled routers.
create table howdah.fingerprints (
  kind text primary key check (kind in ('shapes', 'routes')),
  fingerprint text not null
);
insert into howdah.fingerprints (kind, fingerprint) values ('shapes', ''), ('routes', '');

\ir ../objects/read_routes.sql
\ir ../objects/describe_handlers.sql
\ir ../objects/routes.sql

create view omni_httpd.routes as
  select * from omni_httpd.routes() order by priority desc nulls last;

\ir ../objects/stop_handling.sql
