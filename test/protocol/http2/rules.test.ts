// Holds src/protocol/http2/RULES.md, which says which test covers which rule, to the tests that there are.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const rulesFile = new URL('../../../src/protocol/http2/RULES.md', import.meta.url);

interface Rule {
  readonly rfc: string;
  readonly section: string;
  /** Path below `test`. */
  readonly file: string;
  readonly title: string;
}

function readRules(): Rule[] {
  const rules: Rule[] = [];
  let rfc = '';
  for (const line of readFileSync(rulesFile, 'utf8').split('\n')) {
    rfc = /^## (RFC \d+)$/.exec(line)?.[1] ?? rfc;
    const [, section = '', , cell = ''] = line.split(/(?<!\\)\|/).map((part) => part.trim());
    const [, file = '', title = ''] = /^([a-z0-9/-]+): (.+)$/.exec(cell) ?? [];
    if (!/^[\d.]+$/.test(section)) continue;
    assert.notEqual(title, '', `no test in the row ${line}`);
    const path = file.includes('/') ? file : `protocol/http2/${file}`;
    rules.push({ rfc, section, file: path, title: title.replaceAll('\\', '') });
  }
  return rules;
}

/** The texts of a file's string literals, and its templates as patterns whose groups are what is filled in. */
function titlesOf(source: string): { literals: Set<string>; templates: RegExp[] } {
  const literals = [...source.matchAll(/'((?:[^'\\\n]|\\.)*)'/g)].map(([, text = '']) =>
    text.replaceAll('\\', ''),
  );
  const keys = [...source.matchAll(/(?:^|[{,])\s*([A-Z]\w*):/gm)].map(([, text = '']) => text);
  const templates = [...source.matchAll(/`([^`]*\$\{[^`]*)`/g)].map(([, text = '']) => {
    const parts = text
      .split(/\$\{[^}]*\}/)
      .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
    return new RegExp(`^${parts.join('(.*)')}$`);
  });
  return { literals: new Set([...literals, ...keys]), templates };
}

function hasTitle(source: string, title: string): boolean {
  const { literals, templates } = titlesOf(source);
  if (literals.has(title)) return true;
  return templates.some((template) => {
    const filled = template.exec(title)?.slice(1);
    return filled?.every((text) => literals.has(text) || /^\d*$/.test(text)) ?? false;
  });
}

const rules = readRules();

test('every rule names a test that there is, whose title names the rule’s section', () => {
  assert.ok(rules.length > 100);
  for (const { rfc, section, file, title } of rules) {
    const source = readFileSync(`${here}../../${file}.test.ts`, 'utf8');
    assert.ok(hasTitle(source, title), `${file} has no test “${title}”`);
    const named = new RegExp(`${rfc}(?: §[\\w.]+,)* §${section.replaceAll('.', String.raw`\.`)}(?![\\w.])`);
    assert.match(title, named, `§${section}`);
  }
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
