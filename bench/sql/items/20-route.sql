-- The look-up as a route of howdah: GET /item/1234.
create function bench_item_route(id int) returns omni_httpd.http_outcome
  language sql stable
  return omni_httpd.http_response(body => bench_item(id)::json);

insert into omni_httpd.urlpattern_router (match, handler)
  values (omni_httpd.urlpattern('/item/:id'), 'bench_item_route'::regproc);
