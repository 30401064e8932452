-- The ports on which the servers of this database serve the rows of omni_httpd.listeners: each its own, where a port is taken or
-- any was asked for. (listeners.effective_port shows that of the one which opened a socket last.)
create table howdah.node_listeners (
  node uuid not null,
  -- No reference: what a node says of itself is not to wait for who is changing the listeners.
  listener integer not null,
  effective_port integer not null check (effective_port between 1 and 65535),
  primary key (node, listener)
);

-- Ports of nodes that have gone, so that one which comes back to the host finds its own.
create table howdah.former_ports (
  host text not null,
  listener integer not null,
  effective_port integer not null,
  left_at timestamptz not null default now(),
  primary key (host, listener, effective_port)
);
revoke all on howdah.node_listeners, howdah.former_ports from public;

do $$
begin
  -- As howdah.nodes is, which it refers to.
  if current_setting('howdah.embedded', true) is distinct from 'on' then
    alter table howdah.node_listeners set unlogged;
  end if;
end;
$$;
alter table howdah.node_listeners add foreign key (node) references howdah.nodes on delete cascade;

\ir ../objects/node_ports.sql
\ir ../objects/report_node_ports.sql
