// rest(): every way through its decisions, and what the responses say.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { flowDocument } from '../../scripts/rest-diagram-text.ts';
import type { Context } from '../../src/web/handler.ts';
import { FLOW } from '../../src/web/rest/rest-flow.ts';
import { observedRest, type RestResource } from '../../src/web/rest/rest.ts';

const context = {} as Context;
const walked = new Set<string>();

interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

async function ask(
  resource: RestResource,
  { method = 'GET', headers = {}, body }: Asked = {},
): Promise<Response> {
  const handler = observedRest(resource, (step, answer) => walked.add(`${step}: ${answer}`));
  const init = { method, headers, ...(body === undefined ? {} : { body }) };
  return handler(new Request('http://h/thing', init), context);
}

const hello: RestResource = { provides: { 'text/plain': () => 'hello' } };
const taking: RestResource = {
  ...hello,
  accepts: { 'text/plain': async (request) => (await request.text()) !== 'bad' },
  deleteResource: () => true,
};
const missing: RestResource = { ...taking, resourceExists: () => false };
const sent = (method: string, body = 'x', type = 'text/plain'): Asked => ({
  method,
  body,
  headers: { 'content-type': type },
});
const TIME = new Date('2024-01-02T03:04:05Z');
const TIME_TEXT = 'Tue, 02 Jan 2024 03:04:05 GMT';

type Case = readonly [
  name: string,
  resource: RestResource,
  asked: Asked,
  status: number,
  headers?: Readonly<Record<string, string | null>>,
  body?: string | RegExp,
];

const CASES: readonly Case[] = [
  // What the server and the resource can do.
  ['a resource that says nothing has nothing to show', {}, {}, 405, { allow: 'OPTIONS' }],
  [
    'a plain resource is shown',
    hello,
    {},
    200,
    { 'content-type': 'text/plain; charset=utf-8', vary: null },
    'hello',
  ],
  [
    'a service that is not available',
    { ...hello, serviceAvailable: () => false },
    {},
    503,
    { 'retry-after': null },
  ],
  [
    'one that will be',
    { ...hello, serviceAvailable: () => 1.2 },
    {},
    503,
    { 'retry-after': '2' },
    /^503 Service Unavailable\n/,
  ],
  [
    'one that will be at a time',
    { ...hello, serviceAvailable: () => TIME },
    {},
    503,
    { 'retry-after': TIME_TEXT },
  ],
  ['an unknown method', hello, { method: 'BREW' }, 501],
  [
    'a method that is known here',
    { ...hello, knownMethods: ['BREW'], allowedMethods: ['BREW'] },
    { method: 'BREW' },
    501,
  ],
  ['a target that is too long', { ...hello, uriTooLong: () => true }, {}, 414],
  ['a method that is not allowed', taking, { method: 'PATCH' }, 415],
  ['a method that nothing answers', hello, { method: 'DELETE' }, 405, { allow: 'GET, HEAD, OPTIONS' }],
  [
    'a method that was left out',
    { ...taking, allowedMethods: ['GET'] },
    { method: 'POST' },
    405,
    { allow: 'GET' },
  ],
  ['methods by request', { ...taking, allowedMethods: () => ['POST'] }, {}, 405, { allow: 'POST' }],
  ['a malformed request', { ...hello, malformedRequest: () => true }, {}, 400],
  [
    'one that is told why',
    { ...hello, malformedRequest: () => 'no q' },
    {},
    400,
    {},
    '400 Bad Request\nno q\n',
  ],
  [
    'an unknown user',
    { ...hello, isAuthorized: () => 'Basic realm="x"' },
    {},
    401,
    { 'www-authenticate': 'Basic realm="x"' },
  ],
  ['a known one', { ...hello, isAuthorized: () => true }, {}, 200],
  ['what is forbidden', { ...hello, forbidden: () => true }, {}, 403],
  ['too many requests', { ...hello, rateLimited: () => true }, {}, 429, { 'retry-after': null }],
  ['too many for now', { ...hello, rateLimited: () => 30 }, {}, 429, { 'retry-after': '30' }],
  [
    'a Content- field that is not understood',
    { ...taking, validContentHeaders: () => false },
    sent('PUT'),
    501,
  ],
  ['content that is too large', { ...taking, validContentLength: () => false }, sent('PUT'), 413],
  [
    'OPTIONS',
    taking,
    { method: 'OPTIONS' },
    200,
    { allow: 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS' },
    '',
  ],
  [
    'OPTIONS with something to say',
    { ...hello, options: () => 'ask!' },
    { method: 'OPTIONS' },
    200,
    {},
    'ask!',
  ],

  // Negotiation.
  ['HEAD', hello, { method: 'HEAD' }, 200],
  ['no acceptable media type', hello, { headers: { accept: 'image/*' } }, 406],
  ['no acceptable language', { ...hello, languages: ['en'] }, { headers: { 'accept-language': 'de' } }, 406],
  [
    'no acceptable charset',
    { ...hello, charsets: ['utf-8'] },
    { headers: { 'accept-charset': 'latin1' } },
    406,
  ],
  [
    'no acceptable coding',
    { ...hello, encodings: {} },
    { headers: { 'accept-encoding': 'identity;q=0' } },
    406,
  ],
  [
    'all that is chosen',
    {
      provides: {
        'text/html': () => 'html',
        'application/json': (_request, _context, { language }) => `"${language}"`,
      },
      languages: ['en', 'de'],
      charsets: () => ['utf-8', 'latin1'],
      variances: ['Cookie'],
    },
    { headers: { accept: 'application/json', 'accept-language': 'de' } },
    200,
    {
      'content-type': 'application/json; charset=utf-8',
      'content-language': 'de',
      vary: 'accept, accept-language, accept-charset, cookie',
    },
    '"de"',
  ],
  [
    'a coding',
    {
      ...hello,
      encodings: { upper: (content) => Buffer.from(Buffer.from(content).toString().toUpperCase()) },
    },
    { headers: { 'accept-encoding': 'upper' } },
    200,
    { 'content-encoding': 'upper', vary: 'accept-encoding' },
    'HELLO',
  ],
  [
    'no coding',
    { ...hello, encodings: { upper: (content) => content } },
    {},
    200,
    { 'content-encoding': null },
    'hello',
  ],

  // Conditions.
  [
    'what is unchanged',
    { ...hello, etag: () => '"a"' },
    { headers: { 'if-none-match': '"a"' } },
    304,
    { etag: '"a"' },
    '',
  ],
  [
    'what is unchanged since',
    { ...hello, lastModified: () => TIME },
    { headers: { 'if-modified-since': TIME_TEXT } },
    304,
  ],
  [
    'what has changed',
    { ...hello, etag: () => 'W/"b"' },
    { headers: { 'if-none-match': '"a"' } },
    200,
    { etag: 'W/"b"' },
  ],
  [
    'a lost update',
    { ...taking, etag: () => '"b"' },
    { ...sent('PUT'), headers: { 'if-match': '"a"' } },
    412,
    { etag: null },
  ],
  ['If-Match on nothing', missing, { ...sent('PUT'), headers: { 'if-match': '*' } }, 412],

  // What is there.
  ['several choices', { ...hello, multipleChoices: () => true }, {}, 300, {}, 'hello'],
  [
    'an expiry',
    { ...hello, expires: () => TIME, lastModified: () => TIME },
    {},
    200,
    { expires: TIME_TEXT, 'last-modified': TIME_TEXT },
  ],
  ['an expiry as text', { ...hello, expires: () => '0' }, {}, 200, { expires: '0' }],
  [
    'a range',
    { ...hello, ranges: true },
    { headers: { range: 'bytes=1-2' } },
    206,
    { 'content-range': 'bytes 1-2/5' },
    'el',
  ],
  [
    'several ranges',
    { ...hello, ranges: true },
    { headers: { range: 'bytes=0-0,2-2' } },
    206,
    {},
    /content-range: bytes 0-0\/5\r\n\r\nh\r\n--[^]*bytes 2-2\/5\r\n\r\nl\r\n--/,
  ],
  [
    'a range beyond',
    { ...hello, ranges: true },
    { headers: { range: 'bytes=9-' } },
    416,
    { 'content-range': 'bytes */5' },
  ],
  [
    'a range that is not provided',
    hello,
    { headers: { range: 'bytes=1-2' } },
    200,
    { 'accept-ranges': null },
    'hello',
  ],
  ['no range', { ...hello, ranges: true }, {}, 200, { 'accept-ranges': 'bytes' }, 'hello'],
  ['a deletion', taking, { method: 'DELETE' }, 204, {}, ''],
  ['a deletion that fails', { ...taking, deleteResource: () => false }, { method: 'DELETE' }, 500],
  ['a deletion for later', { ...taking, deleteCompleted: () => false }, { method: 'DELETE' }, 202],
  [
    'a deletion with a word on it',
    {
      ...taking,
      deleteResource: (_request, _context, selection) => {
        selection.body = 'gone';
        return true;
      },
    },
    { method: 'DELETE' },
    200,
    { 'content-type': 'text/plain; charset=utf-8' },
    'gone',
  ],

  // What is not there.
  ['nothing', missing, {}, 404],
  ['nothing to delete', missing, { method: 'DELETE' }, 404],
  ['nothing any more', { ...missing, previouslyExisted: () => true }, {}, 410],
  [
    'what has moved',
    { ...missing, previouslyExisted: () => true, movedPermanently: () => '/new' },
    {},
    301,
    { location: '/new' },
  ],
  [
    'what has moved for now',
    { ...missing, previouslyExisted: () => true, movedTemporarily: () => '/t' },
    {},
    307,
    { location: '/t' },
  ],
  [
    'PUT of what has moved',
    { ...missing, movedPermanently: () => '/new' },
    sent('PUT'),
    301,
    { location: '/new' },
  ],
  ['POST to nothing', missing, sent('POST'), 404],
  ['POST to nothing that takes it', { ...missing, allowMissingPost: () => true }, sent('POST'), 204],
  [
    'POST to what is gone',
    { ...missing, previouslyExisted: () => true, allowMissingPost: () => true },
    sent('POST'),
    204,
  ],

  // What the request brings.
  ['POST', taking, sent('POST'), 204],
  ['PATCH', taking, sent('PATCH'), 204],
  ['PUT of what is there', taking, sent('PUT'), 204],
  ['PUT of what is new', missing, sent('PUT'), 201],
  ['PUT in conflict', { ...taking, isConflict: () => true }, sent('PUT'), 409],
  ['a type that is not taken', taking, sent('PUT', 'x', 'image/png'), 415, { accept: 'text/plain' }],
  [
    'a patch type that is not taken',
    taking,
    sent('PATCH', 'x', 'image/png'),
    415,
    { 'accept-patch': 'text/plain' },
  ],
  ['a type that is none', taking, sent('PUT', 'x', 'nonsense'), 415],
  ['any type', { ...taking, accepts: { '*/*': () => true } }, sent('PUT', 'x', 'image/png'), 204],
  ['a type with a charset', taking, sent('PUT', 'x', 'text/plain;charset=utf-8'), 204],
  ['what the acceptor refuses', taking, sent('PUT', 'bad'), 400],
  [
    'what it creates',
    { ...taking, accepts: { 'text/plain': () => ({ created: '/7' }) } },
    sent('POST'),
    201,
    { location: '/7' },
  ],
  [
    'where it leads',
    { ...taking, accepts: { 'text/plain': () => ({ seeOther: '/7' }) } },
    sent('POST'),
    303,
    { location: '/7' },
  ],
  [
    'what it answers with',
    {
      ...taking,
      accepts: {
        'text/plain': (_request, _context, selection) => {
          selection.body = 'thanks';
          return true;
        },
      },
    },
    sent('POST'),
    200,
    {},
    'thanks',
  ],
];

describe('the flow', () => {
  for (const [name, resource, asked, status, headers = {}, body] of CASES) {
    test(`${name}: ${status}`, async () => {
      const response = await ask(resource, asked);
      assert.equal(response.status, status);
      for (const [field, value] of Object.entries(headers))
        assert.equal(response.headers.get(field), value, field);
      const text = await response.text();
      if (typeof body === 'string') assert.equal(text, body);
      else if (body !== undefined) assert.match(text, body);
    });
  }

  after(() => {
    const all = Object.entries(FLOW).flatMap(([step, { answers }]) =>
      Object.keys(answers).map((to) => `${step}: ${to}`),
    );
    assert.deepEqual(
      all.filter((edge) => !walked.has(edge)),
      [],
      'ways that no case goes',
    );
  });

  test('has a step for each of its targets, and reaches each step', () => {
    const targets = new Set(Object.values(FLOW).flatMap(({ answers }) => Object.values(answers)));
    for (const target of targets) if (typeof target === 'string') assert.ok(target in FLOW, target);
    for (const step of Object.keys(FLOW).slice(1)) assert.ok(targets.has(step), step);
  });
});

describe('callbacks', () => {
  test('may answer by themselves, with what was collected so far', async () => {
    const response = await ask({
      ...hello,
      isAuthorized: (_request, _context, { headers }) => {
        headers.set('x-collected', '1');
        return new Response('teapot', { status: 418, headers: { 'x-own': '2' } });
      },
    });
    assert.deepEqual(
      [
        response.status,
        await response.text(),
        response.headers.get('x-collected'),
        response.headers.get('x-own'),
      ],
      [418, 'teapot', '1', '2'],
    );
  });

  test('may provide bytes, streams, iterables, responses and nothing', async () => {
    async function* parts(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('a');
      yield Buffer.from(await Promise.resolve('b'));
    }
    const bodies: readonly [RestResource['provides'], string, string | null][] = [
      [{ 'text/plain': () => Buffer.from('ab') }, 'ab', 'text/plain; charset=utf-8'],
      [{ 'text/csv; charset=latin1': () => new Blob(['ab']).stream() }, 'ab', 'text/csv; charset=latin1'],
      [{ 'image/png': () => parts() }, 'ab', 'image/png'],
      [{ 'text/plain': () => Response.json({ a: 1 }) }, '{"a":1}', 'application/json'],
      [
        { 'text/plain': () => new Response('moved', { status: 302, headers: { location: '/' } }) },
        'moved',
        'text/plain;charset=UTF-8',
      ],
      [{ 'text/plain': () => null }, '', null],
    ];
    for (const [provides, text, type] of bodies) {
      const response = await ask({ provides } as RestResource);
      assert.deepEqual([await response.text(), response.headers.get('content-type')], [text, type]);
    }
  });

  test('make the content of errors', async () => {
    const resource: RestResource = {
      ...hello,
      malformedRequest: () => 'why',
      errorBody: (status, detail) => Response.json({ status, detail }),
    };
    const response = await ask(resource);
    assert.deepEqual([response.status, await response.json()], [400, { status: 400, detail: 'why' }]);
    const plain = await ask({ ...resource, errorBody: () => undefined });
    assert.match(await plain.text(), /^400 Bad Request/);
  });

  test('that throw, or give an entity tag that is none, are the caller’s to answer', async () => {
    const boom = (): never => {
      throw new Error('boom');
    };
    await assert.rejects(ask({ ...hello, forbidden: boom }), /boom/);
    await assert.rejects(ask({ ...hello, etag: () => 'no quotes' }), /"no quotes", which is none/);
  });

  test('for types that are none are refused when the handler is made', async () => {
    await assert.rejects(ask({ provides: { html: () => '' } }), /"html", which is no media type/);
    await assert.rejects(
      ask({ accepts: { 'text/plain': 'x' as never } }),
      /accepts of text\/plain is no function/,
    );
  });
});

test('the diagram in the documents is that of the flow', async () => {
  const page = readFileSync(new URL('../../docs/rest.md', import.meta.url), 'utf8');
  assert.equal(await flowDocument(page), page, 'npm run rest-diagram');
});
