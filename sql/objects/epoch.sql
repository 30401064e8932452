-- The number of the catalog as the reader's snapshot has it: grows with every committed change.
create or replace function howdah.epoch() returns bigint
language sql stable
return (select coalesce(sum(n), 0)::bigint from howdah.epoch_slot);
