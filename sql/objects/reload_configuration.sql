-- Asks for a reload of the listeners, which happens when the transaction commits. Two statements of one transaction ask
-- once.
--
-- On the embedded engine (setting howdah.embedded) nobody else could record the reload while a client waits for it, since
-- there is only the one session. So it is recorded by the transaction that asks, and the server records none for it:
-- the row tells there that the reload is due, and the ports may be open a moment later.
create or replace function omni_httpd.reload_configuration() returns boolean
language plpgsql security definer
set search_path = ''
as $$
declare
  this_transaction constant text := pg_current_xact_id()::text;
begin
  perform pg_notify('omni_httpd_configuration', '');
  if current_setting('howdah.embedded', true) = 'on'
    and current_setting('howdah.reload_asked_by', true) is distinct from this_transaction
  then
    insert into omni_httpd.configuration_reloads default values;
    perform set_config('howdah.reload_asked_by', this_transaction, true);
  end if;
  return true;
end;
$$;

-- Trigger of omni_httpd.listeners. The server sets howdah.server_write while it writes effective_port itself.
create or replace function omni_httpd.reload_configuration_trigger() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  if current_setting('howdah.server_write', true) is distinct from 'on' then
    perform omni_httpd.reload_configuration();
  end if;
  return null;
end;
$$;
