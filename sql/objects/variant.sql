-- Which variant an outcome is.
create or replace function omni_types.variant(v omni_httpd.http_outcome) returns regtype
language plpgsql stable
as $$
begin
  if v is null then
    raise exception 'Sum type value can''t be null' using errcode = 'null_value_not_allowed';
  end if;
  return case get_byte(v, 0)
    when 0 then 'omni_httpd.http_response'::regtype
    when 1 then 'omni_httpd.abort'::regtype
    when 2 then 'omni_httpd.http_proxy'::regtype
    when 3 then 'howdah.event_stream'::regtype
    when 4 then to_regtype('howdah.http_file')
  end;
end;
$$;
