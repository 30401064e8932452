// The objects of the SQL interface as an installed database has them, each by a name that says what it is. No test itself.

/** One column, `object`: types, relations, routines, operators and triggers of the schemas that omni_httpd has. */
export const SQL_SURFACE = `
  select set_config('search_path', '', true);
  with schemas as (
    select oid from pg_catalog.pg_namespace where nspname in ('omni_http', 'omni_httpd', 'omni_types')
  )
  select object from (
    select 'type ' || format_type(pg_type.oid, null) as object
    from pg_catalog.pg_type
    left join pg_catalog.pg_class on pg_class.oid = typrelid
    where typnamespace in (select oid from schemas) and typcategory <> 'A' and (typrelid = 0 or relkind = 'c')
    union all
    select case relkind when 'r' then 'table ' when 'v' then 'view ' when 'm' then 'materialized view ' end || pg_class.oid::regclass::text
    from pg_catalog.pg_class
    where relnamespace in (select oid from schemas) and relkind in ('r', 'v', 'm')
    union all
    select case prokind when 'p' then 'procedure ' when 'a' then 'aggregate ' else 'function ' end || pg_proc.oid::regprocedure::text
    from pg_catalog.pg_proc
    where pronamespace in (select oid from schemas)
    union all
    select 'operator ' || pg_operator.oid::regoperator::text
    from pg_catalog.pg_operator
    where oprnamespace in (select oid from schemas)
    union all
    select 'cast ' || format_type(castsource, null) || ' as ' || format_type(casttarget, null)
    from pg_catalog.pg_cast
    join pg_catalog.pg_type as source on source.oid = castsource
    join pg_catalog.pg_type as target on target.oid = casttarget
    where source.typnamespace in (select oid from schemas) or target.typnamespace in (select oid from schemas)
    union all
    select 'trigger ' || tgname || ' on ' || tgrelid::regclass::text
    from pg_catalog.pg_trigger
    join pg_catalog.pg_class on pg_class.oid = tgrelid
    where relnamespace in (select oid from schemas) and not tgisinternal
    union all
    select 'event trigger ' || evtname
    from pg_catalog.pg_event_trigger
    where evtfoid in (select oid from pg_catalog.pg_proc where pronamespace in (select oid from schemas))
  ) as known
  order by object`;
