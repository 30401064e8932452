// Every code block of the README and the documents runs, and prints what they say.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { runDocument } from './run-document.ts';

const root = new URL('../..', import.meta.url);
const documents = globSync(['README.md', 'docs/**/*.md'], { cwd: root }).sort();

test('there are documents', () => {
  assert.ok(documents.includes('README.md'));
});

for (const name of documents) {
  test(`the code blocks of ${name} do what it says`, async () => {
    await runDocument(name, readFileSync(new URL(name, root), 'utf8'));
  });
}
