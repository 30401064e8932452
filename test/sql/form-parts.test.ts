// Forms with files (multipart/form-data, RFC 7578), as handlers in SQL read them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onEachDatabase, value } from './databases.ts';

interface Part {
  readonly name: string;
  readonly filename: string | null;
  readonly content_type: string | null;
  readonly content: string;
}

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

function request(type: string, body: Uint8Array): string {
  return `omni_httpd.http_request('/', body => '\\x${Buffer.from(body).toString('hex')}'::bytea,
    headers => array[omni_http.http_header('content-type', ${literal(type)})]::omni_http.http_headers)`;
}

/** As the platform encodes it, which is how browsers do. */
async function requestOf(form: FormData): Promise<string> {
  const encoded = new Response(form);
  return request(encoded.headers.get('content-type') ?? '', await encoded.bytes());
}

/** With one boundary; `\n` stands for CR LF. */
const written = (lines: string, type = 'multipart/form-data; boundary=x'): string =>
  request(type, Buffer.from(lines.replaceAll('\n', '\r\n'), 'latin1'));

onEachDatabase((database) => {
  const json = async (expression: string): Promise<unknown> =>
    JSON.parse(String(await value(database(), `select to_json(${expression})::text`))) as unknown;
  const partsOf = async (asked: string): Promise<Part[]> =>
    (await json(`(select coalesce(json_agg(json_build_object('name', name, 'filename', filename,
      'content_type', content_type, 'content', encode(content, 'hex')) order by place), '[]')
      from howdah.form_parts(${asked}) with ordinality as p (name, filename, content_type, content, place))`)) as Part[];
  const hex = (text: string | Uint8Array): string => Buffer.from(text).toString('hex');

  test('each part has its name, its file name, its type and its bytes, in the order of the form', async () => {
    const bytes = Uint8Array.from({ length: 700 }, (_, index) => (index * 7) % 256);
    const awkward = Buffer.from('\r\n--\\\\000\r\n\r\n--\r\n\\', 'latin1');
    const form = new FormData();
    form.append('title', 'żółw\r\nline two');
    form.append('photo', new File([bytes], 'a "b" ż.png', { type: 'image/png' }));
    form.append('photo', new File([awkward], 'two.bin'));
    form.append('empty', '');
    assert.deepEqual(await partsOf(await requestOf(form)), [
      { name: 'title', filename: null, content_type: null, content: hex('żółw\r\nline two') },
      { name: 'photo', filename: 'a "b" ż.png', content_type: 'image/png', content: hex(bytes) },
      { name: 'photo', filename: 'two.bin', content_type: 'application/octet-stream', content: hex(awkward) },
      { name: 'empty', filename: null, content_type: null, content: '' },
    ]);
  });

  test('what other clients write is read too: preamble and epilogue, a quoted boundary, spaces, escapes, directories', async () => {
    const type = 'Multipart/Form-Data; charset=utf-8; boundary="a b(c)"';
    const body =
      'to be ignored\n--a b(c) \t\nCONTENT-TYPE: text/plain\nContent-Disposition: form-data; filename="C:\\\\dir\\\\x \\"y\\".txt"; name=f\n\n' +
      '1\n--a b(c)\nContent-Disposition: form-data; name="filename="\n\n2\n--a b(c)--\n--a b(c)\n';
    assert.deepEqual(await partsOf(written(body, type)), [
      { name: 'f', filename: 'x "y".txt', content_type: 'text/plain', content: hex('1') },
      { name: 'filename=', filename: null, content_type: null, content: hex('2') },
    ]);
    assert.deepEqual(await partsOf(written('--x--\n')), []);
    const noFile = '--x\nContent-Disposition: form-data; name="f"; filename=""\nContent-Type: a/b\n\n\n--x--';
    assert.deepEqual(await partsOf(written(noFile)), [
      { name: 'f', filename: '', content_type: 'a/b', content: '' },
    ]);
  });

  test('values of a form by name leave files out', async () => {
    const form = new FormData();
    form.append('tag', 'a');
    form.append('tag', 'ż');
    form.append('tag', new File(['c'], 'c.txt'));
    const asked = await requestOf(form);
    assert.deepEqual(await json(`howdah.form_values(${asked}, 'tag')`), ['a', 'ż']);
    assert.equal(await value(database(), `select howdah.form_value(${asked}, 'tag')`), 'a');
    assert.equal(await value(database(), `select howdah.form_value(${asked}, 'none')`), null);
  });

  test('bodies of other types have no parts; a form that is malformed or cut off is a bad request', async () => {
    assert.deepEqual(await partsOf(written('--x\n', 'text/plain; boundary=x')), []);
    assert.deepEqual(await partsOf(`omni_httpd.http_request('/')`), []);
    const head = 'Content-Disposition: form-data; name="a"\n\n';
    const malformed = [
      '',
      'nothing',
      `--x\n${head}1`,
      `--x\n${head}1\n`,
      `--x\n${head}1\n--xy--`,
      `--x\nContent-Type: text/plain\n\n1\n--x--`,
      `--x\n\n1\n--x--`,
      `--x\nContent-Disposition: form-data; name="\xff"\n\n1\n--x--`,
      `--x\nX: ${'y'.repeat(20_000)}\n${head}1\n--x--`,
    ];
    for (const body of malformed) await assert.rejects(partsOf(written(body)), { code: 'PT400' }, body);
    for (const type of [
      'multipart/form-data',
      'multipart/form-data; boundary=ż',
      'multipart/form-data; boundary=a\\b',
    ])
      await assert.rejects(partsOf(written(`--x\n${head}1\n--x--`, type)), { code: 'PT400' }, type);
    const latin = written(`--x\n${head}\xff\n--x--`);
    await assert.rejects(json(`howdah.form_values(${latin}, 'a')`), { code: 'PT400' });
  });

  test('many small parts take no longer for being many', async () => {
    const part = '--x\nContent-Disposition: form-data; name="a"\n\n1\n';
    const body = `(convert_to(repeat(e'${part.replaceAll('\n', '\\r\\n')}', 20000) || '--x--', 'UTF8'))`;
    const asked = written('').replace(/body => '[^']*'::bytea/, () => `body => ${body}`);
    assert.equal(Number(await value(database(), `select count(*) from howdah.form_parts(${asked})`)), 20_000);
  });
});
