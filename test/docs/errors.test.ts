// docs/errors.md lists the errors of src/errors.ts, in its words.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ERRORS } from '../../src/errors.ts';

const document = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');

test('docs/errors.md lists each error with its status, message and hint, and no other', () => {
  const listed = document
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split('|')
        .map((cell) => cell.trim())
        .slice(1, -1),
    );
  const expected = Object.entries<{ status: number | null; message: string; hint: string }>(ERRORS).map(
    ([code, { status, message, hint }]) => [`\`${code}\``, String(status ?? '–'), message, hint],
  );
  assert.ok(expected.length > 0);
  assert.deepEqual(listed, expected);
});
