// Field values read by the grammar that they share: lists, weights, media types, directives, credentials, dates.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { basicCredentials, parseCredentials } from '../../../src/protocol/http/credentials.ts';
import { parseCacheControl, parseForwarded, parsePrefer } from '../../../src/protocol/http/directives.ts';
import { MAX_LIST_ELEMENTS, parseTokens } from '../../../src/protocol/http/field-scanner.ts';
import { formatHttpDate, parseHttpDate } from '../../../src/protocol/http/http-date.ts';
import { parseAccept, parseMediaType } from '../../../src/protocol/http/media-type.ts';
import { parseWeighted } from '../../../src/protocol/http/weighted.ts';

const plain = (map: ReadonlyMap<string, unknown> | null | undefined): unknown =>
  map === null || map === undefined ? map : Object.fromEntries(map);

describe('lists (RFC 9110 §5.6.1)', () => {
  test('empty elements and white space are skipped, elements are in lower case', () => {
    assert.deepEqual(parseTokens(''), []);
    assert.deepEqual(parseTokens(' , ,'), []);
    assert.deepEqual(parseTokens('A, b\t,,c'), ['a', 'b', 'c']);
  });
  test('what is no token, and what follows one without a comma, is malformed', () => {
    for (const text of ['a b', 'a;', '"a"', 'a,\u00e9']) assert.equal(parseTokens(text), null, text);
  });
  test('a list has a bound', () => {
    const list = (count: number): string => Array.from({ length: count }, () => 'a').join(',');
    assert.equal(parseTokens(list(MAX_LIST_ELEMENTS))?.length, MAX_LIST_ELEMENTS);
    assert.equal(parseTokens(list(MAX_LIST_ELEMENTS + 1)), null);
  });
});

describe('weights (RFC 9110 §12.4.2)', () => {
  test('are 1 unless given, in thousandths at most', () => {
    assert.deepEqual(parseWeighted('gzip;q=0.5, BR ; Q=1.000, *;q=0, x;q=0., y;a=b;q=0.125'), [
      { value: 'gzip', quality: 0.5 },
      { value: 'br', quality: 1 },
      { value: '*', quality: 0 },
      { value: 'x', quality: 0 },
      { value: 'y', quality: 0.125 },
    ]);
  });
  test('others are malformed', () => {
    for (const q of ['2', '1.001', '0.1234', '-1', '.5', 'x', '"', '']) {
      assert.equal(parseWeighted(`gzip;q=${q}`), null, q);
    }
    for (const text of ['gzip;q', ';q=1', 'gzip q=1']) assert.equal(parseWeighted(text), null, text);
  });
});

describe('media types (RFC 9110 §8.3.1)', () => {
  test('have parameters, quoted or not', () => {
    const type = parseMediaType(' Text/HTML ; Charset="utf\\"8"; a=b;;A=c');
    assert.deepEqual([type?.type, type?.subtype], ['text', 'html']);
    assert.deepEqual(plain(type?.parameters), { charset: 'utf"8', a: 'b' });
  });
  test('are malformed otherwise', () => {
    for (const text of [
      '',
      'text',
      'text/',
      '/html',
      'text/html x',
      'a/b;c',
      'a/b;c="d',
      'a/b;c=',
      'a/b,c/d',
    ]) {
      assert.equal(parseMediaType(text), null, text);
    }
  });
  test('ranges of them have a weight that is no parameter (§12.5.1)', () => {
    const ranges = parseAccept('text/*;q=0.3, text/html;level=1, */*;q=0.5');
    assert.deepEqual(
      ranges?.map(({ type, subtype, parameters, quality }) => [type, subtype, plain(parameters), quality]),
      [
        ['text', '*', {}, 0.3],
        ['text', 'html', { level: '1' }, 1],
        ['*', '*', {}, 0.5],
      ],
    );
    for (const text of ['*/html', 'text', 'text/html;q=2']) assert.equal(parseAccept(text), null, text);
  });
});

describe('directives', () => {
  test('Cache-Control: names with values or without (RFC 9111 §5.2)', () => {
    assert.deepEqual(plain(parseCacheControl('No-Cache, max-age=5, max-age=6, private="a, b", x = y')), {
      'no-cache': '',
      'max-age': '5',
      private: 'a, b',
      x: 'y',
    });
    for (const text of ['a=', '=a', 'a b', 'a="b']) assert.equal(parseCacheControl(text), null, text);
  });
  test('Prefer: preferences with parameters (RFC 7240 §2)', () => {
    const preferences = parsePrefer('respond-async, wait=100; a = "b"; a=c;d, handling=lenient, wait=1');
    assert.deepEqual(
      Array.from(preferences ?? [], ([name, { value, parameters }]) => [name, value, plain(parameters)]),
      [
        ['respond-async', '', {}],
        ['wait', '100', { a: 'b', d: '' }],
        ['handling', 'lenient', {}],
      ],
    );
    for (const text of ['a;', 'a;=', 'a=', '"']) assert.equal(parsePrefer(text), null, text);
  });
  test('Forwarded: an element for each proxy (RFC 7239 §4)', () => {
    assert.deepEqual(
      parseForwarded('For="[2001:db8::1]:80";proto=https , for=192.0.2.1; by=_x')?.map(plain),
      [
        { for: '[2001:db8::1]:80', proto: 'https' },
        { for: '192.0.2.1', by: '_x' },
      ],
    );
    for (const text of ['for', 'for=', 'for=a;for=b', 'for=a;', '=a']) {
      assert.equal(parseForwarded(text), null, text);
    }
  });
});

describe('credentials (RFC 9110 §11.4)', () => {
  const basic = (text: string): unknown => {
    const credentials = parseCredentials(text);
    return credentials === null ? 'malformed' : basicCredentials(credentials);
  };
  test('are a scheme with a token or with parameters', () => {
    assert.deepEqual(parseCredentials('Bearer a.b-c~/+=='), {
      scheme: 'bearer',
      token: 'a.b-c~/+==',
      parameters: new Map(),
    });
    assert.equal(parseCredentials('Digest uri=/x, qop=auth'), null, 'a slash is in no token');
    const quoted = parseCredentials('Digest username="a, b", uri = "/x", qop=auth');
    assert.deepEqual(plain(quoted?.parameters), { username: 'a, b', uri: '/x', qop: 'auth' });
    assert.deepEqual(parseCredentials('Negotiate')?.token, '');
    for (const text of [
      '',
      '"a"',
      'Basic\ta',
      'Digest a=b, a=c',
      'Digest a b',
      'x, y',
      'D =a',
      'D a=, b=c',
    ]) {
      assert.equal(parseCredentials(text), null, text);
    }
  });
  test('of Basic are a user and a password in UTF-8 (RFC 7617)', () => {
    const encode = (text: string): string => `basic ${Buffer.from(text).toString('base64')}`;
    assert.deepEqual(basic(encode('Aladdin:open:sesame')), { user: 'Aladdin', password: 'open:sesame' });
    assert.deepEqual(basic(encode('ü:€')), { user: 'ü', password: '€' });
    assert.deepEqual(basic(encode(':')), { user: '', password: '' });
    assert.equal(basic(encode('no colon')), null);
    assert.equal(basic(encode('a:b\n')), null);
    assert.equal(basic('basic /w=='), null, 'not UTF-8');
    assert.equal(basic('basic a-b'), null);
    assert.equal(basic('bearer YTpi'), null);
  });
});

describe('dates (RFC 9110 §5.6.7)', () => {
  const SECOND = Date.UTC(1994, 10, 6, 8, 49, 37);
  test('are read in the three formats and written in one', () => {
    assert.equal(parseHttpDate('Sun, 06 Nov 1994 08:49:37 GMT'), SECOND);
    assert.equal(parseHttpDate('Sunday, 06-Nov-94 08:49:37 GMT'), SECOND);
    assert.equal(parseHttpDate('Sun Nov  6 08:49:37 1994'), SECOND);
    assert.equal(parseHttpDate('Sunday, 06-Nov-11 08:49:37 GMT'), Date.UTC(2011, 10, 6, 8, 49, 37));
    assert.equal(parseHttpDate('Sat, 31 Dec 2016 23:59:60 GMT'), Date.UTC(2017, 0, 1));
    assert.equal(formatHttpDate(SECOND + 999), 'Sun, 06 Nov 1994 08:49:37 GMT');
  });
  test('are those of the calendar', () => {
    const days = [-719_528, -1, 0, 58, 59, 60, 10_957, 11_016, 11_017, 19_782, 24_836, 60_000, 2_932_896];
    for (const day of days) {
      for (const ms of [day * 86_400_000, day * 86_400_000 + 86_399_000]) {
        assert.equal(formatHttpDate(ms), new Date(ms).toUTCString());
        if (ms > Date.UTC(100, 0, 1)) assert.equal(parseHttpDate(formatHttpDate(ms)), ms);
      }
    }
  });
  test('are malformed otherwise', () => {
    for (const text of [
      '',
      'Sun, 06 Nov 1994 08:49:37',
      'Sun, 06 Nov 1994 24:00:00 GMT',
      'Sun, 06 Nov 1994 08:60:00 GMT',
      'Sun, 06 Nov 1994 08:49:61 GMT',
      'Sun, 06 Nox 1994 08:49:37 GMT',
      'Sun, 30 Feb 1994 08:49:37 GMT',
      'Sun, 00 Feb 1994 08:49:37 GMT',
      'Sun, 06 Nov 0094 08:49:37 GMT',
      ' Sun, 06 Nov 1994 08:49:37 GMT',
      '784111777',
      '1994-11-06T08:49:37Z',
    ]) {
      assert.equal(parseHttpDate(text), null, text);
    }
    for (const ms of [NaN, Infinity, Date.UTC(10_000, 0), -62_167_219_200_001]) {
      assert.throws(() => formatHttpDate(ms), RangeError, String(ms));
    }
  });
});
