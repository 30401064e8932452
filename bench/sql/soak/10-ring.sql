-- A thousand rows that are written over and over, so that the database stays as large as it is: POST /ring with {"text": …}.
create table bench_ring (
  id int primary key,
  text text not null
) with (fillfactor = 50);
insert into bench_ring (id, text) select id, '' from generate_series(0, 999) as ids (id);

create sequence bench_ring_at;

create function bench_write_ring(request omni_httpd.http_request) returns omni_httpd.http_outcome
  language plpgsql volatile as $$
declare
  written int;
begin
  update bench_ring
    set text = convert_from(request.body, 'UTF8')::json ->> 'text'
    where id = nextval('bench_ring_at') % 1000
    returning id into written;
  return omni_httpd.http_response(json_build_object('id', written));
end $$;

insert into omni_httpd.urlpattern_router (match, handler)
  values (omni_httpd.urlpattern('/ring', method => 'POST'), 'bench_write_ring'::regproc);
