// Holds a page that says which test covers which rule to the tests that there are. No test itself.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const TESTS = fileURLToPath(new URL('..', import.meta.url));

export interface Rule {
  readonly rfc: string;
  readonly section: string;
  /** Path below `test`. */
  readonly file: string;
  readonly title: string;
}

/** The rows of the page's tables; tests without a folder are in `folder`. */
export function readRules(page: URL, folder: string): Rule[] {
  const rules: Rule[] = [];
  let rfc = '';
  for (const line of readFileSync(page, 'utf8').split('\n')) {
    rfc = /^## (RFC \d+)$/.exec(line)?.[1] ?? rfc;
    const [, section = '', , cell = ''] = line.split(/(?<!\\)\|/).map((part) => part.trim());
    const [, file = '', title = ''] = /^([a-z0-9/-]+): (.+)$/.exec(cell) ?? [];
    if (!/^[\d.]+$/.test(section)) continue;
    assert.notEqual(title, '', `no test in the row ${line}`);
    const path = file.includes('/') ? file : `${folder}/${file}`;
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

/** `file`: path below `test`. */
export function assertHasTest(file: string, title: string): void {
  const source = readFileSync(`${TESTS}${file}.test.ts`, 'utf8');
  assert.ok(hasTitle(source, title), `${file} has no test “${title}”`);
}

/** Fails where a rule names a test that is not there, or one whose title does not name the rule's section. */
export function assertRulesTested(rules: readonly Rule[]): void {
  for (const { rfc, section, file, title } of rules) {
    assertHasTest(file, title);
    const named = new RegExp(`${rfc}(?: §[\\w.]+,)* §${section.replaceAll('.', String.raw`\.`)}(?![\\w.])`);
    assert.match(title, named, `§${section}`);
  }
}
