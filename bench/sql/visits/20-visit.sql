-- A look-up that also writes: GET /visit/1234.
create function bench_visit_route(request omni_httpd.http_request) returns omni_httpd.http_outcome
  language plpgsql as $$
declare
  wanted int := split_part(request.path, '/', 3)::int;
begin
  insert into bench_visits (id) values (wanted);
  return omni_httpd.http_response(body => bench_item(wanted)::json);
end $$;

insert into omni_httpd.urlpattern_router (match, handler)
  values (omni_httpd.urlpattern('/visit/:id'), 'bench_visit_route'::regproc);
