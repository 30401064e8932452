// http_outcome, its variants and their constructors (omni_httpd.md §1 and §3).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { decodeOutcome } from '../../src/catalog/outcome.ts';
import { isFieldValue, isToken } from '../../src/protocol/http/grammar.ts';
import { onEachDatabase, one, value, type TestDatabase } from './databases.ts';

/** Fields of a response, its headers as `name: value` and its body as text. */
const FIELDS = `status::int, convert_from(body, 'UTF8') as body,
  (select array_agg(name || ': ' || value order by place) from unnest(headers) with ordinality as h (name, value, place)) as headers`;

function response(database: TestDatabase, expression: string): Promise<Readonly<Record<string, unknown>>> {
  return one(database, `select ${FIELDS} from (select ((${expression})::omni_httpd.http_response).*) as r`);
}

const TEXT = 'content-type: text/plain; charset=utf-8';
const BINARY = 'content-type: application/octet-stream';
const JSON_TYPE = 'content-type: application/json';

/** What §3.1 says of http_response(), and what the regression suite of the original asks. */
const RESPONSES: readonly (readonly [string, number, string | null, string[] | null])[] = [
  ['omni_httpd.http_response()', 200, null, null],
  ["omni_httpd.http_response('test')", 200, 'test', [TEXT]],
  ["omni_httpd.http_response(status => null, body => 'test')", 200, 'test', [TEXT]],
  ["omni_httpd.http_response(headers => null, body => 'test')", 200, 'test', [TEXT]],
  ['omni_httpd.http_response(body => null)', 200, null, null],
  ['omni_httpd.http_response(body => null::jsonb, status => 201)', 201, null, null],
  ['omni_httpd.http_response(null::int)', 200, null, null],
  ["omni_httpd.http_response('')", 200, '', [TEXT]],
  ['omni_httpd.http_response(status => 404)', 404, null, null],
  [`omni_httpd.http_response('{"a": 1}'::json)`, 200, '{"a": 1}', [JSON_TYPE]],
  [`omni_httpd.http_response('{"a":1}'::jsonb)`, 200, '{"a": 1}', [JSON_TYPE]],
  ["omni_httpd.http_response(convert_to('bytes', 'UTF8'))", 200, 'bytes', [BINARY]],
  ["omni_httpd.http_response('v'::varchar(3))", 200, 'v', [TEXT]],
  [`omni_httpd.http_response('c'::"char")`, 200, 'c', [TEXT]],
  ["omni_httpd.http_response('n'::name)", 200, 'n', [TEXT]],
  ["omni_httpd.http_response('ok', 200::smallint)", 200, 'ok', [TEXT]],
  [
    "omni_httpd.http_response(headers => array[omni_http.http_header('test', 'value')]::omni_http.http_header[])",
    200,
    null,
    ['test: value'],
  ],
  [
    "omni_httpd.http_response(body => 'test', headers => array[omni_http.http_header('test', 'value')])",
    200,
    'test',
    ['test: value', TEXT],
  ],
  [
    "omni_httpd.http_response('test', headers => array[omni_http.http_header('Content-Type', 'text/html')])",
    200,
    'test',
    ['Content-Type: text/html'],
  ],
  [
    "omni_httpd.http_response('test', headers => array[omni_http.http_header('content', 'x')])",
    200,
    'test',
    ['content: x', TEXT],
  ],
  [
    "omni_httpd.http_response('test', headers => array[null, omni_http.http_header(null, 'x'), omni_http.http_header('a', null)])",
    200,
    'test',
    [TEXT],
  ],
];

onEachDatabase((database) => {
  for (const [expression, status, body, headers] of RESPONSES) {
    test(`http_response (§3.1): ${expression}`, async () => {
      const found = await response(database(), expression);
      assert.equal(found['status'], status);
      assert.equal(found['body'], body);
      const listed = found['headers'];
      const complete = Array.isArray(listed) ? listed.filter((header) => header !== null) : listed;
      assert.deepEqual(complete, headers);
    });
  }

  test('a body of a type that cannot be sent is refused (§3.1)', async () => {
    await assert.rejects(
      database().query('select omni_httpd.http_response(1)'),
      /Can't \(yet\) cast integer to bytea/,
    );
    await assert.rejects(
      database().query("select omni_httpd.http_response('::1'::inet)"),
      /Can't \(yet\) cast inet to bytea/,
    );
  });

  test('a status that is no smallint is an error, not another status', async () => {
    await assert.rejects(
      database().query('select omni_httpd.http_response(status => 70000)'),
      /smallint out of range/,
    );
  });

  test('PL/pgSQL selects an outcome into a variable and converts it both ways (§1)', async () => {
    await database().exec(`
      create or replace function both_ways() returns omni_httpd.http_outcome language plpgsql as $$
      declare
        outcome omni_httpd.http_outcome;
        response omni_httpd.http_response;
      begin
        select omni_httpd.http_response('ok') into outcome;
        response := outcome::omni_httpd.http_response;
        response.body := response.body || '!'::bytea;
        response.headers := response.headers || omni_http.http_header('x', 'y');
        outcome := response;
        return outcome;
      end $$`);
    assert.deepEqual(await response(database(), 'both_ways()'), {
      status: 200,
      body: 'ok!',
      headers: [TEXT, 'x: y'],
    });
  });

  test('a function may return a row of http_response as its outcome', async () => {
    await database().exec(`
      create or replace function sql_row() returns omni_httpd.http_outcome language sql as
        $$ select row('a', 201, null)::omni_httpd.http_response $$;
      create or replace function plpgsql_row() returns omni_httpd.http_outcome language plpgsql as
        $$ begin return row('b', 202, array[omni_http.http_header('n', 'v')])::omni_httpd.http_response; end $$;`);
    assert.deepEqual(await response(database(), 'sql_row()'), { status: 201, body: 'a', headers: null });
    assert.deepEqual(await response(database(), 'plpgsql_row()'), {
      status: 202,
      body: 'b',
      headers: ['n: v'],
    });
  });

  test('procedures pass an outcome on as INOUT', async () => {
    await database().exec(`
      create or replace procedure passes(inout outcome omni_httpd.http_outcome) language plpgsql as $$
      declare response omni_httpd.http_response := outcome::omni_httpd.http_response;
      begin response.status := 418; outcome := response; end $$`);
    const bytes = await value(database(), "call passes(omni_httpd.http_response('tea'))");
    assert.ok(bytes instanceof Uint8Array);
    const decoded = decodeOutcome(Buffer.from(bytes));
    assert.ok(decoded.kind === 'response');
    assert.equal(decoded.response.status, 418);
    assert.equal(String(decoded.response.body), 'tea');
  });

  test('a null response is a null outcome, a response of nulls is not', async () => {
    const found = await one(
      database(),
      `select
         (null::omni_httpd.http_response)::omni_httpd.http_outcome is null as none,
         (row(null, null, null)::omni_httpd.http_response)::omni_httpd.http_outcome is null as nulls`,
    );
    assert.deepEqual(found, { none: true, nulls: false });
  });

  test('each variant converts to itself and to null for the others (§1)', async () => {
    const outcomes = [
      "omni_httpd.http_response('x')",
      'omni_httpd.abort()',
      "omni_httpd.http_proxy('http://a/')",
    ];
    for (const [i, outcome] of outcomes.entries()) {
      const found = await one(
        database(),
        `select
           omni_httpd.http_response_from_http_outcome(o) is distinct from null as response,
           omni_httpd.abort_from_http_outcome(o) is not null as abort,
           omni_httpd.http_proxy_from_http_outcome(o) is distinct from null as proxy,
           omni_types.variant(o)::text as variant
         from (select ${outcome} as o) as given`,
      );
      assert.deepEqual(found, {
        response: i === 0,
        abort: i === 1,
        proxy: i === 2,
        variant: ['omni_httpd.http_response', 'omni_httpd.abort', 'omni_httpd.http_proxy'][i],
      });
    }
  });

  test('the variants become outcomes by function and by assignment', async () => {
    const found = await one(
      database(),
      `select
         omni_httpd.http_outcome_from_http_proxy(row('u', null))::omni_httpd.http_proxy::text as proxy,
         row('v', false)::omni_httpd.http_proxy::omni_httpd.http_outcome::omni_httpd.http_proxy::text as cast_proxy,
         omni_httpd.http_outcome_from_abort('')::bytea = omni_httpd.abort() as abort,
         (omni_httpd.http_outcome_from_http_response(row('\\x61', 200::smallint, null))::omni_httpd.http_response).body = '\\x61' as response`,
    );
    assert.equal(found['proxy'], '(u,)');
    assert.equal(found['cast_proxy'], '(v,f)');
    assert.equal(found['abort'], true);
    assert.equal(found['response'], true);
  });

  test('the variant of null is an error (§1)', async () => {
    await assert.rejects(database().query('select omni_types.variant(null)'), /Sum type value can't be null/);
  });

  test('= compares what outcomes mean, and variants are unequal (§1)', async () => {
    const written =
      "omni_httpd.http_response('\\x6f6b'::bytea, headers => array[omni_http.http_header('content-type', 'text/plain; charset=utf-8')])";
    const found = await one(
      database(),
      `select
         omni_httpd.http_response('ok') operator(omni_httpd.=) ${written} as meaning,
         omni_httpd.http_response('ok') operator(omni_httpd.<>) omni_httpd.http_response('no') as unequal,
         omni_httpd.abort() operator(omni_httpd.=) omni_httpd.http_proxy('u') as variants,
         omni_httpd.http_response('ok') = omni_httpd.http_response('ok') as bytes`,
    );
    assert.deepEqual(found, { meaning: true, unequal: true, variants: false, bytes: true });
  });

  test('what SQL encodes is what the server decodes, and SQL converts it back', async () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((s) => !s.includes('\0'));
    const name = fc.oneof({ weight: 9, arbitrary: fc.stringMatching(/^[!#-'*+.0-9A-Z^-z|~-]{1,20}$/) }, text);
    const header = fc.option(fc.tuple(fc.option(name), fc.option(text)), { freq: 4 });
    await fc.assert(
      fc.asyncProperty(
        fc.option(fc.uint8Array({ maxLength: 40 })),
        fc.integer({ min: 200, max: 599 }),
        fc.option(fc.array(header, { maxLength: 5 })),
        async (body, status, headers) => {
          const literal = headers === null ? null : JSON.stringify(headers);
          const row = await one(
            database(),
            `with given as (
               select decode($1, 'hex') as body, $2::int as status, case when $3::jsonb is not null then array(
                 select case when h <> 'null' then omni_http.http_header(h ->> 0, h ->> 1) end
                 from jsonb_array_elements($3::jsonb) with ordinality as e (h, place) order by place
               )::omni_http.http_headers end as headers
             ), made as (
               select given.*, omni_httpd.http_response(body, status, headers) as outcome from given
             )
             select
               outcome::bytea as outcome,
               (outcome::omni_httpd.http_response).body is not distinct from body as same_body,
               (outcome::omni_httpd.http_response).status = status as same_status,
               coalesce((outcome::omni_httpd.http_response).headers[:coalesce(cardinality(headers), 0)], '{}')
                 = coalesce(headers, '{}')::omni_http.http_header[] as same_headers,
               row(body, status, headers)::omni_httpd.http_response
                 is not distinct from row(body, status, headers)::omni_httpd.http_response::omni_httpd.http_outcome::omni_httpd.http_response
                 as same_row
             from made`,
            [body === null ? null : Buffer.from(body).toString('hex'), String(status), literal],
          );
          const bytes = row['outcome'];
          assert.ok(bytes instanceof Uint8Array);
          const decoded = decodeOutcome(Buffer.from(bytes));
          const sent = (headers ?? []).flatMap((pair) =>
            pair === null || pair[0] === null || pair[1] === null ? [] : pair,
          );
          const latin1 = sent.map((part) => Buffer.from(part ?? '').toString('latin1'));
          if (latin1.every((part, i) => (i % 2 === 0 ? isToken(part) : isFieldValue(part)))) {
            assert.ok(decoded.kind === 'response', JSON.stringify(decoded));
            assert.equal(decoded.response.status, status);
            assert.deepEqual(decoded.response.body, body === null ? null : Buffer.from(body));
            assert.deepEqual(
              decoded.response.fields,
              body === null ? latin1 : [...latin1, 'content-type', 'application/octet-stream'],
            );
          } else assert.equal(decoded.kind, 'invalid');
          assert.deepEqual(
            [row['same_body'], row['same_status'], row['same_headers'], row['same_row']],
            [true, true, true, true],
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  test('http_response is inlined, so that it costs no call of a function', async () => {
    const plan = await database().query(
      'explain (verbose, costs off) select omni_httpd.http_response(repeat(relname::text, 2)) from pg_class',
    );
    const text = JSON.stringify(plan);
    assert.match(text, /int2send|textsend/);
    assert.doesNotMatch(text, /http_response/);
  });
});
