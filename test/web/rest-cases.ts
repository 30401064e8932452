// Every way through the decisions of rest(): resources, what is asked of them, and the answer. No test itself.
import type { RestResource } from '../../src/web/rest/rest.ts';

export interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

export const hello: RestResource = { provides: { 'text/plain': () => 'hello' } };
export const taking: RestResource = {
  ...hello,
  accepts: { 'text/plain': async (request) => (await request.text()) !== 'bad' },
  deleteResource: () => true,
};
export const missing: RestResource = { ...taking, resourceExists: () => false };
export const sent = (method: string, body = 'x', type = 'text/plain'): Asked => ({
  method,
  body,
  headers: { 'content-type': type },
});
export const TIME = new Date('2024-01-02T03:04:05Z');
const TIME_TEXT = 'Tue, 02 Jan 2024 03:04:05 GMT';

export type Case = readonly [
  name: string,
  resource: RestResource,
  asked: Asked,
  status: number,
  headers?: Readonly<Record<string, string | null>>,
  body?: string | RegExp,
];

export const CASES: readonly Case[] = [
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
  [
    'OPTIONS with an answer of its own',
    { ...hello, options: () => new Response(null, { status: 204, headers: { 'x-own': '1' } }) },
    { method: 'OPTIONS' },
    204,
    { 'x-own': '1', allow: 'GET, HEAD, OPTIONS' },
    '',
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
    'what is unchanged is as fresh as it would be anew (RFC 9110 §15.4.5)',
    { ...hello, etag: () => '"a"', expires: () => TIME },
    { headers: { 'if-none-match': '"a"' } },
    304,
    { etag: '"a"', expires: TIME_TEXT },
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
