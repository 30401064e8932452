-- The groups of a URL pattern in a text that it matches, by name (unnamed ones are "0", "1" …): null where one took no part. For tests, as
-- howdah.pattern_regex().
create or replace function howdah.pattern_groups(pattern text, delimiter text, matched text) returns jsonb
language plpgsql immutable
as $$
declare
  captured constant text[] := regexp_match(matched, '^(?:' || howdah.pattern_regex(pattern, delimiter) || ')$');
  -- What is escaped; a name; an expression, after a name or alone; what follows of braces; an asterisk alone.
  token constant text :=
    '\\.|:([[:alpha:]_$][[:alnum:]_$]*)(?:\((?:[^()\\]|\\.|\((?:[^()\\]|\\.)*\))*\))?[?*+]?|(\((?:[^()\\]|\\.|\((?:[^()\\]|\\.)*\))*\)[?*+]?)|\}[?*+]?|(\*)[?*+]?';
  groups jsonb := '{}';
  part text[];
  place int := 0;
  unnamed int := 0;
begin
  for part in select listed from regexp_matches(coalesce(pattern, '*'), token, 'g') as listed loop
    continue when part = array[null, null, null]::text[];
    place := place + 1;
    if part[1] is null then
      groups := groups || jsonb_build_object(unnamed, captured[place]);
      unnamed := unnamed + 1;
    else
      groups := groups || jsonb_build_object(part[1], captured[place]);
    end if;
  end loop;
  return groups;
end;
$$;
