-- The tables of app.ts, and a handler in SQL over them. It may run at every start.
create schema if not exists shop;

create table if not exists shop.stock (
  product text primary key,
  quantity int not null check (quantity >= 0)
);
create table if not exists shop.orders (
  id int generated always as identity primary key,
  product text not null references shop.stock (product),
  quantity int not null check (quantity > 0)
);
insert into shop.stock (product, quantity) values ('hay', 10), ('water', 100) on conflict do nothing;

create or replace function shop.totals(request omni_httpd.http_request) returns omni_httpd.http_outcome
  return omni_httpd.http_response((
    select coalesce(jsonb_object_agg(product, ordered), '{}')
    from (select product, sum(quantity) as ordered from shop.orders group by product) totals
  ));

insert into omni_httpd.urlpattern_router (match, handler)
  values (omni_httpd.urlpattern('/totals', method => 'GET'), 'shop.totals'::regproc)
  on conflict do nothing;
