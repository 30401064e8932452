// docs/reference.md has an entry for each name that index.ts exports, says what it is, and has no other.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { declarationOf, publicExports, referenceDocument } from '../../scripts/reference-text.ts';
import * as api from '../../src/index.ts';

const page = readFileSync(new URL('../../docs/reference.md', import.meta.url), 'utf8');

test('each public type and value has an entry in docs/reference.md, and nothing else has one', () => {
  const entries = Array.from(page.matchAll(/^### (\S+)$/gm), ([, name = '']) => name).toSorted();
  const names = publicExports().map(({ name }) => name);
  assert.deepEqual(entries, names.toSorted());
  for (const name of Object.keys(api)) assert.ok(names.includes(name), name);
});

test('each entry says what it is', () => {
  for (const exported of publicExports()) {
    const { doc, text } = declarationOf(exported);
    assert.ok(/^[^@]/.test(doc), `${exported.name} in src/${exported.file} has no comment`);
    assert.ok(text.includes(exported.name), exported.name);
  }
});

test('the entries are what the program says', async () => {
  assert.equal(await referenceDocument(), page, 'npm run reference');
});

test('declarations are found whole: overloads, members, kinds', () => {
  const textOf = (name: string): string => {
    const found = publicExports().find((one) => one.name === name);
    assert.ok(found);
    return declarationOf(found).text;
  };
  const membersOf = (name: string): string[] => {
    const found = publicExports().find((one) => one.name === name);
    assert.ok(found);
    return declarationOf(found).members.map(({ text }) => text);
  };
  assert.equal(textOf('serve').split('\n').length, 2);
  assert.match(textOf('int'), /^const int: Constraint<number>$/);
  assert.match(textOf('Commands'), /^type Commands = Command \| readonly Command\[\] \| null$/);
  assert.match(textOf('Command'), /'internal-error'/);
  assert.ok(
    membersOf('Part').includes('save(path: string, {onProgress}: SaveOptions = {}): Promise<number>'),
  );
  assert.ok(!membersOf('Part').some((text) => text.includes('#')));
  assert.ok(membersOf('Context').includes('cast(message: unknown): void'));
  assert.ok(membersOf('RunningServer').includes('listeners: readonly {readonly url: string}[]'));
});
