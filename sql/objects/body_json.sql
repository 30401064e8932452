-- The JSON in the body of a request, and that it is none where it is none; the current text of howdah.body_json (that in
-- request_parts.sql is of an earlier version).
create or replace function howdah.body_json(request omni_httpd.http_request) returns jsonb
language plpgsql stable
as $$
begin
  if coalesce(length(request.body), 0) = 0 then
    raise exception 'a body of JSON is expected' using errcode = 'PT400';
  end if;
  return howdah.body_text(request)::jsonb;
exception
  when statement_too_complex then
    raise exception 'the body is nested too deep' using errcode = 'PT400';
  when data_exception or program_limit_exceeded then
    raise exception 'the body is not valid JSON' using errcode = 'PT400';
end;
$$;
