-- All routes of all routers that can be read.
create or replace function omni_httpd.routes()
returns table (router regclass, matcher regtype, match jsonb, priority int, handler regprocedure, type text)
language sql stable
set search_path = ''
as $$
  with read as materialized (
    select * from howdah.read_routes() as found where found.handler is not null
  )
  select
    route.router,
    'omni_httpd.urlpattern'::regtype,
    route.match,
    route.priority,
    route.handler::regprocedure,
    case when described.shape ->> 'outcome' = 'inout' then 'middleware' else 'handler' end
  from read as route
  join howdah.describe_handlers(array(select distinct handler from read), null) as described
    on described.function = route.handler;
$$;
