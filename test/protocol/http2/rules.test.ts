// Holds src/protocol/http2/RULES.md, which says which test covers which rule, to the tests that there are.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DEFAULT_OPTIONS } from '../../../src/protocol/http2/options.ts';
import { assertHasTest, assertRulesTested, readRules } from '../../support/rules.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const page = new URL('../../../src/protocol/http2/RULES.md', import.meta.url);
const rules = readRules(page, 'protocol/http2');

test('every rule names a test that there is, whose title names the rule’s section', () => {
  assert.ok(rules.length > 100);
  assertRulesTested(rules);
});

test('every section of RFC 9113 §3 to §8 that a test names has a rule', () => {
  const known = new Set(rules.filter(({ rfc }) => rfc === 'RFC 9113').map(({ section }) => section));
  for (const file of globSync(`${here}*.test.ts`)) {
    for (const [, list = ''] of readFileSync(file, 'utf8')
      .replaceAll(/^\/\/.*$/gm, '')
      .matchAll(/RFC 9113((?: §[\d.]+,?)+)/g)) {
      for (const [, section = ''] of list.matchAll(/§([3-8](?:\.\d+)*)/g)) {
        // Sections without a MUST, or with one for clients alone.
        if (['5.3.2', '8.4.2', '3', '4', '6', '8'].includes(section)) continue;
        assert.ok(known.has(section), `§${section}, which ${file} names`);
      }
    }
  }
});

test('every option names the test that meets it and passes it by one, budgets the one that floods', () => {
  const options = new Set<string>();
  for (const line of readFileSync(page, 'utf8').split('\n')) {
    const [, option = '', file = '', title = ''] =
      /^\| `(\w+)` +\| ([a-z0-9/-]+): (.+?) +\|$/.exec(line) ?? [];
    if (option === '') continue;
    options.add(option);
    assertHasTest(file.includes('/') ? file : `protocol/http2/${file}`, title);
  }
  for (const option of Object.keys(DEFAULT_OPTIONS)) assert.ok(options.has(option), option);
});
