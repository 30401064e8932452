-- The rows of howdah.websocket_router with what is to be known of their functions: the list webSockets in howdah.catalog(). A row that
-- cannot be used has the reason in `problem`.
create or replace function howdah.websocket_routes() returns jsonb
language plpgsql stable
set search_path = ''
as $$
#variable_conflict use_column
begin
  return (
    with named as (
      select
        to_jsonb(route.match) as match,
        route.handler::oid as handler,
        route.priority,
        route.on_error,
        callback.*
      from howdah.websocket_router as route
      cross join lateral (
        values
          ('handler', route.handler::oid, null::oidvector),
          ('on_open', route.on_open::oid, '2950'::oidvector),
          ('on_message', route.on_message::oid, '2950 25'::oidvector),
          ('on_binary', route.on_binary::oid, '2950 17'::oidvector),
          ('on_close', route.on_close::oid, '2950'::oidvector)
      ) as callback (kind, function, wanted)
    ),
    looked_at as (
      select
        named.match,
        named.handler,
        named.priority,
        named.on_error,
        named.kind,
        proc.oid as existing,
        format('%I.%I', proc.pronamespace::regnamespace::name, proc.proname) as name,
        proc.prorettype,
        case when named.kind = 'handler' then
          (
            select jsonb_agg(
              case taken when 'int4'::regtype then 'listener' when 'uuid'::regtype then 'socket' else 'request' end order by place
            )
            from unnest(proc.proargtypes) with ordinality as listed (taken, place)
          )
        end as arguments,
        case
          when named.function is null then null
          when proc.oid is null then 'does not exist'
          when proc.prokind <> 'f' or proc.proretset or proc.provariadic <> 0
            then 'is no function that returns one value'
          when exists (select from omni_httpd.handler_role as given where given.handler = proc.oid)
            then 'has a role in omni_httpd.handler_role, which is for handlers of requests: make it security definer'
          when named.wanted is not null and proc.proargtypes <> named.wanted
            then format('does not take (%s)', (select string_agg(format_type(taken, null), ', ') from unnest(named.wanted) as taken))
          when named.kind = 'handler' and proc.prorettype not in ('bool'::regtype, 'omni_httpd.http_outcome'::regtype)
            then 'returns neither boolean nor omni_httpd.http_outcome'
          when named.kind = 'handler' and exists (
            select from unnest(proc.proargtypes) as taken
            where taken not in ('int4'::regtype, 'uuid'::regtype, 'omni_httpd.http_request'::regtype)
            union all
            select from unnest(proc.proargtypes) as taken group by taken having count(*) > 1
          ) then 'takes something else than one each of int, uuid and omni_httpd.http_request'
        end as problem
      from named
      left join pg_catalog.pg_proc as proc on proc.oid = named.function
    ),
    described as (
      select
        match,
        max(priority) as priority,
        max(on_error) as on_error,
        coalesce(max(handler::regprocedure::text) filter (where kind = 'handler'), '') as handler,
        jsonb_object_agg(kind, name) filter (where existing is not null and kind <> 'handler') as callbacks,
        max(name) filter (where kind = 'handler') as name,
        bool_or(prorettype = 'omni_httpd.http_outcome'::regtype) filter (where kind = 'handler') as gives_outcome,
        (jsonb_agg(arguments) filter (where kind = 'handler')) -> 0 as arguments,
        string_agg(format('its %s %s', kind, problem), '; ' order by kind) filter (where problem is not null) as problem
      from looked_at
      group by match
    )
    select jsonb_agg(
      jsonb_build_object(
        'match', jsonb_strip_nulls(match),
        'priority', priority,
        'handler', handler,
        'name', name,
        'outcome', gives_outcome,
        'arguments', case jsonb_typeof(arguments) when 'array' then arguments else '[]' end,
        'callbacks', coalesce(callbacks, '{}'),
        'onError', on_error,
        'problem', problem
      ) order by priority desc, match::text
    )
    from described
  );
end;
$$;
