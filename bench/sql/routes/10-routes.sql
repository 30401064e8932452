-- With the one of the items 10 routes: static and with bindings, all looked at before the one that is asked for.
create table bench_router (like omni_httpd.urlpattern_router, like omni_httpd.router_priority);

insert into bench_router (match, handler, priority)
  select
    omni_httpd.urlpattern(case when n % 2 = 0 then '/other/' || n else '/other/' || n || '/:id' end),
    'bench_item_route'::regproc,
    1
  from generate_series(1, 9) as numbers (n);
