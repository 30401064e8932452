-- The groups of a route's pattern as arguments of its handler, by name.
do $$
begin
  -- It has one more parameter now, and a call without it is not to be ambiguous.
  if to_regprocedure(
    'howdah.call_afresh(text, omni_httpd.http_request, int, text, omni_httpd.http_outcome)'
  ) is not null then
    drop function howdah.call_afresh(text, omni_httpd.http_request, int, text, omni_httpd.http_outcome);
  end if;
end;
$$;
\ir ../objects/call_afresh.sql
\ir ../objects/describe_handlers.sql
\ir ../objects/pattern_regex.sql
\ir ../objects/pattern_groups.sql
\ir ../objects/call.sql
