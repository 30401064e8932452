// The two calls that the raw loop can make: the look-up alone, and the function that howdah calls for the route.
import { readFileSync } from 'node:fs';
import type { PGlite } from '@electric-sql/pglite';
import { installSchema } from '../../src/database/schema-installation.ts';

export interface ItemCall {
  readonly statement: string;
  readonly parameter: (id: number) => string;
  /** Finds the JSON in the first column of a row. */
  readonly bodyOf: (column: Buffer) => string;
}

export const LOOK_UP: ItemCall = {
  statement: 'select bench_item($1)',
  parameter: String,
  bodyOf: (column) => column.toString('utf8'),
};

/** Installs howdah's schema and the route's function beside the items. */
export async function routeCall(db: PGlite): Promise<ItemCall> {
  const target = {
    exec: (sql: string) => db.exec(sql),
    query: async (sql: string) => (await db.query<Record<string, unknown>>(sql)).rows,
  };
  await installSchema(target, { noInit: true, initAddress: '127.0.0.1', initPort: 0 });
  await db.exec(readFileSync(new URL('../sql/items/20-route.sql', import.meta.url), 'utf8'));
  return {
    statement: 'select bench_item_route($1)',
    parameter: String,
    bodyOf: (column) => /\{"id".*?\}/.exec(column.toString('latin1'))?.[0] ?? '',
  };
}
