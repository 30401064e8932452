-- Whether the current user may let handlers run as that role: a superuser, or a (transitive) member of it.
create or replace function omni_httpd.check_if_role_accessible_to_current_user(role name) returns boolean
language sql stable
return coalesce(
  (
    select
      (select rolsuper from pg_catalog.pg_roles where rolname = current_user)
      or pg_catalog.pg_has_role(current_user, known.oid, 'member')
    from pg_catalog.pg_roles as known
    where known.rolname = role
  ),
  false
);
