-- Events on channels, for streams of them to clients (howdah.event_stream) and to programs. NOTIFY only wakes.
--
-- A reader asks for the events after the last one that it has seen. So an event must not become visible after one with a higher
-- id: ids are given in the order of commits, not of howdah.publish(). What was considered:
--   a sequence      the transaction that took the lower id may commit later, and its event is never read
--   the xmin of a snapshot as the horizon of what may be read
--                   any long transaction, of any database of the cluster, would hold all events up
--   the snapshot of the last reading in place of an id
--                   exact and without delay, but clients would have to carry it in Last-Event-ID
--   a lock from publish() to the end of the transaction
--                   two transactions that publish and change the same rows in different order are a deadlock
-- Here events wait in howdah.unnumbered_events, which nobody else sees, until the transaction commits; then a deferred trigger takes
-- the lock and gives the numbers. It holds the lock until the commit is visible, which costs little: NOTIFY itself makes the commits
-- of such transactions wait for one another.
create table howdah.events (
  id bigint primary key,
  channel text not null,
  event text,
  data text not null,
  published_at timestamptz not null
);
create index events_by_channel on howdah.events (channel, id);
create sequence howdah.event_id owned by howdah.events.id;

-- Of transactions that are under way only, so that a crash loses nothing with them.
create unlogged table howdah.unnumbered_events (
  transaction xid8 not null,
  place bigint not null generated always as identity,
  channel text not null,
  event text,
  data text not null,
  primary key (transaction, place)
);
create unlogged table howdah.publishing (
  transaction xid8 primary key,
  -- Set when the deferred triggers that the application had have run.
  is_last boolean not null default false
);

-- One row. `era` tells the ids of this database from those of another one that it has replaced; the events up to `pruned_to` are no
-- longer kept.
create table howdah.event_log (
  era text not null default left(gen_random_uuid()::text, 8),
  pruned_to bigint not null default 0,
  is_here boolean primary key default true check (is_here)
);
insert into howdah.event_log default values;

create type howdah.event_stream as (
  channels text[],
  since text,
  headers omni_http.http_headers
);

\ir ../objects/publish.sql
\ir ../objects/number_events.sql
\ir ../objects/read_events.sql
\ir ../objects/prune_events.sql
\ir ../objects/event_stream.sql
\ir ../objects/variant.sql

create constraint trigger number_events
  after insert or update on howdah.publishing
  deferrable initially deferred
  for each row execute function howdah.number_events();

update omni_types.sum_types
set variants = variants || 'howdah.event_stream'::regtype
where typ = 'omni_httpd.http_outcome'::regtype;
