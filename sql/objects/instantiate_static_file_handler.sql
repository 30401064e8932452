-- Makes a function that answers requests with files: of a howdah.local_fs, which the server reads, or of a file system of the extension
-- omni_vfs, whose functions read it.
create or replace function omni_httpd.instantiate_static_file_handler(
  schema name default 'omni_httpd',
  name name default 'static_file_handler'
) returns void
language plpgsql
as $instantiate$
begin
  execute format(
    $create$
create or replace function %I.%I(
  request omni_httpd.http_request,
  fs anyelement,
  fs_path text default '',
  path text default null,
  listing boolean default false
) returns omni_httpd.http_outcome
language plpgsql
as $static_file_handler$
declare
  shown constant text := coalesce(path, request.path);
  wanted text := coalesce(fs_path, '') || shown;
  is_directory boolean;
  content bytea;
  etag text;
  content_type text := 'application/octet-stream';
begin
  if request.method not in ('GET', 'HEAD') then
    return omni_httpd.http_response(status => 404);
  end if;
  if howdah.is_local_fs(pg_typeof(fs)) then
    return howdah.http_file(fs::text::howdah.local_fs, wanted, listing => coalesce(listing, false), shown_path => shown);
  end if;
  is_directory := shown = '/' or coalesce((omni_vfs.file_info(fs, wanted)).kind::text = 'dir', false);
  if is_directory and (omni_vfs.file_info(fs, rtrim(wanted, '/') || '/index.html')).kind::text = 'file' then
    wanted := rtrim(wanted, '/') || '/index.html';
    is_directory := false;
  end if;
  if not is_directory and (omni_vfs.file_info(fs, wanted)).kind::text = 'file' then
    content := omni_vfs.read(fs, wanted);
    etag := format('"%%s"', encode(sha256(content), 'hex'));
    if to_regclass('omni_mimetypes.mime_types') is not null then
      select coalesce(types.name, content_type) into content_type
      from omni_mimetypes.file_extensions as extensions
      join omni_mimetypes.mime_types_file_extensions as pairs on pairs.file_extension_id = extensions.id
      join omni_mimetypes.mime_types as types on types.id = pairs.mime_type_id
      where wanted like '%%.' || extensions.extension
      limit 1;
      content_type := coalesce(content_type, 'application/octet-stream');
    end if;
    if etag = omni_http.http_header_get(request.headers, 'if-none-match') then
      content := null;
    end if;
    return omni_httpd.http_response(
      content,
      status => case when content is null then 304 else 200 end,
      headers => array[
        omni_http.http_header('content-type', content_type),
        omni_http.http_header('etag', etag),
        omni_http.http_header('cache-control', 'public, max-age=3600')
      ]
    );
  end if;
  if listing and is_directory then
    return omni_httpd.http_response(
      (
        select string_agg(format('<a href="%%s/%%s">%%s</a>', howdah.html_text(rtrim(shown, '/')), howdah.html_text(name),
          howdah.html_text(name)), '<br>' order by name)
        from omni_vfs.list(fs, wanted)
      ),
      headers => array[omni_http.http_header('content-type', 'text/html')]
    );
  end if;
  return omni_httpd.http_response(status => 404);
end;
$static_file_handler$
    $create$,
    schema,
    name
  );
end;
$instantiate$;

-- Text as it may stand in HTML, also in an attribute.
create or replace function howdah.html_text(text text) returns text
language sql immutable
return replace(replace(replace(replace(text, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;');
