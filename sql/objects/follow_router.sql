-- Puts the trigger that raises the epoch on every table that a router's rows come from, where that is allowed. Returns why
-- changes may go unseen by triggers, or null if they do not.
create or replace function howdah.follow_router(router regclass) returns text
language plpgsql
as $$
declare
  source record;
  reasons text[] := '{}';
begin
  -- Its rows come from a setting of the session, and it is the same in all sessions that serve.
  if router = 'omni_httpd.default_router'::regclass then
    return null;
  end if;
  for source in
    with recursive behind (relation) as (
      select router::oid
      union
      select further.relation
      from behind
      cross join lateral (
        -- what a view reads
        select depend.refobjid as relation
        from pg_catalog.pg_rewrite as rule
        join pg_catalog.pg_depend as depend
          on depend.classid = 'pg_rewrite'::regclass and depend.objid = rule.oid and depend.refclassid = 'pg_class'::regclass
        where rule.ev_class = behind.relation
        union all
        -- the partitions and children of a table, whose own statements fire no trigger of their parent
        select inhrelid from pg_catalog.pg_inherits where inhparent = behind.relation
      ) as further
    )
    select
      relation.oid,
      relation.relkind,
      relation.relnamespace::regnamespace::name as schema,
      relation.relname as name,
      exists (
        select from pg_catalog.pg_trigger
        where tgrelid = relation.oid and tgfoid = 'howdah.touch_catalog()'::regprocedure
      ) as followed,
      exists (
        select
        from pg_catalog.pg_rewrite as rule
        join pg_catalog.pg_depend as depend
          on depend.classid = 'pg_rewrite'::regclass and depend.objid = rule.oid and depend.refclassid = 'pg_proc'::regclass
        join pg_catalog.pg_proc as function on function.oid = depend.refobjid
        where rule.ev_class = relation.oid and function.provolatile <> 'i'
      ) as calls_function
    from behind
    join pg_catalog.pg_class as relation on relation.oid = behind.relation
    where relation.relkind in ('r', 'p', 'v', 'm', 'f')
    order by relation.oid
  loop
    if source.relkind in ('r', 'p') then
      if not source.followed then
        begin
          execute format(
            'create trigger howdah_touch_catalog after insert or update or delete or truncate on %I.%I
             for each statement execute function howdah.touch_catalog()',
            source.schema,
            source.name
          );
        exception
          when insufficient_privilege or lock_not_available or wrong_object_type or object_in_use then
            reasons := reasons || format('%I.%I: %s', source.schema, source.name, sqlerrm);
        end;
      end if;
    elsif source.relkind = 'f' then
      reasons := reasons || format('%I.%I is a foreign table', source.schema, source.name);
    elsif source.relkind = 'm' then
      reasons := reasons || format('%I.%I is a materialized view', source.schema, source.name);
    elsif source.calls_function then
      reasons := reasons || format('%I.%I reads functions', source.schema, source.name);
    end if;
  end loop;
  -- What a view reads of the system catalogs and settings is recorded nowhere.
  if reasons = '{}' and (select relkind from pg_catalog.pg_class where oid = router) = 'v' then
    reasons := array['a view, which may read what no trigger tells'];
  end if;
  return nullif(array_to_string(reasons, '; '), '');
end;
$$;

-- Follows all routers, and keeps the list of those that have to be polled.
create or replace function howdah.follow_routers() returns void
language plpgsql
as $$
declare
  known record;
  why text;
begin
  delete from howdah.polled_routers as polled
  where not exists (select from omni_httpd.available_routers where router_relation = polled.router);
  for known in
    select available.router_relation as relation, polled.reason
    from omni_httpd.available_routers as available
    left join howdah.polled_routers as polled on polled.router = available.router_relation
    -- one that was dropped since
    where exists (select from pg_catalog.pg_class where oid = available.router_relation)
  loop
    why := howdah.follow_router(known.relation);
    if why is distinct from known.reason then
      delete from howdah.polled_routers as polled where polled.router = known.relation;
      if why is not null then
        insert into howdah.polled_routers (router, reason) values (known.relation, why) on conflict do nothing;
      end if;
    end if;
  end loop;
end;
$$;
