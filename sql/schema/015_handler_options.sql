-- What may be done with the calls of a handler besides what its volatility allows. A stable or immutable function needs no row: it changes
-- nothing, so that it is run again and cancelled as if both were true.
create table howdah.handler_options (
  handler regprocedure primary key,
  -- Whether a function is run again where its transaction was rolled back because of others: serialization failure (40001),
  -- deadlock (40P01). Of a procedure, which may have committed, nothing is run again.
  retry boolean not null default false,
  -- Whether it is cancelled when the client leaves.
  cancel_on_disconnect boolean not null default false
);

\ir ../objects/catalog.sql

create trigger howdah_touch_catalog
  after insert or update or delete or truncate on howdah.handler_options
  for each statement execute function howdah.touch_catalog();
