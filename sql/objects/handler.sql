-- What requests come to that no other route matches, until it is generated from the table of handlers or replaced. The
-- parameters have no names: PostgreSQL lets a replacement keep OUT parameters only by their names.
create or replace procedure omni_httpd.handler(int, omni_httpd.http_request, out omni_httpd.http_outcome)
language plpgsql
as $$
begin
  $3 := omni_httpd.http_response(status => 404);
end;
$$;
