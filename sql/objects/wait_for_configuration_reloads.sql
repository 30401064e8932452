-- Takes n records of reloads away, oldest first, and waits until there have been that many. In READ COMMITTED each look
-- sees what has been committed meanwhile. On the embedded engine none could come while it waits: too few are an error.
create or replace procedure omni_httpd.wait_for_configuration_reloads(n int)
language plpgsql
as $$
declare
  missing int := n;
  taken int;
begin
  while missing > 0 loop
    delete from omni_httpd.configuration_reloads
    where id in (
      select reload.id from omni_httpd.configuration_reloads as reload
      order by reload.happened_at, reload.id
      limit missing
    );
    get diagnostics taken = row_count;
    missing := missing - taken;
    if missing > 0 and current_setting('howdah.embedded', true) = 'on' then
      raise exception 'no reload of the configuration is under way'
        using detail = format('%s more were waited for.', missing),
          hint = 'The embedded engine is one session: what is not recorded yet cannot come while it waits.';
    end if;
  end loop;
end;
$$;
