// The query, cookies and structured fields of a request, and cookies of a response.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HowdahError } from '../../src/errors.ts';
import { int, nonempty, type Constraint } from '../../src/web/constraint.ts';
import { matchCookies, matchQuery, readCookies, writeQuery } from '../../src/web/matching.ts';
import { parseField, parseStructured } from '../../src/web/request-fields.ts';
import { deleteCookie, setCookie } from '../../src/web/set-cookie.ts';

const request = (query: string, headers: Record<string, string> = {}): Request =>
  new Request(`http://h/p${query}`, { headers });

function refused(code: string, detail: RegExp) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof HowdahError);
    assert.deepEqual([error.code, error.status], [code, 400]);
    assert.match(error.detail, detail);
    return true;
  };
}

const day: Constraint<Date> = Object.assign(
  (text: string) => (/^\d{4}-\d\d-\d\d$/.test(text) ? new Date(text) : undefined),
  { reverse: (value: Date) => value.toISOString().slice(0, 10) },
);

describe('the query', () => {
  test('is matched with constraints that convert, defaults and repeated names', () => {
    const query = matchQuery(request('?page=3&tag=a&tag=b&q=x%20y&day=2024-02-03&other=1'), {
      page: { is: int, default: 1 },
      size: { is: int, default: 20 },
      q: nonempty,
      tag: { is: nonempty, many: true },
      none: { many: true },
      day,
      sort: { default: null },
    });
    const typed: number = query.page + query.size;
    assert.equal(typed, 23);
    assert.deepEqual(
      { ...query },
      {
        page: 3,
        size: 20,
        q: 'x y',
        tag: ['a', 'b'],
        none: [],
        day: new Date('2024-02-03'),
        sort: null,
      },
    );
  });

  test('goes through several constraints in order', () => {
    const even = (value: number): number | undefined => (value % 2 === 0 ? value : undefined);
    const expected = { n: { is: [int, even] as const } };
    assert.equal(matchQuery(request('?n=4'), expected).n, 4);
    assert.throws(
      () => matchQuery(request('?n=5'), expected),
      refused('HOWDAH_BAD_QUERY', /^n is not allowed to be "5"$/),
    );
  });

  test('that misses something, or has what is not allowed, is a 400 that says what', () => {
    assert.throws(
      () => matchQuery(request(''), { q: nonempty }),
      refused('HOWDAH_BAD_QUERY', /^q is missing$/),
    );
    assert.throws(
      () => matchQuery(request('?q='), { q: nonempty }),
      refused('HOWDAH_BAD_QUERY', /^q is not .* ""$/),
    );
    assert.throws(
      () => matchQuery(request('?n=1.5'), { n: int }),
      refused('HOWDAH_BAD_QUERY', /^n is not .* "1.5"$/),
    );
    assert.throws(() => matchQuery(request('?t=&t=x'), { t: { is: nonempty, many: true } }), HowdahError);
    const long = 'x'.repeat(5000);
    assert.throws(
      () => matchQuery(request(`?n=${long}`), { n: int }),
      refused('HOWDAH_BAD_QUERY', /^.{1,140}$/),
    );
  });

  test('of a name of every object is nothing special', () => {
    assert.throws(
      () => matchQuery(request(''), { constructor: nonempty }),
      refused('HOWDAH_BAD_QUERY', /missing/),
    );
    assert.equal(matchQuery(request('?__proto__=1'), { ['__proto__']: int })['__proto__'], 1);
  });

  test('can be given as URL and as parameters, and ends at the fragment', () => {
    assert.equal(matchQuery(new URL('http://h/?a=1#b'), { a: int }).a, 1);
    assert.equal(matchQuery({ url: 'http://h/?a=1#b=2' }, { a: int, b: { is: int, default: 0 } }).b, 0);
    assert.equal(matchQuery(new URLSearchParams('a=2'), { a: int }).a, 2);
  });

  test('is written from values by the constraints that read it', () => {
    const expected = { day, page: int };
    const text = writeQuery(
      { day: new Date('2024-02-03'), page: 2, tag: ['a', 'b c'], none: null },
      expected,
    );
    assert.equal(text, '?day=2024-02-03&page=2&tag=a&tag=b+c');
    assert.deepEqual({ ...matchQuery(request(text), expected) }, { day: new Date('2024-02-03'), page: 2 });
    assert.equal(writeQuery({ none: undefined }), '');
  });
});

describe('cookies', () => {
  test('are read, decoded, the first of a name', () => {
    const cookies = readCookies(request('', { cookie: 'a=1; b=%C3%A4; a=2; c="q"; d; e=%zz' }));
    assert.deepEqual(Object.fromEntries(cookies), { a: '1', b: 'ä', c: '"q"', e: '%zz' });
    assert.equal(readCookies(request('')).size, 0);
    assert.equal(readCookies(request('', { cookie: '__proto__=1' })).get('__proto__'), '1');
  });

  test('are matched as the query is', () => {
    const matched = matchCookies(request('', { cookie: 'id=7' }), { id: int, theme: { default: 'light' } });
    assert.deepEqual({ ...matched }, { id: 7, theme: 'light' });
    assert.throws(
      () => matchCookies(request('', { cookie: 'id=x' }), { id: int }),
      refused('HOWDAH_BAD_COOKIE', /^id/),
    );
  });

  test('are set with all attributes, safe by default', () => {
    const headers = new Headers();
    setCookie(headers, 'id', 'ä;\r\n');
    setCookie(headers, 'b', '2', {
      maxAge: 60,
      expires: new Date(0),
      domain: 'example.com',
      path: '/x',
      secure: true,
      httpOnly: false,
      sameSite: 'none',
      partitioned: true,
      priority: 'high',
    });
    deleteCookie(headers, 'c');
    assert.deepEqual(headers.getSetCookie(), [
      'id=%C3%A4%3B%0D%0A; Path=/; HttpOnly; Secure; SameSite=Lax',
      'b=2; Max-Age=60; Domain=example.com; Path=/x; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure; Partitioned; Priority=High; SameSite=None',
      'c=; Max-Age=0; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=Lax',
    ]);
  });

  test('that browsers would refuse, or that cannot be sent, are refused', () => {
    const headers = new Headers();
    assert.throws(() => setCookie(headers, 'a', '', { secure: false, sameSite: 'none' }), /need secure/);
    assert.throws(() => setCookie(headers, 'a', '', { secure: false, partitioned: true }), /need secure/);
    assert.throws(() => setCookie(headers, '__Host-a', '', { path: '/x' }), /__Host-/);
    assert.throws(() => setCookie(headers, '__Secure-a', '', { secure: false }), /__Secure-/);
    for (const name of ['', 'a b', 'a;', 'a\r\n'])
      assert.throws(() => setCookie(headers, name, ''), TypeError, name);
    assert.throws(() => setCookie(headers, 'a', '', { path: '/;x\r\n' }), TypeError);
    assert.deepEqual(headers.getSetCookie(), []);
  });
});

describe('structured fields', () => {
  test('are values by the name of the field', () => {
    const asked = request('', {
      accept: 'text/html;q=0.5, */*',
      'accept-language': 'de, en;q=0.5',
      authorization: 'Basic YTpi',
      'cache-control': 'no-cache, max-age=5',
      'content-length': '12',
      forwarded: 'for=192.0.2.1;proto=https',
      'if-match': 'W/"a"',
      'if-range': 'Tue, 02 Jan 2024 03:04:05 GMT',
      prefer: 'return=minimal',
      priority: 'u=1, i',
      range: 'bytes=0-1',
      origin: 'https://example.com',
      'x-forwarded-for': '192.0.2.1, unknown',
    });
    assert.deepEqual(
      parseField(asked, 'accept')?.map(({ type, quality }) => [type, quality]),
      [
        ['text', 0.5],
        ['*', 1],
      ],
    );
    assert.equal(parseField(asked, 'accept-language')?.[1]?.value, 'en');
    assert.deepEqual(parseField(asked, 'authorization')?.basic, { user: 'a', password: 'b' });
    assert.equal(parseField(asked, 'cache-control')?.get('max-age'), '5');
    assert.equal(parseField(asked, 'content-length'), 12);
    assert.equal(parseField(asked, 'forwarded')?.[0]?.get('proto'), 'https');
    assert.deepEqual(parseField(asked, 'if-match'), [{ weak: true, opaque: 'a' }]);
    assert.deepEqual(parseField(asked, 'if-range'), new Date('2024-01-02T03:04:05Z'));
    assert.equal(parseField(asked, 'prefer')?.get('return')?.value, 'minimal');
    assert.equal(parseField(asked, 'priority')?.get('u')?.[0], 1);
    assert.deepEqual(parseField(asked, 'range')?.ranges, [{ first: 0, last: 1 }]);
    assert.equal(parseField(asked, 'origin'), 'https://example.com');
    assert.deepEqual(parseField(asked, 'x-forwarded-for'), ['192.0.2.1', 'unknown']);
    assert.equal(parseField(asked, 'if-none-match'), undefined);
  });

  test('that are malformed are a 400 that names the field', () => {
    for (const [name, value] of [
      ['accept', 'x'],
      ['authorization', '"'],
      ['content-length', '-1'],
      ['content-type', 'x'],
      ['if-match', 'a'],
      ['if-modified-since', 'yesterday'],
      ['origin', 'https://example.com/path'],
      ['priority', 'u=='],
      ['range', 'bytes='],
      ['expect', 'miracles'],
      ['access-control-request-method', 'a b'],
    ] as const) {
      assert.throws(
        () => parseField(request('', { [name]: value }), name),
        refused('HOWDAH_BAD_FIELD', new RegExp(name)),
      );
    }
    for (const name of ['x-mine', 'constructor', 'Accept']) {
      assert.throws(() => parseField(request(''), name as 'accept'), TypeError);
    }
  });

  test('of RFC 9651 have any name', () => {
    const asked = request('', { 'x-list': 'a, (b "c");q=1', 'x-item': '@1659578233', 'x-dict': 'a=?0, b' });
    assert.equal(parseStructured(asked, 'x-list', 'list')?.length, 2);
    assert.deepEqual(parseStructured(asked, 'x-item', 'item')?.[0], new Date(1_659_578_233_000));
    assert.deepEqual(Array.from(parseStructured(asked, 'x-dict', 'dictionary')?.keys() ?? []), ['a', 'b']);
    assert.equal(parseStructured(asked, 'x-none', 'list'), undefined);
    assert.throws(() => parseStructured(asked, 'x-list', 'item'), refused('HOWDAH_BAD_FIELD', /x-list/));
  });
});
