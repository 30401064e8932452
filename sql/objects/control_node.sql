-- Has the workers of a server, or of all servers of this database, replaced one after another, without a request lost. Happens
-- after the transaction commits; howdah.workers shows it.
create or replace function howdah.restart_workers(node uuid default null) returns void
language sql
as $$
  select pg_notify('howdah_control', jsonb_build_object('command', 'restart-workers', 'node', node)::text);
$$;
revoke all on function howdah.restart_workers(uuid) from public;
