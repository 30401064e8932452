// docs/omni_httpd.md lists the objects of the SQL interface that an installed database has, and no other.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { PGlite } from '@electric-sql/pglite';
import { installSchema } from '../../src/database/schema-installation.ts';
import { SQL_SURFACE } from '../support/sql-surface.ts';

const document = readFileSync(new URL('../../docs/omni_httpd.md', import.meta.url), 'utf8');

/** A row of a table that begins with an object, and its state. */
const OBJECT_ROW =
  /^\| `((?:aggregate|cast|event trigger|function|materialized view|operator|procedure|table|trigger|type|view) .*?)` +\| (\S.*?) +\|/gm;

test('docs/omni_httpd.md lists each object of the SQL interface, and no other', async () => {
  const engine = await PGlite.create();
  try {
    await installSchema(
      {
        exec: (text) => engine.exec(text),
        query: async (text) => (await engine.query<Record<string, unknown>>(text)).rows,
      },
      { noInit: true, initAddress: null, initPort: null },
    );
    const installed = (await engine.exec(SQL_SURFACE)).at(-1)?.rows.map((row) => String(row['object']));
    const listed = Array.from(document.matchAll(OBJECT_ROW));
    assert.ok(listed.length > 50);
    assert.deepEqual(new Set(listed.map(([, object]) => object)), new Set(installed));
    assert.equal(listed.length, installed?.length);
    for (const [, object, state] of listed) assert.match(state ?? '', /^(same.*|own)$/, object);
  } finally {
    await engine.close();
  }
});
