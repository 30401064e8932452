-- The regular expression that a URL pattern stands for (https://urlpattern.spec.whatwg.org/), for one component; a name matches up to
-- the next delimiter. What it captures are the pattern's groups, in their order. For tests: workers match with the URLPattern of
-- their platform. Null is any text.
create or replace function howdah.pattern_regex(pattern text, delimiter text) returns text
language plpgsql immutable
as $$
declare
  one_segment constant text := format('[^%s]+', delimiter);
  expression text := '';
  part text;
  at int := 1;
  closing int;
  depth int;
  c text;
  prefixed boolean;
begin
  if pattern is null then
    return '(.*)';
  end if;
  while at <= length(pattern) loop
    c := substr(pattern, at, 1);
    part := null;
    if c = '\' then
      at := at + 1;
      expression := expression || regexp_replace(substr(pattern, at, 1), '([^[:alnum:]])', '\\\1');
    elsif c = '{' then
      expression := expression || '(?:';
    elsif c = '}' then
      expression := expression || ')';
      if substr(pattern, at + 1, 1) in ('?', '*', '+') then
        at := at + 1;
        expression := expression || substr(pattern, at, 1);
      end if;
    elsif c = ':' and substr(pattern, at + 1, 1) ~ '[[:alpha:]_$]' then
      at := at + length(substring(substr(pattern, at + 1) from '^[[:alnum:]_$]+'));
      part := one_segment;
    elsif c = '*' then
      part := '.*';
    elsif c = '(' then
      at := at - 1;
      part := '';
    else
      expression := expression || regexp_replace(c, '([^[:alnum:]/])', '\\\1');
    end if;
    if part is not null then
      if substr(pattern, at + 1, 1) = '(' then
        closing := at + 1;
        depth := 0;
        loop
          c := substr(pattern, closing, 1);
          if c = '\' then
            closing := closing + 1;
          elsif c = '(' then
            depth := depth + 1;
          elsif c = ')' then
            depth := depth - 1;
          end if;
          exit when depth = 0 or closing > length(pattern);
          closing := closing + 1;
        end loop;
        part := '(?:' || substr(pattern, at + 2, closing - at - 2) || ')';
        at := closing;
      end if;
      c := substr(pattern, at + 1, 1);
      if c in ('?', '*', '+') and c <> '' then
        -- What is repeated, or left out, takes the delimiter before it along; the group is all repetitions.
        prefixed := right(expression, 1) = delimiter;
        if prefixed then
          expression := left(expression, -1);
        end if;
        if c <> '?' then
          part := format('%s(?:%s%s)*', part, case when prefixed then delimiter else '' end, part);
        end if;
        part := format('(?:%s(%s))%s', case when prefixed then delimiter else '' end, part, case c when '+' then '' else '?' end);
        at := at + 1;
      else
        part := format('(%s)', part);
      end if;
      expression := expression || part;
    end if;
    at := at + 1;
  end loop;
  return expression;
end;
$$;
