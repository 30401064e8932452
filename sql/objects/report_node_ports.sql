-- What a master calls to say how its workers are, and that it leaves. Rows of those that were not heard of for a minute go. (With
-- the ports of each node; report_node.sql is what it was before.)
create or replace function howdah.report_node(node uuid, report jsonb) returns void
language sql
as $$
  select howdah.forget_nodes(
    array(select id from howdah.nodes where seen_at < now() - interval '1 minute' and id <> node)
  );
  insert into howdah.nodes (id, host, pid, version, state, listeners, refused_configuration, workers)
  select node, said.host, said.pid, said.version, said.state, said.listeners, said."refusedConfiguration", said.workers
  from jsonb_to_record(report) as said (
    host text, pid integer, version text, state text, listeners text[], "refusedConfiguration" text, workers jsonb
  )
  on conflict (id) do update set
    seen_at = now(),
    state = excluded.state,
    listeners = excluded.listeners,
    refused_configuration = excluded.refused_configuration,
    workers = excluded.workers;
  select howdah.keep_ports(node, report -> 'ports') where report ? 'ports';
$$;

create or replace function howdah.leave_node(node uuid) returns void
language sql
as $$
  select howdah.forget_nodes(array[node]);
$$;
