-- The relations that are routers now: one column of type urlpattern, one of regprocedure, at most one of route_priority.
-- Left out: temporary tables (of other sessions they cannot be read), and those whose rows a parent shows, too.
create or replace view howdah.found_routers as
  with candidate as (
    select
      relation.oid,
      min(attnum) filter (where atttypid = 'omni_httpd.urlpattern'::regtype) as match_col_idx,
      min(attnum) filter (where atttypid = 'regprocedure'::regtype) as handler_col_idx,
      min(attnum) filter (where atttypid = 'omni_httpd.route_priority'::regtype) as priority_col_idx,
      min(attname::text) filter (where atttypid = 'regprocedure'::regtype) as handler_col_name
    from pg_catalog.pg_attribute
    join pg_catalog.pg_class as relation on relation.oid = attrelid
    where
      atttypid in
        ('omni_httpd.urlpattern'::regtype, 'regprocedure'::regtype, 'omni_httpd.route_priority'::regtype)
      and attnum > 0
      and not attisdropped
      and relkind in ('r', 'p', 'v', 'm', 'f')
      and relpersistence <> 't'
    group by relation.oid
    having
      count(*) filter (where atttypid = 'omni_httpd.urlpattern'::regtype) = 1
      and count(*) filter (where atttypid = 'regprocedure'::regtype) = 1
      and count(*) filter (where atttypid = 'omni_httpd.route_priority'::regtype) <= 1
  )
  select
    oid::regclass as router_relation,
    match_col_idx,
    handler_col_idx,
    priority_col_idx,
    handler_col_name::name as handler_col_name
  from candidate
  where not exists (
    select from pg_catalog.pg_inherits
    where inhrelid = candidate.oid and inhparent in (select parent.oid from candidate as parent)
  );
