// Rows of a statement one after another, fetched from a cursor in batches of about the same size: db.stream().
import type { SetupSession } from '../database/database.ts';
import type { SqlResult } from '../database/exchange-result.ts';
import type { SqlRow } from '../web/sql-client.ts';
import { RowQueue, type RowQueueLimits } from './row-queue.ts';
import { objectsOf } from './sql-rows.ts';

/** What is fetched at once: enough that the round trips do not count, little enough to wait in memory. */
const MAX_ROWS_PER_FETCH = 100;
const BYTES_PER_FETCH = 262_144;

/** By how much a fetch may be larger than the one before: nothing is known of rows that have not been seen. */
const GROWTH = 10;

/** What may wait for the reader. */
export const ROWS_AHEAD = { maxRows: MAX_ROWS_PER_FETCH, maxBytes: BYTES_PER_FETCH };

/** The embedded engine is to be given back soon, so more may wait: as much as a connection may hold back of a response. */
export const ROWS_AHEAD_OF_ENGINE = { maxRows: 10_000, maxBytes: 8_388_608 };

export interface RowStreamLimits extends RowQueueLimits {
  /** Of the rows of one fetch; more rejects with HOWDAH_RESULT_TOO_LARGE. */
  readonly maxFetchBytes: number;
}

/** Rows, and how large their values were as text. */
export interface RowBatch {
  readonly rows: readonly SqlRow[];
  readonly bytes: number;
}

let cursors = 0;

/** Rows of a statement that stands in a transaction, as they are taken. */
export async function* fetchBatches(
  session: SetupSession,
  text: string,
  parameters: readonly (string | null)[],
  maxBytes: number,
): AsyncGenerator<RowBatch> {
  const cursor = `howdah_rows_${++cursors}`;
  await session.query(`declare ${cursor} no scroll cursor for ${text}`, parameters);
  try {
    for (let count = 1; ;) {
      const result = await session.query(`fetch ${count} from ${cursor}`, [], maxBytes);
      const bytes = sizeOf(result);
      yield { rows: objectsOf(result), bytes };
      if (result.rows.length < count) return;
      count = nextCount(count, bytes);
    }
  } finally {
    await session.exec(`close ${cursor}`).catch(() => undefined);
  }
}

function sizeOf({ rows }: SqlResult): number {
  let bytes = 0;
  for (const row of rows) {
    for (const value of row) bytes += value?.length ?? 0;
  }
  return bytes;
}

function nextCount(count: number, bytes: number): number {
  const fitting = Math.floor((BYTES_PER_FETCH * count) / Math.max(bytes, 1));
  return Math.max(1, Math.min(fitting, count * GROWTH, MAX_ROWS_PER_FETCH));
}

/** Rows as they are taken, in a transaction of their own. */
export async function* streamRows(
  lend: <T>(use: (session: SetupSession) => Promise<T>) => Promise<T>,
  text: string,
  parameters: readonly (string | null)[],
  limits: RowStreamLimits,
): AsyncGenerator<SqlRow> {
  const queue = new RowQueue(limits);
  const ended = lend(async (session) => {
    await session.exec('begin');
    for await (const batch of fetchBatches(session, text, parameters, limits.maxFetchBytes)) {
      if (!(await putAll(queue, batch))) break;
    }
    await session.exec('commit');
  }).then(
    () => queue.end(null),
    (error: unknown) => queue.end(error),
  );
  try {
    for (let row = await queue.take(); row !== null; row = await queue.take()) yield row;
  } finally {
    queue.stop();
    await ended;
  }
}

async function putAll(queue: RowQueue, { rows, bytes }: RowBatch): Promise<boolean> {
  for (const row of rows) {
    if (!(await queue.put(row, bytes / rows.length))) return false;
  }
  return true;
}
