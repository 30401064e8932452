-- Generates the procedure omni_httpd.handler from the tables of handlers. With handlers of one role it is a procedure of that role
-- that asks their queries in turn; where `several` holds, each is a function of its role that the procedure calls. Which
-- of the two is taken, and that no handler at all gives a procedure that fails, is what applications rely on.
create or replace function omni_httpd.regenerate_handler_trigger() returns trigger
language plpgsql security definer
set search_path = ''
as $trigger$
declare
  handler_oid constant oid := 'omni_httpd.handler(int,omni_httpd.http_request)'::regprocedure;
  several boolean;
  owner name;
  linked record;
  source text;
begin
  select count(*) > 1 into several from omni_httpd.handlers group by role_name order by role_name limit 1;
  select role_name into owner from omni_httpd.handlers order by role_name limit 1;
  if owner is null then
    source := 'SELECT limit 1';
  elsif several then
    for linked in
      select format('handler_%s_%s', listener_id, handler_id) as name, query, role_name
      from omni_httpd.listeners_handlers
      join omni_httpd.handlers on handlers.id = handler_id
      order by listener_id, handler_id
    loop
      execute format(
        'create or replace function omni_httpd.%I(omni_httpd.http_request) returns omni_httpd.http_outcome
         language plpgsql security definer as %L',
        linked.name,
        format(
          E'begin return (with request as (select ($1).*) select * from (%s\n) as q limit 1); end;',
          btrim(linked.query, E' \t\r\n;')
        )
      );
      perform howdah.give_routine(format('omni_httpd.%I(omni_httpd.http_request)', linked.name), linked.role_name);
    end loop;
    select omni_httpd.cascading_query(
      format('handler_%s_%s', listener_id, handler_id),
      format('select * from omni_httpd.%I($2) where $1 = %s', format('handler_%s_%s', listener_id, handler_id), listener_id)
      order by listener_id, handler_id
    ) || ' limit 1'
    into source
    from omni_httpd.listeners_handlers
    join omni_httpd.handlers on handlers.id = handler_id;
  else
    select format(
      'with request as (select ($2).*) select * from (%s) t limit 1',
      omni_httpd.cascading_query(
        format('handler_%s_%s', listener_id, handler_id),
        format(E'select * from (%s\n) q where $1 = %s', btrim(query, E' \t\r\n;'), listener_id)
        order by listener_id, handler_id
      )
    )
    into source
    from omni_httpd.listeners_handlers
    join omni_httpd.handlers on handlers.id = handler_id;
  end if;
  execute format(
    'create or replace procedure omni_httpd.handler(int, omni_httpd.http_request, out omni_httpd.http_outcome)
     language plpgsql %s as %L',
    case when owner is not null and not several then 'security definer' end,
    format('begin $3 := (%s); end;', source)
  );
  if owner is not null and not several then
    perform howdah.give_routine('omni_httpd.handler(int, omni_httpd.http_request)', owner);
  end if;
  if handler_oid <> 'omni_httpd.handler(int,omni_httpd.http_request)'::regprocedure then
    raise exception 'omni_httpd.handler changed OID, invariant violation';
  end if;
  return null;
end;
$trigger$;

-- Makes the role the owner of a routine in omni_httpd. Whoever is no superuser may do so only for a role that may create in
-- that schema, so for that moment it may.
create or replace function howdah.give_routine(routine text, role name) returns void
language plpgsql
set search_path = ''
as $give$
declare
  lacks_right constant boolean := not pg_catalog.has_schema_privilege(role, 'omni_httpd', 'create')
    and not (select rolsuper from pg_catalog.pg_roles where rolname = current_user);
begin
  if lacks_right then
    execute pg_catalog.format('grant create on schema omni_httpd to %I', role);
  end if;
  execute pg_catalog.format('alter routine %s owner to %I', routine, role);
  if lacks_right then
    execute pg_catalog.format('revoke create on schema omni_httpd from %I', role);
  end if;
end;
$give$;
