-- What the servers of this database say of themselves: a row for each master, written about once in two seconds while something
-- changes, and at least every ten. It is of no use after a crash of PostgreSQL: not logged where that saves anything.
create table howdah.nodes (
  -- Made at each start.
  id uuid primary key,
  host text not null,
  pid integer not null,
  version text not null,
  started_at timestamptz not null default now(),
  seen_at timestamptz not null default now(),
  -- serving, draining
  state text not null,
  listeners text[] not null default '{}',
  -- Why the listeners as omni_httpd.listeners has them are not in force, and the former ones are; null: they are.
  refused_configuration text,
  workers jsonb not null default '[]'
);
revoke all on howdah.nodes from public;

do $$
begin
  if current_setting('howdah.embedded', true) is distinct from 'on' then
    alter table howdah.nodes set unlogged;
  end if;
end;
$$;

\ir ../objects/report_node.sql
\ir ../objects/fleet_views.sql
\ir ../objects/control_node.sql
\ir ../objects/http_workers.sql
