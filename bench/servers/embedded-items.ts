// The rows and the function that the SQL scenarios look up, in a fresh embedded PostgreSQL.
import { readFileSync } from 'node:fs';
import { PGlite } from '@electric-sql/pglite';

/** A PGlite in memory with the rows in it, and a table for more. */
export async function openItems(): Promise<PGlite> {
  const db = await PGlite.create();
  for (const file of ['items/10-items.sql', 'notes/10-notes.sql']) {
    await db.exec(readFileSync(new URL(`../sql/${file}`, import.meta.url), 'utf8'));
  }
  return db;
}
