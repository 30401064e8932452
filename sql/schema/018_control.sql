-- Stopping and starting the server from SQL.
create sequence howdah.stopped_at;
create sequence howdah.started_at;
create table howdah.control_requests (
  id bigint primary key generated always as identity,
  stops boolean not null,
  moment bigint not null
);

\ir ../objects/control.sql

-- Without a notice of what is not there.
\ir ../objects/stand_ins.sql

\ir ../objects/http_file.sql
