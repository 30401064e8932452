-- Functions that stand in for handlers with a role in omni_httpd.handler_role. Each is SECURITY DEFINER and belongs to the role:
-- that is the one way in which PostgreSQL keeps a function from leaving its role (SET ROLE and RESET ROLE are errors in it)
-- and restores the caller's afterwards, also after an error. They are volatile, so that they see what earlier routes of the
-- request wrote.

-- The parameters of the stand-in, and what follows them in its CREATE FUNCTION. `shape` is that of howdah.describe_handlers().
create or replace function howdah.stand_in_text(shape jsonb, out signature text, out definition text)
language plpgsql stable
set search_path = ''
as $$
declare
  is_procedure constant boolean := shape ->> 'kind' = 'procedure';
  argument jsonb;
  number int := 0;
  place int := 0;
  parameters text[] := '{}';
  passed text[] := '{}';
  variables text[] := '{}';
  columns text[] := '{}';
  outcome_at text;
  call text;
begin
  for argument in select listed from jsonb_array_elements(shape -> 'arguments') as listed loop
    place := place + 1;
    if argument ->> 'mode' <> 'out' then
      number := number + 1;
      parameters := parameters || (argument ->> 'type');
    end if;
    if argument ->> 'mode' <> 'in' then
      columns := columns || format('v%s', place);
      variables := variables || format(
        'v%s %s%s;', place, argument ->> 'type', case when argument ->> 'mode' = 'inout' then format(' := $%s', number) end
      );
      if outcome_at is null and argument ->> 'type' = 'omni_httpd.http_outcome' then
        outcome_at := format('v%s', place);
      end if;
    end if;
    if is_procedure and argument ->> 'mode' <> 'in' then
      passed := passed || format('v%s', place);
    elsif argument ->> 'mode' <> 'out' then
      passed := passed || format('$%s', number);
    end if;
  end loop;
  call := format('%s(%s)', shape ->> 'name', array_to_string(passed, ', '));
  call := case
    when is_procedure then format('call %s; outcome := %s;', call, coalesce(outcome_at, 'null'))
    when shape ->> 'outcome' = 'none' then format('perform %s;', call)
    when cardinality(columns) < 2 then format('outcome := %s;', call)
    else format('select %s into outcome from %s as r (%s);', outcome_at, call, array_to_string(columns, ', '))
  end;
  signature := format('(%s)', array_to_string(parameters, ', '));
  definition := format(
    'returns omni_httpd.http_outcome language plpgsql security definer as %L',
    format(
      E'declare\n  outcome omni_httpd.http_outcome;\n  %s\nbegin\n  %s\n'
        -- What waits for the commit would run as whoever commits: deferred triggers, cursors that are held.
        '  set constraints all immediate;\n  execute ''close all'';\n  return outcome;\nend;',
      case when is_procedure then array_to_string(variables, E'\n  ') end,
      call
    )
  );
end;
$$;

-- Why a handler cannot be held to a role, or null. A procedure that commits can leave its role, and one that cannot leave it cannot
-- commit.
create or replace function howdah.stand_in_problem(handler oid, shape jsonb, given oid) returns text
language plpgsql stable
set search_path = ''
as $$
declare
  source record;
  role_name constant text := given::regrole::text;
  -- PostgreSQL 16 tells these apart.
  rights constant text := case when current_setting('server_version_num')::int >= 160000 then 'set' else 'member' end;
begin
  select proc.prosrc, proc.pronamespace, namespace.nspname into source
  from pg_catalog.pg_proc as proc
  join pg_catalog.pg_namespace as namespace on namespace.oid = proc.pronamespace
  where proc.oid = handler;
  if shape ->> 'kind' = 'procedure' and regexp_replace(
    source.prosrc, '--[^\n]*|/\*.*?\*/|''(?:[^'']|'''')*''', ' ', 'g'
  ) ~* '(commit|rollback)' then
    return format(
      'a procedure that commits or rolls back cannot be held to the role %s of omni_httpd.handler_role: PostgreSQL would let it leave that role',
      role_name
    );
  end if;
  if not pg_has_role(current_user, given, rights) or not pg_has_role(current_user, given, 'usage') then
    return format(
      '%I may not act as the role %s of omni_httpd.handler_role: grant %s to %I', current_user, role_name, role_name, current_user
    );
  end if;
  if not has_schema_privilege(given, source.pronamespace, 'usage') then
    return format('the role %s has no right to the schema of the handler: grant usage on schema %I to %s',
      role_name, source.nspname, role_name);
  end if;
  -- The function that stands in says the type of outcomes.
  if not has_schema_privilege(given, 'omni_httpd', 'usage') then
    return format('the role %s has no right to the types of handlers: grant usage on schema omni_http, omni_httpd to %s',
      role_name, role_name);
  end if;
  if not has_function_privilege(given, handler, 'execute') then
    return format('the role %s may not call the handler: grant execute on routine %s to %s',
      role_name, shape ->> 'handler', role_name);
  end if;
  return null;
end;
$$;

-- Brings the stand-ins in line with omni_httpd.handler_role and with the handlers as they are now. Returns whether anything has
-- changed; cheap where nothing has. `again`: also those that could not be made, or that somebody dropped.
create or replace function howdah.make_stand_ins(again boolean default false) returns boolean
language plpgsql security definer
set search_path = ''
as $$
declare
  stale record;
  wanted record;
  name text;
  why text;
  grantee text;
  in_event constant text := current_setting('howdah.in_event', true);
  changed boolean := false;
begin
  if not exists (select from omni_httpd.handler_role) and not exists (select from howdah.stand_ins) then
    return false;
  end if;
  for stale in
    select known.id, known.handler, known.signature
    from howdah.stand_ins as known
    where not exists (
      select
      from omni_httpd.handler_role as given
      join pg_catalog.pg_proc as proc on proc.oid = given.handler
      join pg_catalog.pg_roles as role on role.oid = given.role
      where given.handler = known.handler and given.role = known.role
    )
    order by known.id
    for update skip locked
  loop
    perform set_config('howdah.in_event', 'on', true);
    name := format('howdah.handler_stand_in_%s%s', stale.id, stale.signature);
    if stale.signature is not null and to_regprocedure(name) is not null then
      execute format('drop function %s', name);
    end if;
    delete from howdah.stand_ins where id = stale.id;
    changed := true;
  end loop;
  -- DROP OWNED takes them away, and the next thing may be DROP ROLE: they are not made anew by themselves.
  update howdah.stand_ins as known
  set
    signature = null,
    dropped = true,
    problem = format('the function that runs it as %s was dropped: update its row in omni_httpd.handler_role to have it back', known.role)
  where known.signature is not null
    and to_regprocedure(format('howdah.handler_stand_in_%s%s', known.id, known.signature)) is null;
  changed := changed or found;
  for wanted in
    select given.handler, given.role, made.signature, made.definition, found.problem, found.expected, known.id
    from omni_httpd.handler_role as given
    join pg_catalog.pg_proc as proc on proc.oid = given.handler
    join pg_catalog.pg_roles as role on role.oid = given.role
    cross join lateral howdah.describe_handlers(array[given.handler::oid], null) as described
    cross join lateral howdah.stand_in_text(described.shape) as made
    cross join lateral (
      select problem, md5(concat_ws('|', made.signature, made.definition, problem)) as expected
      from howdah.stand_in_problem(given.handler, described.shape, given.role) as problem
    ) as found
    left join howdah.stand_ins as known on known.handler = given.handler
    where known.id is null
      or (known.expected is distinct from found.expected and not known.dropped)
      or (again and known.signature is null)
    order by given.handler
  loop
    -- GRANT and REVOKE on one schema do not go side by side.
    perform pg_advisory_xact_lock(hashtext('howdah.make_stand_ins'));
    perform set_config('howdah.in_event', 'on', true);
    changed := true;
    if wanted.id is null then
      insert into howdah.stand_ins (handler, role) values (wanted.handler, wanted.role)
      on conflict (handler) do nothing
      returning id into wanted.id;
      if wanted.id is null then
        continue; -- somebody else has just made it
      end if;
    end if;
    why := wanted.problem;
    if why is null then
      begin
        name := format('howdah.handler_stand_in_%s%s', wanted.id, wanted.signature);
        if to_regprocedure(name) is not null then
          execute format('drop function %s', name);
        end if;
        execute format('create function %s %s', name, wanted.definition);
        execute format('revoke all on function %s from public', name);
        if wanted.role <> current_user::regrole then
          -- Whom a function is given to must be able to create one there, at this moment.
          execute format('grant create on schema howdah to %s', wanted.role);
          execute format('alter function %s owner to %s', name, wanted.role);
          execute format('revoke create on schema howdah from %s', wanted.role);
        end if;
        -- Who may write into handler_role can have any handler run as that role, and may call this.
        for grantee in
          select distinct case when entry.grantee = 0 then 'public' else entry.grantee::regrole::text end
          from pg_catalog.pg_class as relation
          cross join lateral aclexplode(coalesce(relation.relacl, acldefault('r', relation.relowner))) as entry
          where relation.oid = 'omni_httpd.handler_role'::regclass
            and entry.privilege_type = 'INSERT' and entry.grantee <> wanted.role
        loop
          execute format('grant execute on function %s to %s', name, grantee);
        end loop;
      exception
        when others then
          why := format('no function could be made that runs it as %s: %s', wanted.role, sqlerrm);
      end;
    end if;
    update howdah.stand_ins
    set
      role = wanted.role,
      signature = case when why is null then wanted.signature end,
      problem = why,
      dropped = false,
      expected = wanted.expected
    where id = wanted.id;
  end loop;
  perform set_config('howdah.in_event', coalesce(in_event, ''), true);
  return changed;
end;
$$;

create or replace function howdah.handler_role_trigger() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  perform howdah.make_stand_ins(true);
  return null;
end;
$$;
