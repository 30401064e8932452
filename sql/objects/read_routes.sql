-- The routes of the given routers (null: all that are known), in no order. Rows without a match, without a handler, or whose
-- function has vanished are passed over. A router that cannot be read gives one row with a problem and no handler.
create or replace function howdah.read_routes(chosen regclass[] default null)
returns table (
  router regclass,
  router_row text,
  match jsonb,
  priority int,
  handler oid,
  problem text
)
language plpgsql stable
as $$
declare
  known record;
  oid_aliases constant regtype[] := array[
    'regclass', 'regcollation', 'regconfig', 'regdictionary', 'regnamespace', 'regoper', 'regoperator', 'regproc',
    'regprocedure', 'regrole', 'regtype'
  ];
begin
  -- The routers are read under the caller's search_path, which what is behind a view may need.
  for known in
    select
      relation.oid::regclass as relation,
      format('%I.%I', relation.relnamespace::regnamespace::name, relation.relname) as name,
      match.attname as match_column,
      handler.attname as handler_column,
      priority.attname as priority_column,
      (
        -- Names of functions, tables and so on depend on the search_path, and their OIDs are understood as well.
        select string_agg(
          format(case when atttypid = any (oid_aliases) then 'route.%I::oid' else 'route.%I' end, attname),
          ', ' order by attnum
        )
        from pg_catalog.pg_attribute
        where attrelid = relation.oid and attnum > 0 and not attisdropped
      ) as columns
    from omni_httpd.available_routers as available
    join pg_catalog.pg_class as relation on relation.oid = available.router_relation
    join pg_catalog.pg_attribute as match
      on match.attrelid = relation.oid and match.attnum = match_col_idx and match.atttypid = 'omni_httpd.urlpattern'::regtype
    join pg_catalog.pg_attribute as handler
      on handler.attrelid = relation.oid and handler.attnum = handler_col_idx and handler.atttypid = 'regprocedure'::regtype
    left join pg_catalog.pg_attribute as priority
      on priority.attrelid = relation.oid and priority.attnum = priority_col_idx
        and priority.atttypid = 'omni_httpd.route_priority'::regtype
    where chosen is null or relation.oid = any (chosen)
    order by relation.oid
  loop
    begin
      -- "is distinct from null", because urlpattern() is a row of nulls, and a match.
      return query execute format(
        'select $1, row(%5$s)::text, jsonb_strip_nulls(to_jsonb(route.%1$I)), %2$s, route.%3$I::oid, null::text
         from %4$s as route
         join pg_catalog.pg_proc as function on function.oid = route.%3$I
         where route.%1$I is distinct from null',
        known.match_column,
        case when known.priority_column is null then '0' else format('coalesce(route.%I::int, 0)', known.priority_column) end,
        known.handler_column,
        known.name,
        known.columns
      ) using known.relation;
    exception
      -- Its rows are not known, so it must not seem to have none.
      when lock_not_available then
        raise;
      -- One broken router must not take the others with it.
      when others then
        router := known.relation;
        router_row := null;
        match := null;
        priority := 0;
        handler := null;
        problem := sqlerrm;
        return next;
    end;
  end loop;
end;
$$;
