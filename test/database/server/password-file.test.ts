// The password file, by the manual's rules.
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { findPassword, passwordIn } from '../../../src/database/server/password-file.ts';

const key = { host: 'db', port: 5432, database: 'app', user: 'me' };

it('takes the first line that fits, in which * fits everything', () => {
  const text = '# db:5432:app:me:comment\ndb:5433:app:me:port\n*:*:app:me:first\ndb:5432:app:me:second\n';
  assert.equal(passwordIn(text, key), 'first');
  assert.equal(passwordIn(text, { ...key, user: 'you' }), null);
  assert.equal(passwordIn('db:5432:app\n', key), null);
});

it('takes what a backslash goes before as it is', () => {
  assert.equal(passwordIn('db:5432:a\\:b:me:p\\:q\\\\r\r\n', { ...key, database: 'a:b' }), 'p:q\\r');
});

it('looks a UNIX socket up as localhost', () => {
  assert.equal(passwordIn('localhost:5432:app:me:local', { ...key, host: '/run/postgresql' }), 'local');
});

it('does not use a file that others may read, and needs none', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'howdah-pgpass-'));
  try {
    const file = join(directory, 'pgpass');
    writeFileSync(file, 'db:*:*:*:found\n');
    chmodSync(file, 0o600);
    assert.deepEqual(await findPassword(file, key), { password: 'found', refused: null });
    chmodSync(file, 0o640);
    assert.deepEqual(await findPassword(file, key), { password: null, refused: file });
    assert.deepEqual(await findPassword(join(directory, 'none'), key), { password: null, refused: null });
  } finally {
    rmSync(directory, { recursive: true });
  }
});
