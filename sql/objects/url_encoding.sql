-- Percent-encoding, and what forms and queries make of it (https://url.spec.whatwg.org/#application/x-www-form-urlencoded).

-- The text that is percent-encoded. What is no UTF-8 then, or has a NUL, cannot be a text: that is answered with 400.
create or replace function howdah.url_decode(encoded text) returns text
language plpgsql immutable strict
as $$
begin
  if position('%' in encoded) = 0 then
    return encoded;
  end if;
  return (
    select convert_from(
      decode(string_agg(coalesce(part[1], encode(convert_to(part[2], 'UTF8'), 'hex')), '' order by place), 'hex'),
      'UTF8'
    )
    -- A percent sign that begins nothing stands for itself.
    from regexp_matches(encoded, '%([[:xdigit:]]{2})|([^%]+|%)', 'g') with ordinality as found (part, place)
  );
exception
  when character_not_in_repertoire or untranslatable_character then
    raise exception 'what is percent-encoded is no text' using errcode = 'PT400';
end;
$$;

-- As encodeURIComponent() in JavaScript: for one segment of a path, or a name or value of a query.
create or replace function howdah.url_encode(plain text) returns text
language sql immutable strict
as $$
  select coalesce(
    string_agg(
      case
        when letter ~ '^[A-Za-z0-9_.!~*''()-]$' then letter
        else upper(regexp_replace(encode(convert_to(letter, 'UTF8'), 'hex'), '(..)', '%\1', 'g'))
      end,
      '' order by place
    ),
    ''
  )
  from unnest(string_to_array(plain, null)) with ordinality as spelled (letter, place)
$$;

-- Names and values of a query, or of the body of a form, in their order.
create or replace function howdah.parse_query(query text) returns table (name text, value text)
language sql immutable strict
as $$
  select
    howdah.url_decode(replace(split_part(pair, '=', 1), '+', ' ')),
    howdah.url_decode(replace(substr(pair, length(split_part(pair, '=', 1)) + 2), '+', ' '))
  from unnest(string_to_array(query, '&')) with ordinality as listed (pair, place)
  where pair <> ''
  order by place
$$;
