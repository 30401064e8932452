-- Rows that are inserted: their ids have one length, and so all answers have.
create table bench_notes (
  id bigint generated always as identity (start 1000000000) primary key,
  text text not null
);
