// omni_httpd.instantiate_static_file_handler over a file system of the extension omni_vfs (omni_httpd.md §14), which is stood in for
// here by functions of the same names over a table. Files that howdah reads itself are tested with the server.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeOutcome } from '../../src/catalog/outcome.ts';
import { onEachDatabase, value } from './databases.ts';

const FILE_SYSTEM = `
create schema omni_vfs;
create type omni_vfs.file_kind as enum ('file', 'dir');
create type omni_vfs.file_info as (size bigint, kind omni_vfs.file_kind);
create type table_fs as (id int);
create table file (fs int, path text, content bytea);
insert into file values
  (1, '/www/index.html', '<p>home'), (1, '/www/a.txt', 'text'), (1, '/www/odd.xyz', 'odd'),
  (1, '/www/sub/<b>.txt', 'b'), (2, '/www/a.txt', 'of another file system');
create function omni_vfs.file_info(fs table_fs, path text) returns omni_vfs.file_info language sql stable as $$
  select row(length(content), 'file')::omni_vfs.file_info from file where file.fs = fs.id and file.path = $2
  union all
  select row(0, 'dir')::omni_vfs.file_info
    where exists (select from file where file.fs = fs.id and file.path like rtrim($2, '/') || '/%')
$$;
create function omni_vfs.read(fs table_fs, path text) returns bytea language sql stable as $$
  select content from file where file.fs = fs.id and file.path = $2
$$;
create function omni_vfs.list(fs table_fs, path text) returns table (name text, kind omni_vfs.file_kind) language sql stable as $$
  select distinct split_part(substr(file.path, length(rtrim($2, '/')) + 2), '/', 1), 'file'::omni_vfs.file_kind
  from file where file.fs = fs.id and file.path like rtrim($2, '/') || '/%'
$$;
select omni_httpd.instantiate_static_file_handler('public', 'files');
`;

const MIME_TYPES = `
create schema omni_mimetypes;
create table omni_mimetypes.mime_types (id int primary key, name text);
create table omni_mimetypes.file_extensions (id int primary key, extension text);
create table omni_mimetypes.mime_types_file_extensions (mime_type_id int, file_extension_id int);
insert into omni_mimetypes.mime_types values (1, 'text/plain'), (2, 'text/html');
insert into omni_mimetypes.file_extensions values (1, 'txt'), (2, 'html');
insert into omni_mimetypes.mime_types_file_extensions values (1, 1), (2, 2);
`;

interface Answer {
  readonly status: number;
  readonly fields: Readonly<Record<string, string>>;
  readonly body: string | null;
}

onEachDatabase((database) => {
  const ask = async (request: string, more = ''): Promise<Answer> => {
    const bytes = await value(
      database(),
      `select files(omni_httpd.http_request(${request}), row(1)::table_fs, '/www'${more})::omni_httpd.http_outcome`,
    );
    assert.ok(bytes instanceof Uint8Array);
    const outcome = decodeOutcome(Buffer.from(bytes));
    assert.ok(outcome.kind === 'response');
    const { status, fields, body } = outcome.response;
    const pairs = fields.flatMap((name, i) => (i % 2 === 0 ? [[name, fields[i + 1] ?? '']] : []));
    return {
      status,
      fields: Object.fromEntries(pairs) as Record<string, string>,
      body: body === null ? null : String(body),
    };
  };

  test('a file is answered with its content, its hash as etag, and a type of its extension', async () => {
    await database().exec(FILE_SYSTEM);
    const plain = await ask("'/a.txt'");
    assert.equal(plain.status, 200);
    assert.equal(plain.body, 'text');
    assert.equal(plain.fields['content-type'], 'application/octet-stream');
    await database().exec(MIME_TYPES);
    const { fields } = await ask("'/a.txt'");
    assert.deepEqual(fields, {
      'content-type': 'text/plain',
      etag: '"982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1"',
      'cache-control': 'public, max-age=3600',
    });
    assert.equal((await ask("'/odd.xyz'")).fields['content-type'], 'application/octet-stream');
  });

  test('a file that the client has is 304', async () => {
    const { fields } = await ask("'/a.txt'");
    const known = `headers => array[omni_http.http_header('if-none-match', '${fields['etag']}')]::omni_http.http_headers`;
    const { status, body } = await ask(`'/a.txt', ${known}`);
    assert.deepEqual([status, body], [304, null]);
    assert.equal((await ask(`'/odd.xyz', ${known}`)).status, 200);
  });

  test('a directory is its index.html; without one a list of names where that is wanted, else 404', async () => {
    assert.deepEqual(
      [(await ask("'/'")).body, (await ask("'/'")).fields['content-type']],
      ['<p>home', 'text/html'],
    );
    assert.equal((await ask("'/sub'")).status, 404);
    const { status, body, fields } = await ask("'/sub'", ', listing => true');
    assert.equal(status, 200);
    assert.equal(fields['content-type'], 'text/html');
    assert.equal(body, '<a href="/sub/&lt;b&gt;.txt">&lt;b&gt;.txt</a>');
  });

  test('what is no file, and what is no GET, is 404; the path may be another than that of the request', async () => {
    assert.equal((await ask("'/none.txt'")).status, 404);
    assert.equal((await ask("'/a.txt', 'POST'")).status, 404);
    assert.equal((await ask("'/none.txt'", ", path => '/a.txt'")).body, 'text');
  });
});
