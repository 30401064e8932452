-- Replaces the problems that howdah.route_problems shows by those of a worker: a JSON array of objects with router, match,
-- handler and problem. One that was known keeps the time when it was first seen.
create or replace function howdah.report_problems(problems jsonb) returns void
language plpgsql
as $$
begin
  delete from howdah.reported_problems as known
  where not exists (
    select from jsonb_to_recordset(problems) as found (router text, match text, handler text, problem text)
    where (found.router, found.match, found.handler, found.problem)
      = (known.router, known.match, known.handler, known.problem)
  );
  -- Several workers find the same problems at the same time.
  insert into howdah.reported_problems (router, match, handler, problem)
  select found.router, found.match, found.handler, found.problem
  from jsonb_to_recordset(problems) as found (router text, match text, handler text, problem text)
  order by found.router, found.match, found.handler, found.problem
  on conflict do nothing;
end;
$$;
