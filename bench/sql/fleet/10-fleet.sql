-- Which backend answers: GET /where, and GET /counted when it has worked for about a millisecond. GET /hold keeps one for a second.
create function bench_where(request omni_httpd.http_request) returns omni_httpd.http_outcome
  language sql stable
  return omni_httpd.http_response(body => pg_backend_pid()::text);

create function bench_counted(request omni_httpd.http_request) returns omni_httpd.http_outcome
  language sql stable
  return (
    select omni_httpd.http_response(body => pg_backend_pid()::text)
    from (select count(*) as counted from generate_series(1, 10000)) as numbers
    where counted > 0
  );

create function bench_hold(request omni_httpd.http_request) returns omni_httpd.http_outcome
  language plpgsql volatile as $$
begin
  perform pg_sleep(1);
  return omni_httpd.http_response(body => 'held');
end $$;

insert into omni_httpd.urlpattern_router (match, handler) values
  (omni_httpd.urlpattern('/where'), 'bench_where'::regproc),
  (omni_httpd.urlpattern('/counted'), 'bench_counted'::regproc),
  (omni_httpd.urlpattern('/hold'), 'bench_hold'::regproc);
