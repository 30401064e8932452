-- A handler that takes a fifth of a second, waiting, beside the fast ones: GET /slow.
create function bench_slow(request omni_httpd.http_request) returns omni_httpd.http_outcome
  language plpgsql volatile as $$
begin
  perform pg_sleep(0.2);
  return omni_httpd.http_response(body => 'slept');
end $$;

insert into omni_httpd.urlpattern_router (match, handler)
  values (omni_httpd.urlpattern('/slow'), 'bench_slow'::regproc);
