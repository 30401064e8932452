-- Raises the epoch, once per transaction, and tells the workers. Where transactions run side by side the payload is a
-- hint only, since the sum depends on what commits; in a single session it is the epoch that is committed.
create or replace function howdah.raise_epoch() returns void
language plpgsql security definer
set search_path = ''
as $$
declare
  this_transaction constant text := pg_current_xact_id()::text;
  free int;
begin
  -- The setting is local: a rollback to a savepoint takes it back along with the raise.
  if current_setting('howdah.raised_by', true) = this_transaction then
    return;
  end if;
  -- With an older snapshot a slot that somebody has raised since would be a serialization failure: take a new one.
  if current_setting('transaction_isolation') = 'read committed' then
    select slot into free from howdah.epoch_slot for update skip locked limit 1;
  end if;
  if free is null then
    insert into howdah.epoch_slot (n) values (1);
  else
    update howdah.epoch_slot set n = n + 1 where slot = free;
  end if;
  perform set_config('howdah.raised_by', this_transaction, true);
  perform pg_notify('howdah_catalog', howdah.epoch()::text);
end;
$$;
