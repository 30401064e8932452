// Conditional requests and ranges: entity tags, preconditions in their order, which bytes are asked for.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { contentRange, parseRange, selectBytes } from '../../../src/protocol/http/byte-ranges.ts';
import { checkConditions, rangeApplies, type Verdict } from '../../../src/protocol/http/conditions.ts';
import { formatEntityTag, parseEntityTag, parseEntityTags } from '../../../src/protocol/http/entity-tag.ts';

describe('entity tags (RFC 9110 §8.8.3)', () => {
  test('are opaque texts between quotes, weak or not', () => {
    assert.deepEqual(parseEntityTag('"a\\b"'), { weak: false, opaque: 'a\\b' });
    assert.deepEqual(parseEntityTag('W/"\u00e9"'), { weak: true, opaque: '\u00e9' });
    assert.deepEqual(parseEntityTag('""'), { weak: false, opaque: '' });
    for (const text of ['', 'a', '"a', 'w/"a"', 'W"a"', '"a"b', '"a b"', '*']) {
      assert.equal(parseEntityTag(text), null, text);
    }
    assert.equal(formatEntityTag({ weak: true, opaque: 'a' }), 'W/"a"');
    assert.equal(formatEntityTag({ weak: false, opaque: 'a' }), '"a"');
    assert.throws(() => formatEntityTag({ weak: false, opaque: 'a"b' }), TypeError);
  });
  test('come in lists, or as * for any', () => {
    assert.equal(parseEntityTags(' * '), '*');
    assert.deepEqual(parseEntityTags('"a,b" , W/"c"'), [
      { weak: false, opaque: 'a,b' },
      { weak: true, opaque: 'c' },
    ]);
    for (const text of ['', ',', '"a" "b"', '"a, b"', '*, "a"'])
      assert.equal(parseEntityTags(text), null, text);
  });
});

const TIME = 'Sun, 06 Nov 1994 08:49:37 GMT';
const EARLIER = 'Sun, 06 Nov 1994 08:49:36 GMT';
const LATER = 'Sun, 06 Nov 1994 08:49:38 GMT';
const lastModifiedMs = Date.UTC(1994, 10, 6, 8, 49, 37, 500);
const strong = { etag: { weak: false, opaque: 'a' }, lastModifiedMs };
const weak = { etag: { weak: true, opaque: 'a' }, lastModifiedMs };
const bare = { etag: null, lastModifiedMs: null };

describe('preconditions (RFC 9110 §13.2.2)', () => {
  const cases: readonly [
    method: string,
    fields: string[],
    validators: typeof strong | typeof bare | null,
    verdict: Verdict,
  ][] = [
    ['GET', [], strong, 'proceed'],
    ['GET', [], null, 'proceed'],
    // If-Match: strong comparison.
    ['PUT', ['if-match', '"a"'], strong, 'proceed'],
    ['PUT', ['if-match', '"b", "a"'], strong, 'proceed'],
    ['PUT', ['if-match', '"b"', 'if-match', '"a"'], strong, 'proceed'],
    ['PUT', ['if-match', '"b"'], strong, 412],
    ['PUT', ['if-match', 'W/"a"'], strong, 412],
    ['PUT', ['if-match', 'W/"a"'], weak, 412],
    ['PUT', ['if-match', '*'], bare, 'proceed'],
    ['PUT', ['if-match', '*'], null, 412],
    ['PUT', ['if-match', '"a"'], bare, 412],
    ['PUT', ['if-match', 'a'], strong, 412],
    // If-Unmodified-Since, where there is no If-Match.
    ['PUT', ['if-unmodified-since', TIME], strong, 'proceed'],
    ['PUT', ['if-unmodified-since', EARLIER], strong, 412],
    ['PUT', ['if-unmodified-since', EARLIER, 'if-match', '"a"'], strong, 'proceed'],
    ['PUT', ['if-unmodified-since', 'yesterday'], strong, 'proceed'],
    ['PUT', ['if-unmodified-since', EARLIER], bare, 'proceed'],
    ['PUT', ['if-unmodified-since', EARLIER], null, 'proceed'],
    // If-None-Match: weak comparison.
    ['GET', ['if-none-match', '"a"'], strong, 304],
    ['HEAD', ['if-none-match', 'W/"a"'], strong, 304],
    ['GET', ['if-none-match', '"a"'], weak, 304],
    ['GET', ['if-none-match', '"b"'], strong, 'proceed'],
    ['GET', ['if-none-match', '*'], bare, 304],
    ['GET', ['if-none-match', '*'], null, 'proceed'],
    ['GET', ['if-none-match', '"a"'], bare, 'proceed'],
    ['GET', ['if-none-match', 'a'], strong, 'proceed'],
    ['PUT', ['if-none-match', '"a"'], strong, 412],
    ['PUT', ['if-none-match', '*'], null, 'proceed'],
    // If-Modified-Since, for GET and HEAD, where there is no If-None-Match.
    ['GET', ['if-modified-since', TIME], strong, 304],
    ['HEAD', ['if-modified-since', LATER], strong, 304],
    ['GET', ['if-modified-since', EARLIER], strong, 'proceed'],
    ['PUT', ['if-modified-since', TIME], strong, 'proceed'],
    ['GET', ['if-modified-since', TIME], bare, 'proceed'],
    ['GET', ['if-modified-since', TIME], null, 'proceed'],
    ['GET', ['if-modified-since', 'x'], strong, 'proceed'],
    ['GET', ['if-modified-since', TIME, 'if-none-match', '"b"'], strong, 'proceed'],
    // Both kinds.
    ['GET', ['if-match', '"a"', 'if-none-match', '"a"'], strong, 304],
    ['GET', ['if-match', '"b"', 'if-none-match', '"a"'], strong, 412],
  ];
  for (const [method, fields, validators, verdict] of cases) {
    const state = validators === null ? 'nothing' : JSON.stringify(validators.etag);
    test(`${method} ${fields.join(' ')} on ${state}: ${verdict}`, () => {
      assert.equal(checkConditions(method, fields, validators), verdict);
    });
  }
});

test('If-Range lets a range apply for the same strong tag or the very same time (RFC 9110 §13.1.5)', () => {
  const cases: readonly [value: string, validators: typeof strong | typeof bare, applies: boolean][] = [
    ['"a"', strong, true],
    ['"b"', strong, false],
    ['W/"a"', strong, false],
    ['"a"', weak, false],
    ['"a"', bare, false],
    [TIME, strong, true],
    [EARLIER, strong, false],
    [LATER, strong, false],
    [TIME, bare, false],
    ['nonsense', strong, false],
  ];
  assert.equal(rangeApplies([], strong), true);
  for (const [value, validators, applies] of cases) {
    assert.equal(rangeApplies(['if-range', value], validators), applies, value);
  }
});

describe('ranges (RFC 9110 §14)', () => {
  test('are read as sent', () => {
    assert.deepEqual(parseRange('Bytes=0-4, 7- ,-3,'), {
      unit: 'bytes',
      ranges: [{ first: 0, last: 4 }, { first: 7, last: null }, { suffix: 3 }],
    });
    assert.deepEqual(parseRange('lines=1-2'), { unit: 'lines', ranges: [] });
    for (const text of [
      '',
      'bytes',
      'bytes=',
      'bytes=,',
      'bytes=4-3',
      'bytes=-',
      'bytes=a-b',
      'bytes=1-2 3-4',
      'b=',
    ]) {
      assert.equal(parseRange(text), null, text);
    }
    assert.equal(parseRange('bytes=1-9999999999999999'), null, 'beyond what a double holds');
  });
  const select = (text: string, size: number): unknown => {
    const field = parseRange(text);
    const bytes = field === null ? 'malformed' : selectBytes(field.ranges, size);
    return typeof bytes === 'string' ? bytes : bytes.map(({ first, last }) => `${first}-${last}`).join();
  };
  test('select the bytes that there are', () => {
    const cases: readonly [text: string, size: number, selected: string][] = [
      ['bytes=0-0', 10, '0-0'],
      ['bytes=5-', 10, '5-9'],
      ['bytes=5-100', 10, '5-9'],
      ['bytes=-3', 10, '7-9'],
      ['bytes=-30', 10, '0-9'],
      ['bytes=0-1,4-5', 10, '0-1,4-5'],
      ['bytes=4-5,0-1', 10, '4-5,0-1'],
      ['bytes=0-1,10-', 10, '0-1'],
      ['bytes=10-', 10, 'unsatisfiable'],
      ['bytes=-0', 10, 'unsatisfiable'],
      ['bytes=0-', 0, 'unsatisfiable'],
      ['bytes=-5', 0, 'unsatisfiable'],
      ['bytes=0-4,3-6', 10, 'refused'],
      ['bytes=0-,0-', 10, 'refused'],
      [
        `bytes=${Array.from({ length: 20 }, (_, i) => `${i * 2}-${i * 2}`).join()}`,
        20,
        '0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18',
      ],
      [`bytes=${Array.from({ length: 21 }, (_, i) => `${i * 2}-${i * 2}`).join()}`, 99, 'refused'],
    ];
    for (const [text, size, selected] of cases) assert.equal(select(text, size), selected, text);
    assert.equal(contentRange({ first: 1, last: 2 }, 3), 'bytes 1-2/3');
  });
});
