// Rows of a result as objects of JavaScript, and as JSON.
import type { SqlResult } from '../database/exchange-result.ts';
import { decoderOf } from '../database/values.ts';
import type { WholeResponse } from '../web/exchange.ts';

export function jsonResponse(value: unknown): WholeResponse {
  return { status: 200, fields: ['content-type', 'application/json'], body: jsonOf(value) };
}

/** Numbers beyond 2^53 as they are, bytes as PostgreSQL writes them. */
function jsonOf(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => {
    if (typeof item === 'bigint') return rawJson(String(item));
    const buffer = item as { type?: unknown; data?: unknown } | null;
    if (typeof item === 'object' && buffer?.type === 'Buffer' && Array.isArray(buffer.data)) {
      return `\\x${Buffer.from(buffer.data as number[]).toString('hex')}`;
    }
    return item;
  });
}

const rawJson = (text: string): unknown =>
  (JSON as typeof JSON & { rawJSON(text: string): unknown }).rawJSON(text);

/** Rows as objects. */
export function objectsOf({ fields, rows }: SqlResult): Record<string, unknown>[] {
  const columns = fields.map(({ name, typeOid }) => ({ name, decode: decoderOf(typeOid) }));
  return rows.map((row) => {
    const object: Record<string, unknown> = {};
    for (const [index, { name, decode }] of columns.entries()) {
      const text = row[index];
      object[name] = text === null || text === undefined ? null : decode(text);
    }
    return object;
  });
}
