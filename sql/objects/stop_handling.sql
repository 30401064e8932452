-- Ends the handling of the request after the route that calls it. Local to the transaction, so that nothing of it
-- reaches the next request; who runs the routes reads the setting after each call.
create or replace function omni_httpd.stop_handling() returns boolean
language plpgsql
as $$
begin
  perform set_config('omni_httpd.stop_handling', 'on', true);
  return true;
end;
$$;
