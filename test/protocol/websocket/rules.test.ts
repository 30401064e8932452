// Holds src/protocol/websocket/RULES.md, which says which test covers which rule, to the tests that there are.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertRulesTested, readRules } from '../../support/rules.ts';

test('every rule names a test that there is, whose title names the rule’s section', () => {
  const page = new URL('../../../src/protocol/websocket/RULES.md', import.meta.url);
  const rules = readRules(page, 'protocol/websocket');
  assert.ok(rules.length > 60);
  assertRulesTested(rules);
});
