-- Refuses a handler whose query is not one statement that can be analysed, with `request` as a CTE.
create or replace function omni_httpd.handlers_query_validity_trigger() returns trigger
language plpgsql
-- A function in SQL is how a text is analysed without being executed.
set check_function_bodies = on
as $$
declare
  complaint text;
begin
  if cardinality(howdah.split_statements(new.query)) <> 1 then
    raise exception 'query can only contain one statement';
  end if;
  begin
    execute format(
      'create function pg_temp.howdah_handler_check() returns void language sql as %L',
      howdah.with_cte(
        new.query,
        'request (method, path, query_string, body, headers) as (select null::omni_http.http_method, null::text, null::text, null::bytea, null::omni_http.http_header[])'
      )
    );
    -- Takes the function away again.
    raise exception 'valid' using errcode = 'HWDOK';
  exception
    when sqlstate 'HWDOK' then
      return null;
    when others then
      get stacked diagnostics complaint = message_text;
      -- Other complaints of this class come from the analysis.
      if sqlstate = '42601' and complaint like 'syntax error%' then
        raise;
      end if;
  end;
  raise exception 'invalid query' using detail = complaint;
end;
$$;
