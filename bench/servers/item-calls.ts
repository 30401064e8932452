// The two calls that the raw loop can make: the look-up alone, and the function that howdah calls for the route, with the
// same request that howdah would make of what the load generator sends.
import { readFileSync } from 'node:fs';
import type { PGlite } from '@electric-sql/pglite';
import { encodeRequest } from '../../src/catalog/request-value.ts';
import type { RequestTypes } from '../../src/catalog/request-value.ts';
import { installSchema } from '../../src/database/schema-installation.ts';

export interface ItemCall {
  readonly statement: string;
  readonly parameter: (id: number) => string | Buffer;
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
  const { rows } = await db.query<RequestTypes>(
    `select 'omni_httpd.http_request'::regtype::oid::int as "httpRequest",
            'omni_http.http_method'::regtype::oid::int as "httpMethod",
            'omni_http.http_header'::regtype::oid::int as "httpHeader",
            'omni_http.http_headers'::regtype::oid::int as "httpHeaders"`,
  );
  const [types] = rows;
  if (types === undefined) throw new Error('no types');
  return {
    statement: 'select bench_item_route($1)',
    parameter: (id) =>
      encodeRequest(types, {
        method: 'GET',
        path: `/item/${id}`,
        query: null,
        body: Buffer.alloc(0),
        peer: '127.0.0.1',
        fields: ['host', '127.0.0.1:8080'],
        authority: '127.0.0.1:8080',
      }),
    bodyOf: (column) => /\{"id".*?\}/.exec(column.toString('latin1'))?.[0] ?? '',
  };
}
