-- Which functions leave nothing in a session that another call could see: no setting, no lock. Such calls share a statement
-- (src/database/batch-writer.ts). A function that only reads may change a setting all the same, since set_config() may be called anywhere.
--
-- What a function calls is not recorded, so every word of its body is taken for a name, and whatever has that name for something
-- that it uses. So a function may be thought to leave something though it does not, and not the other way round.

-- All words of what defines a function (class pg_proc), the check of a domain (pg_constraint) or a relation that is more than its rows
-- (pg_class): as they are written, and in lower case. "execute" for what cannot be read.
create or replace function howdah.defining_words(class oid, object oid) returns text[]
language plpgsql stable
set search_path = ''
as $$
declare
  definition text;
begin
  if class = 'pg_catalog.pg_proc'::regclass then
    select concat_ws(' ',
      case
        when language.lanname in ('sql', 'plpgsql') then coalesce(pg_get_function_sqlbody(proc.oid), proc.prosrc)
        when proc.prokind = 'a' then concat_ws(' ',
          aggtransfn, aggfinalfn, aggcombinefn, aggserialfn, aggdeserialfn, aggmtransfn, aggminvtransfn, aggmfinalfn)
        when language.lanname not in ('internal', 'c') or proc.provolatile = 'v' then 'execute'
      end,
      pg_get_expr(proc.proargdefaults, 0))
    into definition
    from pg_catalog.pg_proc as proc
    join pg_catalog.pg_language as language on language.oid = proc.prolang
    left join pg_catalog.pg_aggregate as aggregate on aggregate.aggfnoid = proc.oid
    where proc.oid = object;
  elsif class = 'pg_catalog.pg_constraint'::regclass then
    definition := pg_get_constraintdef(object);
  else
    select concat_ws(' ',
      case when relkind = 'v' then pg_get_viewdef(relation.oid) end,
      (
        select string_agg(concat_ws(' ', pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)), ' ')
        from pg_catalog.pg_policy
        where polrelid = relation.oid
      ))
    into definition
    from pg_catalog.pg_class as relation
    where relation.oid = object;
  end if;
  -- A name may be written with escapes.
  if definition ~* 'u&' then
    return array['execute'];
  end if;
  return (
    select array_agg(distinct written)
    -- Letters, digits, _ and $, and all that is not ASCII.
    from regexp_matches(definition, '[^\u0001-\u0023\u0025-\u002f\u003a-\u0040\u005b-\u005e\u0060\u007b-\u007f]+', 'g') as found (words)
    cross join lateral (values (words[1]), (lower(words[1]))) as word (written)
  );
end;
$$;

-- Those of the functions that do so.
create or replace function howdah.leaving_nothing(functions oid[]) returns setof oid
language plpgsql stable
set search_path = ''
-- Its plan seems to be dear enough to be compiled, which takes five times as long as it runs.
set jit = off
as $$
declare
  between_words constant text := '[\u0001-\u0023\u0025-\u002f\u003a-\u0040\u005b-\u005e\u0060\u007b-\u007f]';
begin
  if functions = '{}' then
    return;
  end if;
  return query
    with recursive
    own as (
      select oid from pg_catalog.pg_namespace where nspname in ('howdah', 'omni_http', 'omni_httpd', 'omni_types', 'omni_vfs')
    ),
    -- What no body has the name of as a word: it is behind an operator, a conversion, a domain, or its name has blanks, say. 16384: the
    -- first that is not PostgreSQL's.
    hidden (class, object, name) as (
      select 'pg_catalog.pg_proc'::regclass::oid, proc.oid, proc.proname::text
      from pg_catalog.pg_proc as proc
      where proc.oid >= 16384
        and proc.pronamespace not in (table own)
        and (proc.proname ~ between_words or proc.oid in (
          select oprcode from pg_catalog.pg_operator where oid >= 16384
          union all
          select castfunc from pg_catalog.pg_cast where oid >= 16384
          union all
          select amproc from pg_catalog.pg_amproc where oid >= 16384
          union all
          select rngcanonical from pg_catalog.pg_range where rngtypid >= 16384
        ))
      union all
      select 'pg_catalog.pg_class'::regclass::oid, oid, relname::text
      from pg_catalog.pg_class
      where oid >= 16384 and relname ~ between_words and (relkind = 'v' or relrowsecurity)
      union all
      select 'pg_catalog.pg_constraint'::regclass::oid, oid, conname::text
      from pg_catalog.pg_constraint
      where contypid >= 16384 and connamespace not in (table own)
    ),
    node (class, object, name, words) as (
      select known.class, known.object, known.name, howdah.defining_words(known.class, known.object)
      from (
        select 'pg_catalog.pg_proc'::regclass::oid, proc.oid, proc.proname::text
        from pg_catalog.pg_proc as proc
        where proc.oid = any (functions)
        union
        table hidden
      ) as known (class, object, name)
      union
      select found.class, found.object, found.name, howdah.defining_words(found.class, found.object)
      from node
      cross join lateral (
        select 'pg_catalog.pg_proc'::regclass::oid, proc.oid, proc.proname::text
        from pg_catalog.pg_proc as proc
        where proc.proname = any (node.words::name[])
        union all
        select 'pg_catalog.pg_class'::regclass::oid, relation.oid, relation.relname::text
        from pg_catalog.pg_class as relation
        where relation.relname = any (node.words::name[]) and (relation.relkind = 'v' or relation.relrowsecurity)
      ) as found (class, object, name)
      where found.object >= 16384
    ),
    leaving (class, object, name) as (
      select node.class, node.object, node.name
      from node
      -- Settings and locks; what runs texts, which are not looked at; what the next random() depends on.
      where node.words && array[
        'set_config', 'execute', 'setseed',
        'pg_advisory_lock', 'pg_advisory_lock_shared', 'pg_try_advisory_lock', 'pg_try_advisory_lock_shared',
        'query_to_xml', 'query_to_xmlschema', 'query_to_xml_and_xmlschema', 'ts_stat', 'ts_rewrite'
      ]
      union
      select node.class, node.object, node.name
      from leaving
      join node on leaving.name = any (node.words)
    )
    select known.object
    from unnest(functions) as known (object)
    where (known.object) not in (select leaving.object from leaving where leaving.class = 'pg_catalog.pg_proc'::regclass)
      and not exists (select from leaving join hidden using (class, object));
end;
$$;
