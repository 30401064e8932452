-- Tells apart any two states of the routers' columns and of the functions and roles that their rows name, those of WebSockets too.
create or replace function howdah.shapes_fingerprint() returns text
language plpgsql stable
as $$
declare
  known record;
  handlers oid[] := '{}';
  listed oid[];
  columns text;
  shapes text;
  roles text;
  sockets text;
begin
  for known in
    select router_relation, format('%I.%I', relnamespace::regnamespace::name, relname) as name, handler_col_name
    from omni_httpd.available_routers
    join pg_catalog.pg_class on pg_class.oid = router_relation
  loop
    begin
      execute format('select array_agg(distinct %I::oid) from %s', known.handler_col_name, known.name) into listed;
      handlers := handlers || listed;
    exception
      -- nothing can be told
      when lock_not_available then
        raise;
      -- reported when the catalog is read
      when others then
        handlers := handlers || 0::oid;
    end;
  end loop;
  select string_agg(format('%s %s %s', attrelid::regclass, attname, atttypid::regtype), ',' order by attrelid, attnum)
  into columns
  from omni_httpd.available_routers
  join pg_catalog.pg_attribute on attrelid = router_relation and attnum > 0 and not attisdropped;
  select string_agg(format('%s %s', function, shape), ',' order by function)
  into shapes
  from howdah.describe_handlers(handlers, null);
  select string_agg(format('%s %s', handler::oid, rolname), ',' order by handler)
  into roles
  from omni_httpd.handler_role
  left join pg_catalog.pg_roles on pg_roles.oid = role;
  -- Not there before the migration that brings it.
  if to_regprocedure('howdah.websocket_routes()') is not null then
    execute 'select howdah.websocket_routes()::text' into sockets;
  end if;
  return md5(format('%s|%s|%s|%s', columns, shapes, roles, sockets));
end;
$$;
