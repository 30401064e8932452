-- Ends the handling of the request after the route that calls it. Kept by the session and not by the transaction, because a
-- procedure may commit; who runs the routes clears the setting before and reads it after each call.
create or replace function omni_httpd.stop_handling() returns boolean
language plpgsql
as $$
begin
  perform set_config('omni_httpd.stop_handling', 'on', false);
  return true;
end;
$$;
