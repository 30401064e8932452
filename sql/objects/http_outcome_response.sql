-- http_outcome from and to its variant http_response. The encoding is described at the type.

-- Not strict: PostgreSQL inlines a strict function only if every part of its body is strict.
create or replace function omni_httpd.http_outcome_from_http_response(response omni_httpd.http_response)
returns omni_httpd.http_outcome
language sql stable
return case
  when response is distinct from null then
    coalesce(
      '\x00'::bytea
        || coalesce(int2send((response).status), '\x8000'::bytea)
        || coalesce(array_send((response).headers), '\xffffffff'::bytea)
        || '\x01'::bytea
        || (response).body,
      '\x00'::bytea
        || coalesce(int2send((response).status), '\x8000'::bytea)
        || coalesce(array_send((response).headers), '\xffffffff'::bytea)
    )::omni_httpd.http_outcome
end;

-- null for another variant. Takes bytea, the base type of http_outcome, because a cast can only be created on that.
create or replace function omni_httpd.http_response_from_http_outcome(outcome bytea) returns omni_httpd.http_response
language plpgsql stable strict
as $$
declare
  response omni_httpd.http_response;
  dimensions int;
  elements int := 1;
  at int := 7; -- offset of the next byte, after variant, status and number of dimensions
  kind int;
  typed boolean := false; -- whether a header says the content-type
  name text;
  value text;
  length int;
  content_type text;
begin
  if get_byte(outcome, 0) <> 0 then
    return null;
  end if;
  if substring(outcome from 2 for 2) <> '\x8000' then
    response.status := ('x' || encode(substring(outcome from 2 for 2), 'hex'))::bit(16)::bit(32)::int >> 16;
  end if;
  dimensions := get_byte(outcome, 3) << 24 | get_byte(outcome, 4) << 16 | get_byte(outcome, 5) << 8 | get_byte(outcome, 6);
  if dimensions >= 0 then
    response.headers := array[]::omni_http.http_headers;
    at := at + 8;
    for dimension in 1..dimensions loop
      elements := elements
        * (get_byte(outcome, at) << 24 | get_byte(outcome, at + 1) << 16 | get_byte(outcome, at + 2) << 8 | get_byte(outcome, at + 3));
      at := at + 8;
    end loop;
    if dimensions = 0 then
      elements := 0;
    end if;
    for element in 1..elements loop
      name := null;
      value := null;
      length := get_byte(outcome, at) << 24 | get_byte(outcome, at + 1) << 16 | get_byte(outcome, at + 2) << 8 | get_byte(outcome, at + 3);
      at := at + 4;
      if length < 0 then
        response.headers := response.headers || null::omni_http.http_header;
        continue;
      end if;
      at := at + 8; -- the number of columns, the OID of text
      length := get_byte(outcome, at) << 24 | get_byte(outcome, at + 1) << 16 | get_byte(outcome, at + 2) << 8 | get_byte(outcome, at + 3);
      at := at + 4;
      if length >= 0 then
        name := convert_from(substring(outcome from at + 1 for length), pg_client_encoding());
        at := at + length;
      end if;
      at := at + 4;
      length := get_byte(outcome, at) << 24 | get_byte(outcome, at + 1) << 16 | get_byte(outcome, at + 2) << 8 | get_byte(outcome, at + 3);
      at := at + 4;
      if length >= 0 then
        value := convert_from(substring(outcome from at + 1 for length), pg_client_encoding());
        at := at + length;
      end if;
      typed := typed or coalesce(lower(name collate "C") = 'content-type', false);
      response.headers := response.headers || row(name, value)::omni_http.http_header;
    end loop;
  end if;
  if at < octet_length(outcome) then
    response.body := substring(outcome from at + 2);
    kind := get_byte(outcome, at);
    if kind > 1 and not typed then
      content_type := case kind
        when 2 then 'text/plain; charset=utf-8'
        when 3 then 'application/octet-stream'
        when 4 then 'application/json'
      end;
      response.headers := coalesce(response.headers, array[]::omni_http.http_headers)
        || row('content-type', content_type)::omni_http.http_header;
    end if;
  end if;
  return response;
end;
$$;
