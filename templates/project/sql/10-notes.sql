-- Runs at every start, and in `howdah dev` whenever it has changed: so it says what is to be there.
create table if not exists note (
  id int generated always as identity primary key,
  text text not null check (text <> '')
);

-- A handler in SQL, with a route in a table.
create or replace function count_notes(request omni_httpd.http_request) returns omni_httpd.http_outcome
  return omni_httpd.http_response((select jsonb_build_object('notes', count(*)) from note));

insert into omni_httpd.urlpattern_router (match, handler)
  values (omni_httpd.urlpattern('/count', method => 'GET'), 'count_notes'::regproc)
  on conflict do nothing;
