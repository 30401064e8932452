-- POST /notes with {"text": …}: inserts a row and answers its id.
create function bench_add_note(request omni_httpd.http_request) returns omni_httpd.http_outcome
  language plpgsql volatile as $$
declare
  added bigint;
begin
  insert into bench_notes (text)
    values (convert_from(request.body, 'UTF8')::json ->> 'text')
    returning id into added;
  return omni_httpd.http_response(json_build_object('id', added), status => 201);
end $$;

insert into omni_httpd.urlpattern_router (match, handler)
  values (omni_httpd.urlpattern('/notes', method => 'POST'), 'bench_add_note'::regproc);
