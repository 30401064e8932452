-- The functions of the aggregate cascading_query(name, query): one query whose first row is that of the first of the given
-- queries that has any. A query's own CTEs stay where they are, so a query that changes data in a CTE cannot be used.

create or replace function omni_httpd.cascading_query_reduce(state text[], name text, query text) returns text[]
language plpgsql immutable
as $$
begin
  if name is null then
    raise exception 'name can''t be NULL' using errcode = 'null_value_not_allowed';
  end if;
  if query is null then
    raise exception 'query can''t be NULL' using errcode = 'null_value_not_allowed';
  end if;
  return state || name || query;
end;
$$;

create or replace function omni_httpd.cascading_query_final(state text[]) returns text
language plpgsql immutable
as $$
declare
  ctes text[] := '{}';
  selects text[] := '{}';
begin
  for i in 1..cardinality(state) by 2 loop
    -- A line of its own for the parenthesis: the query may end in a comment.
    ctes := ctes || format(
      '%I AS (%s%s)',
      state[i],
      btrim(state[i + 1], E' \t\r\n;'),
      case when state[i + 1] ~ '--' then E'\n' end
    );
    selects := selects || format(
      'SELECT * FROM %I%s',
      state[i],
      case when i > 1 then format(' WHERE NOT EXISTS (SELECT FROM %I)', state[i - 2]) end
    );
  end loop;
  if ctes = '{}' then
    return 'SELECT';
  end if;
  return format('WITH %s %s', array_to_string(ctes, ', '), array_to_string(selects, ' UNION ALL '));
end;
$$;
