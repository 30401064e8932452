-- Listeners, and how a reload of the configuration is asked for and waited for.
create table omni_httpd.listeners (
  id integer primary key generated always as identity,
  address inet not null default '127.0.0.1',
  port omni_httpd.port not null default 80,
  effective_port omni_httpd.port not null default 0,
  protocol omni_httpd.http_protocol not null default 'http'
);

create table omni_httpd.configuration_reloads (
  id integer primary key generated always as identity,
  happened_at timestamp not null default now()
);

\ir ../objects/reload_configuration.sql
\ir ../objects/record_reload.sql
\ir ../objects/wait_for_configuration_reloads.sql
\ir ../objects/unload.sql

create trigger listeners_updated
  after insert or update or delete on omni_httpd.listeners
  for each statement execute function omni_httpd.reload_configuration_trigger();
