-- The ports of each node: what a master calls for them, and what becomes of them when a node goes.

-- Has the table show these ports of a node, which is in howdah.nodes.
create or replace function howdah.keep_ports(of_node uuid, ports jsonb) returns void
language sql
as $$
  delete from howdah.node_listeners
  where
    node = of_node
    and listener not in (select said.listener from jsonb_to_recordset(ports) as said (listener integer));
  insert into howdah.node_listeners (node, listener, effective_port)
  select of_node, said.listener, said.port from jsonb_to_recordset(ports) as said (listener integer, port integer)
  on conflict (node, listener) do update set effective_port = excluded.effective_port
  where node_listeners.effective_port <> excluded.effective_port;
$$;

-- Takes nodes out that have ended. Where a listener shows the port of one of them, it shows that of another from now on, if there is any.
create or replace function howdah.forget_nodes(gone uuid[]) returns void
language plpgsql
as $$
declare
  stands_in record;
  before text := coalesce(current_setting('howdah.server_write', true), '');
begin
  -- Several masters may find the same node.
  gone := array(select id from howdah.nodes where id = any(gone) order by id for update skip locked);
  if gone = '{}' then
    return;
  end if;
  insert into howdah.former_ports (host, listener, effective_port)
  select distinct nodes.host, ports.listener, ports.effective_port
  from howdah.node_listeners as ports join howdah.nodes on nodes.id = ports.node
  where ports.node = any(gone)
  on conflict (host, listener, effective_port) do update set left_at = now();
  delete from howdah.former_ports where left_at < now() - interval '7 days';
  for stands_in in
    select distinct on (listener.id) listener.id, others.effective_port
    from
      omni_httpd.listeners as listener
      join howdah.node_listeners as left_behind
        on left_behind.listener = listener.id and left_behind.effective_port = listener.effective_port
      join howdah.node_listeners as others on others.listener = listener.id
      join howdah.nodes on nodes.id = others.node
    where left_behind.node = any(gone) and others.node <> all(gone)
    order by listener.id, (others.effective_port = listener.effective_port) desc, nodes.seen_at desc
  loop
    perform set_config('howdah.server_write', 'on', true);
    update omni_httpd.listeners set effective_port = stands_in.effective_port
    where id = stands_in.id and effective_port <> stands_in.effective_port;
    perform set_config('howdah.server_write', before, true);
  end loop;
  delete from howdah.nodes where id = any(gone);
end;
$$;

-- Ports that a node of this host may have had for the listener, the likeliest first: those of nodes that have gone, then those of
-- nodes that may have ended without a word.
create or replace function howdah.remembered_ports(of_host text, of_node uuid, of_listener integer) returns json
language sql
stable
as $$
  select coalesce(json_agg(port), '[]')
  from (
    select effective_port
    from (
      select effective_port, 1 as rank, left_at as at from howdah.former_ports
      where host = of_host and listener = of_listener
      union all
      select ports.effective_port, 2, nodes.started_at
      from howdah.node_listeners as ports join howdah.nodes on nodes.id = ports.node
      where nodes.host = of_host and ports.listener = of_listener and ports.node <> of_node
    ) as found
    group by effective_port
    order by min(rank), max(at) desc
    limit 20
  ) as remembered (port)
$$;

-- What a master calls in the transaction of each reload: `ports` has {listener, port, opened} for each row that it serves; opened:
-- by this reload.
create or replace function howdah.report_ports(of_node uuid, identity jsonb, ports jsonb) returns void
language plpgsql
as $$
declare
  said record;
begin
  if current_setting('howdah.embedded', true) is not distinct from 'on' then
    -- Whoever was there before has ended.
    perform howdah.forget_nodes(array(select id from howdah.nodes where id <> of_node));
  end if;
  insert into howdah.nodes (id, host, pid, version, state)
  values (of_node, identity ->> 'host', (identity ->> 'pid')::integer, identity ->> 'version', 'serving')
  on conflict (id) do nothing;
  perform howdah.keep_ports(of_node, ports);
  for said in
    select * from jsonb_to_recordset(ports) as entry (listener integer, port integer, opened boolean)
    order by entry.listener
  loop
    -- Another node's port stays, unless it is one that nobody serves.
    update omni_httpd.listeners set effective_port = said.port
    where
      id = said.listener
      and effective_port <> said.port
      and (
        said.opened
        or not exists (
          select from howdah.node_listeners as served
          where served.listener = said.listener and served.effective_port = listeners.effective_port
        )
      );
  end loop;
end;
$$;
