-- Records that the server has loaded the listeners; it calls this in the transaction that writes effective_port. `asked`:
-- because omni_httpd_configuration was notified, and not for the first load after a start.
create or replace function howdah.record_reload(asked boolean) returns void
language plpgsql
as $$
begin
  -- On the embedded engine it was recorded by who asked.
  if not asked or current_setting('howdah.embedded', true) is distinct from 'on' then
    insert into omni_httpd.configuration_reloads default values;
  end if;
end;
$$;
