// Runs each fuzz entry for a short time, always with the same seed. For longer: `node fuzz/http2.ts --seconds 600`, which takes
// another seed each time and prints it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const SECONDS = '2';
const SEED = '20261122';

for (const path of globSync('fuzz/*.ts', { cwd: root }).sort()) {
  test(`${basename(path, '.ts')} stands ${SECONDS} seconds of fuzzing`, () => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [path, '--seconds', SECONDS, '--seed', SEED],
      { cwd: root, encoding: 'utf8' },
    );
    assert.equal(status, 0, `${stdout}${stderr}`);
    assert.match(stdout, /: no (?:failure|difference)$/m);
  });
}
