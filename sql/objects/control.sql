-- omni_httpd.stop() and omni_httpd.start(): whether the server of this database serves. By default they take effect when the transaction commits, by
-- a row in howdah.control_requests; with `immediate` at once, from inside the transaction, by a sequence, which no transaction holds back.
--
-- Both keep when it was: milliseconds since 1970, times 65536, plus the lower bits of the database's OID, so that a database that was
-- copied from this one (a template) does not start out stopped. Of a stop and a start the later one counts, and a stop before PostgreSQL
-- itself was started does not.

-- The moment as it is kept, later than any before it.
create or replace function howdah.control_moment() returns bigint
language plpgsql
set search_path = ''
as $$
declare
  latest bigint;
begin
  select greatest(
    (select case when is_called then last_value else 0 end from howdah.stopped_at),
    (select case when is_called then last_value else 0 end from howdah.started_at),
    (select max(moment) from howdah.control_requests)
  ) into latest;
  return greatest((extract(epoch from clock_timestamp()) * 1000)::bigint, (coalesce(latest, 0) >> 16) + 1) * 65536
    + (select oid::bigint from pg_catalog.pg_database where datname = current_database()) % 65536;
end;
$$;

create or replace function howdah.request_control(stops boolean, immediate boolean) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
  moment constant bigint := howdah.control_moment();
begin
  if immediate then
    perform setval(case when stops then 'howdah.stopped_at' else 'howdah.started_at' end::regclass, moment);
    -- On the embedded engine, nobody but this session can look meanwhile; the server hears what is said in it.
    if current_setting('howdah.embedded', true) = 'on' then
      if stops then
        raise info 'the server stops' using errcode = 'HWOFF';
      else
        raise info 'the server starts' using errcode = 'HWON0';
      end if;
    end if;
  else
    delete from howdah.control_requests
    where id in (select id from howdah.control_requests for update skip locked);
    insert into howdah.control_requests (stops, moment) values (stops, moment);
  end if;
  perform pg_notify('howdah_serving', '');
end;
$$;

create or replace procedure omni_httpd.stop(immediate boolean default false)
language plpgsql
as $$
begin
  perform howdah.request_control(true, coalesce(immediate, false));
end;
$$;

create or replace procedure omni_httpd.start(immediate boolean default false)
language plpgsql
as $$
begin
  perform howdah.request_control(false, coalesce(immediate, false));
end;
$$;

-- Whether the server is to be stopped. `since`: stops before it do not count.
create or replace function howdah.is_stopped(since timestamptz default pg_postmaster_start_time()) returns boolean
language sql stable security definer
set search_path = ''
as $$
  with known (stops, moment) as (
    select true, last_value from howdah.stopped_at where is_called
    union all
    select false, last_value from howdah.started_at where is_called
    union all
    select stops, moment from howdah.control_requests
  )
  select coalesce(
    (
      select stops and (moment >> 16) >= (extract(epoch from since) * 1000)::bigint
      from known
      where moment % 65536 = (select oid::bigint from pg_catalog.pg_database where datname = current_database()) % 65536
      order by moment desc
      limit 1
    ),
    false
  );
$$;
