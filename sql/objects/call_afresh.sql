-- Calls a stable function such that it sees what was written earlier in the same statement: this one is volatile, and what it
-- executes has a snapshot of its own. `query` selects one outcome and is made by howdah from a route.
create or replace function howdah.call_afresh(
  query text,
  request omni_httpd.http_request,
  listener int,
  route text,
  outcome omni_httpd.http_outcome,
  groups text[] default null
) returns omni_httpd.http_outcome
language plpgsql
as $$
declare
  answer omni_httpd.http_outcome;
begin
  execute query using request, listener, route, outcome, groups into answer;
  return answer;
end;
$$;
