-- Fifty rows as one JSON array: GET /rows/1234 begins with that one.
create function bench_rows(first int) returns omni_httpd.http_outcome
  language sql stable
  return omni_httpd.http_response(body => (
    select json_agg(page)
    from (
      select id, name, price
      from bench_items
      where id >= first
      order by id
      limit 50
    ) as page
  ));

insert into omni_httpd.urlpattern_router (match, handler)
  values (omni_httpd.urlpattern('/rows/:first'), 'bench_rows'::regproc);
