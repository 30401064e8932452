-- The last step of a fresh installation: a listener and the welcome page, unless omni_httpd.no_init is set. The statement
-- runs in both cases: its triggers generate the procedure omni_httpd.handler.
select set_config('howdah.server_write', 'on', true);

with wanted as (
  select where_to.address, where_to.port
  from (
    select
      coalesce(nullif(current_setting('omni_httpd.init_listen_address', true), ''), '0.0.0.0')::inet,
      coalesce(nullif(current_setting('omni_httpd.init_port', true), ''), '8080')::omni_httpd.port
  ) as where_to (address, port)
  where not coalesce(nullif(current_setting('omni_httpd.no_init', true), '')::boolean, false)
),
listener as (
  insert into omni_httpd.listeners (address, port)
  select address, port from wanted
  returning id
),
handler as (
  insert into omni_httpd.handlers (query)
  select 'SELECT omni_httpd.default_page(request.*::omni_httpd.http_request) FROM request' from wanted
  returning id
),
-- The listener that this installs counts as one reload, and the first load of the server as another: applications wait for
-- two after an installation with a default listener and for one after one without.
reload as (
  insert into omni_httpd.configuration_reloads (happened_at)
  select now() from wanted
)
insert into omni_httpd.listeners_handlers (listener_id, handler_id)
select listener.id, handler.id from listener, handler;

select set_config('howdah.server_write', 'off', true);
