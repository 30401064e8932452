// Proactive negotiation: the choice among what is offered.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseAccept, parseMediaType } from '../../../src/protocol/http/media-type.ts';
import {
  chooseCharset,
  chooseEncoding,
  chooseLanguage,
  chooseMediaType,
} from '../../../src/protocol/http/negotiation.ts';
import { parseWeighted } from '../../../src/protocol/http/weighted.ts';

const weighted = (text: string | null) => (text === null ? null : parseWeighted(text));

describe('content codings (RFC 9110 §12.5.3)', () => {
  const cases: readonly [accept: string | null, offered: string, chosen: string | null][] = [
    [null, 'gzip', 'identity'],
    ['', 'gzip', 'identity'],
    ['gzip', 'gzip', 'gzip'],
    ['x-gzip', 'gzip', 'gzip'],
    ['gzip, br', 'br gzip', 'br'],
    ['gzip, br', 'gzip br', 'gzip'],
    ['gzip;q=0.9, br;q=0.8', 'br gzip', 'gzip'],
    ['gzip;q=0.1', 'gzip', 'gzip'],
    ['gzip;q=0.1, identity', 'gzip', 'identity'],
    ['gzip;q=0.5, identity;q=0.5', 'gzip', 'gzip'],
    ['gzip;q=0', 'gzip', 'identity'],
    ['*', 'br gzip', 'br'],
    ['br;q=0, *', 'br gzip', 'gzip'],
    ['*;q=0', 'gzip', null],
    ['gzip, *;q=0', 'gzip', 'gzip'],
    ['br, *;q=0', 'gzip', null],
    ['identity;q=0', 'gzip', null],
    ['identity;q=0, gzip', 'identity gzip', 'gzip'],
    ['deflate', 'br gzip', 'identity'],
  ];
  for (const [accept, offered, chosen] of cases) {
    test(`${accept ?? 'no field'} of ${offered}: ${chosen}`, () => {
      assert.equal(chooseEncoding(weighted(accept), offered.split(' ')), chosen);
    });
  }
});

describe('charsets (RFC 9110 §12.5.2)', () => {
  const cases: readonly [accept: string | null, offered: string, chosen: string | null][] = [
    [null, 'utf-8 latin1', 'utf-8'],
    ['latin1', 'UTF-8 latin1', 'latin1'],
    ['utf-8;q=0.2, *;q=0.5', 'UTF-8 latin1', 'latin1'],
    ['ascii', 'utf-8', null],
  ];
  for (const [accept, offered, chosen] of cases) {
    test(`${accept ?? 'no field'} of ${offered}: ${chosen}`, () => {
      assert.equal(chooseCharset(weighted(accept), offered.split(' ')), chosen);
    });
  }
});

describe('languages (RFC 9110 §12.5.4)', () => {
  const cases: readonly [accept: string | null, offered: string, chosen: string | null][] = [
    [null, 'en de', 'en'],
    ['de', 'en de', 'de'],
    ['de', 'en de-CH', 'de-CH'],
    ['de-CH', 'en de', null],
    ['de-CH, de;q=0.9', 'en de', 'de'],
    ['de;q=0.5, de-CH;q=0', 'de-CH en', null],
    ['*;q=0.1, de;q=0.9', 'en de', 'de'],
    ['de;q=0, *', 'de en', 'en'],
    ['d', 'de', null],
  ];
  for (const [accept, offered, chosen] of cases) {
    test(`${accept ?? 'no field'} of ${offered}: ${chosen}`, () => {
      assert.equal(chooseLanguage(weighted(accept), offered.split(' ')), chosen);
    });
  }
});

describe('media types (RFC 9110 §12.5.1)', () => {
  const cases: readonly [accept: string | null, offered: string, chosen: string | null][] = [
    [null, 'text/html text/plain', 'text/html'],
    ['text/plain', 'text/html text/plain', 'text/plain'],
    [
      'text/*;q=0.3, text/html;q=0.7, text/html;level=1, */*;q=0.5',
      'text/html;level=1 text/html',
      'text/html;level=1',
    ],
    ['text/*;q=0.3, text/html;q=0.7, */*;q=0.5', 'text/plain image/png', 'image/png'],
    ['text/html;level=2', 'text/html', null],
    ['text/html;level=2', 'text/html;level=1', null],
    ['text/html;charset=utf-8', 'text/html', 'text/html'],
    ['text/html;charset=UTF-8', 'text/html;charset=utf-8', 'text/html;charset=utf-8'],
    ['text/html;q=0, */*', 'text/html text/plain', 'text/plain'],
    ['text/html;q=0, text/*', 'text/html', null],
    ['image/*', 'text/html', null],
  ];
  for (const [accept, offered, chosen] of cases) {
    test(`${accept ?? 'no field'} of ${offered}: ${chosen}`, () => {
      const types = offered.split(' ').flatMap((text) => {
        const type = parseMediaType(text);
        return type === null ? [] : [{ ...type, text }];
      });
      assert.equal(
        chooseMediaType(accept === null ? null : parseAccept(accept), types)?.text ?? null,
        chosen,
      );
    });
  }
});
