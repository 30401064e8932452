// The rows and the function that the SQL scenario looks up, in a fresh embedded PostgreSQL.
import { readFileSync } from 'node:fs';
import { PGlite } from '@electric-sql/pglite';

export const FIRST_ITEM = 1000;
export const ITEM_COUNT = 1000;

/** The answer to a look-up. */
export function itemBody(id: number): string {
  return `{"id" : ${id}, "name" : "item number ${id}", "price" : ${10_000 + id}}`;
}

/** A PGlite in memory with the rows in it. */
export async function openItems(): Promise<PGlite> {
  const db = await PGlite.create();
  await db.exec(readFileSync(new URL('../sql/items/10-items.sql', import.meta.url), 'utf8'));
  return db;
}
