-- Lets the catalog follow DDL at once, where the installer may create event triggers (a superuser may, and so may the
-- owner of the database on some services). Elsewhere howdah.discover_routers() and howdah.poll_catalog() find the changes.
do $$
begin
  create event trigger refresh_available_routers on ddl_command_end
    when tag in (
      'CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'ALTER TABLE', 'DROP TABLE',
      'CREATE VIEW', 'ALTER VIEW', 'DROP VIEW',
      'CREATE MATERIALIZED VIEW', 'ALTER MATERIALIZED VIEW', 'REFRESH MATERIALIZED VIEW', 'DROP MATERIALIZED VIEW',
      'CREATE FOREIGN TABLE', 'ALTER FOREIGN TABLE', 'DROP FOREIGN TABLE',
      'CREATE FUNCTION', 'ALTER FUNCTION', 'DROP FUNCTION',
      'CREATE PROCEDURE', 'ALTER PROCEDURE', 'DROP PROCEDURE', 'ALTER ROUTINE', 'DROP ROUTINE',
      'ALTER SCHEMA', 'DROP SCHEMA', 'DROP OWNED', 'DROP TYPE', 'DROP EXTENSION'
    )
    execute function omni_httpd.refresh_available_routers();
exception
  when insufficient_privilege then
    raise notice 'howdah finds new routers by polling, since % may not create event triggers', current_user;
end;
$$;
