-- All routes of all routers that can be read.
create or replace function omni_httpd.routes()
returns table (router regclass, matcher regtype, match jsonb, priority int, handler regprocedure, type text)
language sql stable
set search_path = ''
as $$
  select
    route.router,
    'omni_httpd.urlpattern'::regtype,
    route.match,
    route.priority,
    route.handler::regprocedure,
    case when described.shape ->> 'outcome' = 'inout' then 'middleware' else 'handler' end
  from howdah.read_routes() as route
  join howdah.describe_handlers(
    array(select distinct listed.handler from howdah.read_routes() as listed where listed.handler is not null),
    null
  ) as described on described.function = route.handler;
$$;
