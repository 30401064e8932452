-- Forms in the body of a request: multipart/form-data part by part (RFC 7578), and the values of forms of both types.

-- What stands for a name in the header of a part: its parameter, as browsers write it (a quote is %22) and as other clients do (\").
create or replace function howdah.disposition_parameter(head text, parameter text) returns text
language sql immutable
as $$
  select replace(replace(replace(
    regexp_replace(
      coalesce(
        substring(disposition from '(?i);\s*' || parameter || '\s*=\s*"((?:[^"\\]|\\.)*)"'),
        substring(disposition from '(?i);\s*' || parameter || '\s*=\s*([^\s;"]+)')
      ),
      '\\(["\\])', '\1', 'g'
    ),
    '%22', '"'), '%0D', e'\r'), '%0A', e'\n')
  from (select substring(head from '(?in)^content-disposition:([^\r\n]*)')) as headers (disposition)
$$;

-- The parts of a form, in their order; none where the body is no form with parts.
create or replace function howdah.form_parts(request omni_httpd.http_request)
returns table (name text, filename text, content_type text, content bytea)
language plpgsql immutable
as $$
declare
  body_type constant text := omni_http.http_header_get(request.headers, 'content-type');
  boundary constant text := coalesce(
    substring(body_type from '(?i);\s*boundary\s*=\s*"([^"]*)"'),
    substring(body_type from '(?i);\s*boundary\s*=\s*([^\s;"]+)')
  );
  pieces text[];
  head text;
  break int;
begin
  if body_type is null or body_type !~* '^multipart/form-data\s*(?:;|$)' then
    return;
  end if;
  -- RFC 2046 §5.1.1, and no backslash: see below.
  if boundary is null or boundary !~ '^[[:alnum:]''()+_,./:=? -]{1,70}$' or boundary ~ '[^ -~]' then
    raise exception 'the form has no boundary between its parts' using errcode = 'PT400';
  end if;
  -- All at once, so that many parts take no longer than one. In this encoding, CR, LF and what a boundary has stand for themselves, and
  -- nothing else has them in it.
  pieces := string_to_array(e'\r\n' || encode(request.body, 'escape'), e'\r\n--' || boundary);
  for i in 2 .. coalesce(array_length(pieces, 1), 0) loop
    if pieces[i] like '--%' then
      return;
    end if;
    -- Behind the boundary there may be spaces; a part without headers is one without a name.
    break := position(e'\r\n\r\n' in pieces[i]);
    exit when break not between 1 and 16384 or left(pieces[i], break + 1) !~ '^[ \t]*\r\n';
    head := convert_from(decode(left(pieces[i], break - 1), 'escape'), 'UTF8');
    name := howdah.disposition_parameter(head, 'name');
    exit when name is null;
    filename := regexp_replace(howdah.disposition_parameter(head, 'filename'), '^.*[/\\]', '');
    content_type := trim(substring(head from '(?in)^content-type:([^\r\n]*)'));
    content := decode(substr(pieces[i], break + 4), 'escape');
    return next;
  end loop;
  raise exception 'the form is cut off, or has a part without a name' using errcode = 'PT400';
exception
  when character_not_in_repertoire or untranslatable_character then
    raise exception 'a name in the form is no UTF-8 text' using errcode = 'PT400';
end;
$$;

-- As query_values() and query_value(), of a form that was sent as the body, without its files; nothing of a body of another type.
create or replace function howdah.form_values(request omni_httpd.http_request, name text) returns text[]
language plpgsql immutable
as $$
declare
  body_type constant text := omni_http.http_header_get(request.headers, 'content-type');
begin
  if body_type ~* '^application/x-www-form-urlencoded\s*(?:;|$)' then
    return (
      select coalesce(array_agg(given.value order by place), '{}')
      from howdah.parse_query(howdah.body_text(request)) with ordinality as given (name, value, place)
      where given.name = form_values.name
    );
  end if;
  return (
    select coalesce(array_agg(convert_from(part.content, 'UTF8') order by place), '{}')
    from howdah.form_parts(request) with ordinality as part (name, filename, content_type, content, place)
    where part.name = form_values.name and part.filename is null
  );
exception
  when character_not_in_repertoire or untranslatable_character then
    raise exception 'a value in the form is no UTF-8 text' using errcode = 'PT400';
end;
$$;
