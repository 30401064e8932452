\ir leaves_nothing.sql

-- How each function is called when it handles a route of a router with that row type (0: of any): the fields of a route in
-- howdah.catalog() that come from the function. Names are qualified: the search_path is empty.
create or replace function howdah.describe_handlers(functions oid[], row_types oid[])
returns table (function oid, row_type oid, shape jsonb)
language plpgsql stable
set search_path = ''
-- In PL/pgSQL, because it keeps the plan. The names of the result are those of columns, too.
as $$
#variable_conflict use_column
begin
  return query
    with pair as (
      select distinct wanted.function, coalesce(wanted.row_type, 0::oid) as row_type
      from unnest(functions, row_types) as wanted (function, row_type)
    ),
    argument as (
      select
        pair.function,
        pair.row_type,
        place,
        case coalesce(proc.proargmodes[place], 'i') when 'o' then 'out' when 'b' then 'inout' else 'in' end as mode,
        type,
        proc.proargnames[place] as parameter,
        case
          when coalesce(proc.proargmodes[place], 'i') = 'o' then 'null'
          when type = pair.row_type then 'row'
          when type = 'omni_httpd.http_request'::regtype then 'request'
          when type = 'int4'::regtype then 'listener'
          when type = 'omni_httpd.http_outcome'::regtype and proc.proargmodes[place] = 'b' then 'outcome'
          else 'null'
        end as pass
      from pair
      join pg_catalog.pg_proc as proc on proc.oid = pair.function
      -- proargtypes counts from 0
      cross join lateral unnest(coalesce(proc.proallargtypes, proc.proargtypes[0:])) with ordinality as listed (type, place)
      -- the columns of RETURNS TABLE are no arguments
      where coalesce(proc.proargmodes[place], 'i') <> 't'
    ),
    -- Of several arguments that the same thing is passed for, the last one gets it.
    passed as (
      select
        argument.function,
        argument.row_type,
        jsonb_agg(
          jsonb_build_object(
            'mode', mode,
            'pass', case when place = last_place then pass else 'null' end,
            'type', format_type(type, null)
          ) || case when parameter <> '' then jsonb_build_object('parameter', parameter) else '{}' end order by place
        ) as arguments,
        bool_or(mode = 'inout' and type = 'omni_httpd.http_outcome'::regtype) as is_middleware,
        bool_or(mode = 'out' and type = 'omni_httpd.http_outcome'::regtype) as has_out
      from (
        select *, max(place) over (partition by argument.function, argument.row_type, pass) as last_place from argument
      ) as argument
      group by argument.function, argument.row_type
    )
    select
      pair.function,
      pair.row_type,
      jsonb_build_object(
        'handler', proc.oid::regprocedure::text,
        'name', format('%I.%I', namespace.nspname, proc.proname),
        'kind', case proc.prokind when 'p' then 'procedure' else 'function' end,
        'volatility', case proc.provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end,
        'returnsSet', proc.proretset or proc.prokind not in ('f', 'p') or proc.provariadic <> 0,
        'securityDefiner', proc.prosecdef,
        'strict', proc.proisstrict,
        'leavesNothing', nothing.function is not null,
        'outcome', case
          when passed.is_middleware then 'inout'
          when proc.prokind <> 'p' and proc.prorettype = 'omni_httpd.http_outcome'::regtype then 'result'
          when proc.prokind = 'p' and passed.has_out then 'out'
          else 'none'
        end,
        'arguments', coalesce(passed.arguments, '[]')
      )
    from pair
    join pg_catalog.pg_proc as proc on proc.oid = pair.function
    join pg_catalog.pg_namespace as namespace on namespace.oid = proc.pronamespace
    left join passed on passed.function = pair.function and passed.row_type = pair.row_type
    left join howdah.leaving_nothing(array(
      select oid from pg_catalog.pg_proc where oid = any (functions) and provolatile <> 'v' and prokind = 'f'
    )) as nothing (function) on nothing.function = pair.function;
end;
$$;
