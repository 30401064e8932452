-- The rows of howdah.websocket_router with what is to be known of their functions: the list webSockets in howdah.catalog(). A row that
-- cannot be used has the reason in `problem`, as far as it can be told here: which parameters are named like groups of the pattern, only the
-- reader knows (src/catalog/websocket-application.ts).
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
          -- With the types that its parameters begin with, and their number.
          ('handler', route.handler::oid, '{}'::oid[], 0),
          ('on_open', route.on_open::oid, '{2950}'::oid[], 1),
          ('on_message', route.on_message::oid, '{2950,25}'::oid[], 2),
          ('on_binary', route.on_binary::oid, '{2950,17}'::oid[], 2),
          ('on_close', route.on_close::oid, '{2950}'::oid[], 1)
      ) as callback (kind, function, wanted, fixed)
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
        (
          select coalesce(
            jsonb_agg(
              jsonb_build_object(
                'pass', case
                  when named.kind <> 'handler' then case when place = 1 then 'socket' when place = named.fixed then 'data' else 'null' end
                  when type = 'int4'::regtype then 'listener'
                  when type = 'uuid'::regtype then 'socket'
                  when type = 'omni_httpd.http_request'::regtype then 'request'
                  else 'null'
                end,
                'type', format_type(type, null)
              ) || case when parameter <> '' then jsonb_build_object('parameter', parameter) else '{}' end order by place
            ),
            '[]'
          )
          from (
            select type, proc.proargnames[listed.place] as parameter, row_number() over (order by listed.place) as place
            from unnest(coalesce(proc.proallargtypes, proc.proargtypes[0:])) with ordinality as listed (type, place)
            where coalesce(proc.proargmodes[listed.place], 'i') in ('i', 'b')
          ) as argument
        ) as arguments,
        case
          when named.function is null then null
          when proc.oid is null then 'does not exist'
          when proc.prokind <> 'f' or proc.proretset or proc.provariadic <> 0
            then 'is no function that returns one value'
          when exists (select from omni_httpd.handler_role as given where given.handler = proc.oid)
            then 'has a role in omni_httpd.handler_role, which is for handlers of requests: make it security definer'
          when (proc.proargtypes[0:])[1:named.fixed] <> named.wanted
            then format('does not take (%s)', (select string_agg(format_type(taken, null), ', ') from unnest(named.wanted) as taken))
          when named.kind = 'handler' and proc.prorettype not in ('bool'::regtype, 'omni_httpd.http_outcome'::regtype)
            then 'returns neither boolean nor omni_httpd.http_outcome'
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
        jsonb_object_agg(kind, jsonb_build_object('name', name, 'arguments', arguments))
          filter (where existing is not null and kind <> 'handler') as callbacks,
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
        'arguments', arguments,
        'callbacks', coalesce(callbacks, '{}'),
        'onError', on_error,
        'problem', problem
      ) order by priority desc, match::text
    )
    from described
  );
end;
$$;
