-- What is done with the text of a query without a parser of SQL: splitting at semicolons, and putting a CTE in front.

-- The statements in a text, without those that are blank or a comment. Knows strings, quoted names, dollar quotes and
-- comments, and no more of the grammar.
create or replace function howdah.split_statements(query text) returns text[]
language plpgsql immutable strict
as $split$
declare
  statements text[] := '{}';
  statement text := '';
  blank boolean := true; -- whether only white space and comments are in `statement`
  rest text := query;
  token text;
  depth int;
begin
  while rest <> '' loop
    -- One token: whatever cannot begin something that hides a semicolon, or one such thing, or a single character.
    token := coalesce(
      substring(rest from '^\s+'),
      substring(rest from '^--[^\n]*'),
      substring(rest from '^[eE]''(?:[^''\\]|\\.|'''')*'''),
      substring(rest from '^(?:[a-zA-Z_]|[^\x01-\x7f])(?:[\w$]|[^\x01-\x7f])*'),
      substring(rest from '^''(?:[^'']|'''')*'''),
      substring(rest from '^"(?:[^"]|"")*"'),
      substring(rest from '^\$(?:(?:[a-zA-Z_]|[^\x01-\x7f])(?:\w|[^\x01-\x7f])*)?\$'),
      substring(rest from '^[0-9.,()\[\]=<>+*%:!|&^~?@#]+'),
      substring(rest from '^/\*'),
      left(rest, 1)
    );
    if token ~ '^\$.*\$$' then
      -- up to the same tag; without one it is an error that the parser tells
      depth := position(token in substr(rest, length(token) + 1));
      token := case when depth = 0 then rest else left(rest, 2 * length(token) + depth - 1) end;
    elsif token = '/*' then
      depth := 1;
      while depth > 0 and length(token) < length(rest) loop
        case substr(rest, length(token) + 1, 2)
          when '/*' then
            depth := depth + 1;
            token := token || '/*';
          when '*/' then
            depth := depth - 1;
            token := token || '*/';
          else
            token := left(rest, length(token) + 1);
        end case;
      end loop;
    end if;
    rest := substr(rest, length(token) + 1);
    if token = ';' then
      if not blank then
        statements := statements || statement;
      end if;
      statement := '';
      blank := true;
    else
      statement := statement || token;
      blank := blank and token ~ '^(\s|--|/\*)';
    end if;
  end loop;
  return case when blank then statements else statements || statement end;
end;
$split$;

-- The query with a CTE (`name (columns) as (…)`) in front of its own.
create or replace function howdah.with_cte(query text, cte text) returns text
language plpgsql immutable strict
as $$
declare
  -- white space and comments, which may come before the keyword
  lead constant text := coalesce(substring(query from '^(?:\s|--[^\n]*(?:\n|$)|/\*(?:[^*]|\*+[^*/])*\*+/)+'), '');
  body constant text := substr(query, length(lead) + 1);
  keyword constant text := substring(body from '(?i)^with\s+(?:recursive\s+)?');
begin
  if keyword is null then
    return format('%swith %s %s', lead, cte, body);
  end if;
  return format('%s%s%s, %s', lead, keyword, cte, substr(body, length(keyword) + 1));
end;
$$;
