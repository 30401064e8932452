// What handlers in SQL take requests apart with, and put answers together with.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { array, constantFrom, sample, string } from 'fast-check';
import { setCookie } from '../../src/web/set-cookie.ts';
import { onEachDatabase, value } from './databases.ts';

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** A request as an SQL expression. */
function request(parts: {
  readonly query?: string | null;
  readonly body?: string;
  readonly headers?: readonly (readonly [string, string])[];
}): string {
  const headers = (parts.headers ?? []).map(
    ([name, text]) => `omni_http.http_header(${literal(name)}, ${literal(text)})`,
  );
  const query = parts.query === undefined || parts.query === null ? 'null' : literal(parts.query);
  return `omni_httpd.http_request('/', query_string => ${query}, body => ${parts.body ?? 'null'}::bytea,
    headers => array[${headers.join(', ')}]::omni_http.http_headers)`;
}

onEachDatabase((database) => {
  const ask = async (expression: string): Promise<unknown> => {
    const text = await value(database(), `select to_json(${expression})::text`);
    return typeof text === 'string' ? (JSON.parse(text) as unknown) : null;
  };

  test('percent-encoding is that of JavaScript, both ways', async () => {
    const texts = sample(
      string({ unit: 'grapheme', maxLength: 20 }).filter(
        (text) => !text.includes('\0') && text.isWellFormed(),
      ),
      { numRuns: 100, seed: 1 },
    );
    const rows = ['', 'a b', 'ż/&=%+', '%41', ...texts];
    const found = await ask(
      `(select json_agg(json_build_array(howdah.url_encode(plain), howdah.url_decode(howdah.url_encode(plain))) order by place)
        from unnest(array[${rows.map(literal).join(', ')}]::text[]) with ordinality as given (plain, place))`,
    );
    assert.deepEqual(
      found,
      rows.map((text) => [encodeURIComponent(text), text]),
    );
    // A percent sign that begins nothing stays.
    assert.equal(await ask("howdah.url_decode('100%25 %zz %')"), '100% %zz %');
    for (const bad of ['%ff', '%00', 'a%c3(']) {
      await assert.rejects(ask(`howdah.url_decode(${literal(bad)})`), { code: 'PT400' }, bad);
    }
  });

  test('queries are taken apart as URLSearchParams does', async () => {
    const queries = sample(
      array(constantFrom('p', 'q', '=', '&', '+', '%20', '%C5%BC', '%', 'x'), { maxLength: 12 }).map(
        (parts) => parts.join(''),
      ),
      { numRuns: 100, seed: 1 },
    );
    const found = await ask(
      `(select json_agg((select coalesce(json_agg(json_build_array(name, value)), '[]') from howdah.parse_query(query)) order by place)
        from unnest(array[${queries.map(literal).join(', ')}]::text[]) with ordinality as given (query, place))`,
    );
    assert.deepEqual(
      found,
      queries.map((query) => [...new URLSearchParams(query)]),
    );
  });

  test('values of the query by name: the first, all, none', async () => {
    const asked = request({ query: 'q=grey+water&tag=a&tag=b&empty' });
    assert.equal(await ask(`howdah.query_value(${asked}, 'q')`), 'grey water');
    assert.equal(await ask(`howdah.query_value(${asked}, 'empty')`), '');
    assert.equal(await ask(`howdah.query_value(${asked}, 'none')`), null);
    assert.deepEqual(await ask(`howdah.query_values(${asked}, 'tag')`), ['a', 'b']);
    assert.deepEqual(await ask(`howdah.query_values(${asked}, 'none')`), []);
    assert.equal(await ask(`howdah.query_value(${request({ query: null })}, 'q')`), null);
  });

  test('forms are read from bodies of their type only', async () => {
    const body = `convert_to('hay=4&straw=5&straw=%C5%BC', 'UTF8')`;
    const form = (type: string): string => request({ body, headers: [['Content-Type', type]] });
    assert.equal(await ask(`howdah.form_value(${form('application/x-www-form-urlencoded')}, 'hay')`), '4');
    assert.deepEqual(
      await ask(`howdah.form_values(${form('Application/X-WWW-Form-URLEncoded; charset=utf-8')}, 'straw')`),
      ['5', 'ż'],
    );
    assert.equal(await ask(`howdah.form_value(${form('text/plain')}, 'hay')`), null);
    assert.equal(await ask(`howdah.form_value(${request({})}, 'hay')`), null);
  });

  test('bodies are text or JSON, or it is a bad request', async () => {
    assert.equal(await ask(`howdah.body_text(${request({ body: `convert_to('ż', 'UTF8')` })})`), 'ż');
    assert.deepEqual(await ask(`howdah.body_json(${request({ body: `'{"a": [1]}'` })})`), { a: [1] });
    const bad = ["'\\xff'", "'{'", `convert_to('"\\u0000"', 'UTF8')`, 'null', "''", `repeat('[', 1000)`];
    for (const body of bad) {
      const expression = `howdah.body_json(${request({ body: `(${body})` })})`;
      await assert.rejects(ask(expression), { code: 'PT400' }, body);
    }
    // This engine is in the main thread, whose stack is small (see test/catalog/asked-failure.test.ts).
    if (database().kind !== 'embedded') {
      const deep = `howdah.body_json(${request({ body: `repeat('{"a":', 1000000)::bytea` })})`;
      await assert.rejects(ask(deep), { code: 'PT400', message: 'the body is nested too deep' });
    }
    const nested = request({ body: `(repeat('[', 2000) || repeat(']', 2000))::bytea` });
    assert.equal(await ask(`jsonb_typeof(howdah.body_json(${nested}))`), 'array');
    await assert.rejects(ask(`howdah.body_text(${request({ body: "'\\xff'" })})`), { code: 'PT400' });
  });

  test('cookies are found in all their fields, the first of a name', async () => {
    const asked = request({
      headers: [
        ['cookie', 'theme=dark; session="a=b"; bad=%ff'],
        ['Cookie', 'theme=light;name=%C5%BC'],
      ],
    });
    const expected = { theme: 'dark', session: '"a=b"', bad: '%ff', name: 'ż', none: null };
    for (const [name, text] of Object.entries(expected)) {
      assert.equal(await ask(`howdah.cookie(${asked}, ${literal(name)})`), text, name);
    }
    assert.equal(await ask(`howdah.cookie(${request({})}, 'theme')`), null);
  });

  test('a cookie is set with the attributes of setCookie()', async () => {
    const header = (args: string): Promise<unknown> => ask(`howdah.set_cookie(${args})`);
    const expected = (...args: [string, string, Parameters<typeof setCookie>[3]?]): unknown => {
      const headers = new Headers();
      setCookie(headers, ...args);
      return { name: 'set-cookie', value: headers.get('set-cookie') };
    };
    assert.deepEqual(await header("'session', 'a b;ż'"), expected('session', 'a b;ż'));
    assert.deepEqual(
      await header(
        "'s', 'x', max_age => '1 hour', path => '/a', domain => 'example.com', secure => false, http_only => false, same_site => 'strict'",
      ),
      expected('s', 'x', {
        maxAge: 3600,
        path: '/a',
        domain: 'example.com',
        secure: false,
        httpOnly: false,
        sameSite: 'strict',
      }),
    );
    assert.deepEqual(await header("'s', null"), expected('s', '', { maxAge: 0, expires: new Date(0) }));
    for (const bad of [
      "'a b', 'x'",
      "null, 'x'",
      "'s', 'x', path => '/;'",
      "'s', 'x', same_site => 'any'",
      "'s', 'x', same_site => 'none', secure => false",
      "'__Host-s', 'x', path => '/a'",
    ]) {
      await assert.rejects(header(bad), { code: '22023' }, bad);
    }
  });

  test('fail() has the status in its SQLSTATE; redirect() answers with the location', async () => {
    await assert.rejects(ask("howdah.fail(404, 'no such note')"), { code: 'PT404', message: /no such note/ });
    await assert.rejects(ask('howdah.fail(503)'), { code: 'PT503' });
    for (const bad of ['200', '600', 'null']) {
      await assert.rejects(ask(`howdah.fail(${bad})`), { code: '22023' }, bad);
    }
    assert.deepEqual(await ask("howdah.redirect('/there')::omni_httpd.http_response"), {
      body: null,
      status: 303,
      headers: [{ name: 'location', value: '/there' }],
    });
    const cookie = "array[omni_http.http_header('set-cookie', 'a=1')]";
    assert.deepEqual(
      await ask(`howdah.redirect('/there', headers => ${cookie}, status => 302)::omni_httpd.http_response`),
      {
        body: null,
        status: 302,
        headers: [
          { name: 'location', value: '/there' },
          { name: 'set-cookie', value: 'a=1' },
        ],
      },
    );
    assert.deepEqual(
      await ask("howdah.redirect('/there', headers => null)::omni_httpd.http_response"),
      await ask("howdah.redirect('/there')::omni_httpd.http_response"),
    );
  });
});
