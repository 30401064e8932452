-- A thousand rows and the look-up that every contestant calls. Names have one length, and so all answers have.
create table bench_items (
  id int primary key,
  name text not null,
  price int not null
);
insert into bench_items (id, name, price)
  select id, 'item number ' || id, 10000 + id from generate_series(1000, 1999) as ids (id);
analyze bench_items;

create function bench_item(wanted int) returns text
  language sql stable
  return (
    select json_build_object('id', id, 'name', name, 'price', price)
    from bench_items
    where id = wanted
  );
