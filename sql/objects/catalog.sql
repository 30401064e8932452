-- The catalog as the workers compile it, all read in one snapshot. The shape is that of CatalogRows in
-- src/catalog/catalog-rows.ts.
create or replace function howdah.catalog() returns jsonb
language plpgsql stable
-- In PL/pgSQL, because it keeps the plan.
as $$
begin
  return (
    with read as materialized (
      select
        found.*,
        format('%I.%I', relation.relnamespace::regnamespace::name, relation.relname) as router_name,
        relation.reltype
      from howdah.read_routes() as found
      join pg_catalog.pg_class as relation on relation.oid = found.router
    ),
    described as materialized (
      select shape.*
      from
        (select array_agg(handler) as handlers, array_agg(reltype) as types from read where handler is not null) as wanted,
        howdah.describe_handlers(wanted.handlers, wanted.types) as shape
    ),
    route as materialized (
      select
        read.*,
        described.shape,
        given.role as role_oid,
        role.rolname,
        case when stand_in.signature is not null then format('howdah.handler_stand_in_%s', stand_in.id) end as stand_in,
        stand_in.problem as stand_in_problem,
        options.retry,
        options.cancel_on_disconnect
      from read
      join described on described.function = read.handler and described.row_type = read.reltype
      left join omni_httpd.handler_role as given on given.handler = read.handler
      left join pg_catalog.pg_roles as role on role.oid = given.role
      left join howdah.stand_ins as stand_in on stand_in.handler = given.handler and stand_in.role = given.role
      left join howdah.handler_options as options on options.handler = read.handler
    )
    select jsonb_build_object(
      'epoch', howdah.epoch()::text,
      'types', jsonb_build_object(
        'httpRequest', 'omni_httpd.http_request'::regtype::oid::bigint,
        'httpMethod', 'omni_http.http_method'::regtype::oid::bigint,
        'httpHeader', 'omni_http.http_header'::regtype::oid::bigint,
        'httpHeaderArray', 'omni_http.http_header[]'::regtype::oid::bigint,
        'httpHeaders', 'omni_http.http_headers'::regtype::oid::bigint,
        'httpOutcome', 'omni_httpd.http_outcome'::regtype::oid::bigint
      ),
      'listeners', coalesce(
        (
          select jsonb_agg(
            jsonb_build_object(
              'id', id,
              'address', host(address),
              'port', port,
              'effectivePort', effective_port,
              'protocol', protocol
            ) order by id
          )
          from omni_httpd.listeners
        ),
        '[]'
      ),
      'routes', coalesce(
        (
          select jsonb_agg(
            shape || jsonb_build_object(
              'router', router_name,
              'row', router_row,
              'match', match,
              'priority', priority,
              'role', rolname,
              'standIn', stand_in,
              'retry', coalesce(retry, false),
              'cancelOnDisconnect', coalesce(cancel_on_disconnect, false)
            ) order by priority desc, router_name, router_row
          )
          from route
          where role_oid is null or stand_in is not null
        ),
        '[]'
      ),
      'webSockets', coalesce(howdah.websocket_routes(), '[]'),
      'problems', coalesce(
        (
          select jsonb_agg(
            jsonb_build_object('router', router_name, 'match', match, 'handler', handler, 'problem', problem)
            order by router_name, match, handler
          )
          from (
            select router_name, '' as match, '' as handler, problem
            from read
            where problem is not null
            union all
            -- Without its role the handler would run with all rights of the server.
            select
              router_name,
              match::text,
              shape ->> 'handler',
              case
                when rolname is null then 'the role of this handler in omni_httpd.handler_role does not exist'
                else coalesce(stand_in_problem, format('no function that runs it as %I has been made yet', rolname))
              end
            from route
            where role_oid is not null and stand_in is null
          ) as found
        ),
        '[]'
      )
    )
  );
end;
$$;
