-- The deprecated tables of handlers, from which the procedure omni_httpd.handler is generated.
\ir ../objects/check_if_role_accessible_to_current_user.sql

create table omni_httpd.handlers (
  id integer primary key generated always as identity,
  query text not null,
  role_name name not null default current_user
    constraint handlers_role_name_check check (omni_httpd.check_if_role_accessible_to_current_user(role_name))
);

create table omni_httpd.listeners_handlers (
  listener_id integer not null references omni_httpd.listeners (id),
  handler_id integer not null references omni_httpd.handlers (id)
);
create index listeners_handlers_index on omni_httpd.listeners_handlers (listener_id, handler_id);

\ir ../objects/default_page.sql
\ir ../objects/query_text.sql
\ir ../objects/cascading_query.sql

create aggregate omni_httpd.cascading_query(name text, query text) (
  sfunc = omni_httpd.cascading_query_reduce,
  stype = text[],
  initcond = '{}',
  finalfunc = omni_httpd.cascading_query_final
);

\ir ../objects/handlers_query_validity_trigger.sql
\ir ../objects/regenerate_handler_trigger.sql

create constraint trigger handlers_query_validity_trigger
  after insert or update on omni_httpd.handlers
  deferrable initially deferred
  for each row execute function omni_httpd.handlers_query_validity_trigger();
create trigger deprecated_handlers_to_handler_generator
  after insert or update or delete or truncate on omni_httpd.handlers
  for each statement execute function omni_httpd.regenerate_handler_trigger();
create trigger deprecated_listeners_handlers_to_handler_generator
  after insert or update or delete or truncate on omni_httpd.listeners_handlers
  for each statement execute function omni_httpd.regenerate_handler_trigger();
