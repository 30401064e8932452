// Rows of a cursor: in batches that are large enough and not too large, between a session and a reader that are not of the same speed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SetupSession } from '../../src/database/database.ts';
import { RowQueue } from '../../src/catalog/row-queue.ts';
import { fetchBatches, streamRows } from '../../src/catalog/row-stream.ts';

const TEXT = 25;

/** A session with a cursor over texts of these lengths, and what it was asked. */
class FakeSession implements SetupSession {
  readonly asked: string[] = [];
  readonly #lengths: number[];

  constructor(lengths: number[]) {
    this.#lengths = [...lengths];
  }

  query(text: string): ReturnType<SetupSession['query']> {
    this.asked.push(text.replace(/howdah_rows_\d+/, 'c'));
    const count = Number(/^fetch (\d+)/.exec(text)?.[1] ?? 0);
    const rows = this.#lengths.splice(0, count).map((length) => ['x'.repeat(length)]);
    return Promise.resolve({
      fields: [{ name: 'text', typeOid: TEXT, typeModifier: -1, format: 0 as const }],
      rows,
      tag: '',
    });
  }

  exec(text: string): ReturnType<SetupSession['exec']> {
    this.asked.push(text.replace(/howdah_rows_\d+/, 'c'));
    return Promise.resolve([]);
  }

  get counts(): number[] {
    return this.asked.filter((text) => text.startsWith('fetch')).map((text) => Number(text.split(' ')[1]));
  }
}

async function fetchAll(lengths: number[]): Promise<{ counts: number[]; rows: number; bytes: number }> {
  const session = new FakeSession(lengths);
  let rows = 0;
  let bytes = 0;
  for await (const batch of fetchBatches(session, 'select', [], 1e9)) {
    rows += batch.rows.length;
    bytes += batch.bytes;
  }
  assert.equal(session.asked[0], 'declare c no scroll cursor for select');
  assert.equal(session.asked.at(-1), 'close c');
  return { counts: session.counts, rows, bytes };
}

test('rows are fetched by the hundred where they are small', async () => {
  assert.deepEqual(await fetchAll(Array<number>(250).fill(10)), {
    counts: [1, 10, 100, 100, 100],
    rows: 250,
    bytes: 2500,
  });
  assert.deepEqual(await fetchAll([]), { counts: [1], rows: 0, bytes: 0 });
  assert.deepEqual(await fetchAll([0]), { counts: [1, 10], rows: 1, bytes: 0 });
});

test('rows are fetched one by one where each is as large as a fetch is to be', async () => {
  const { counts, rows } = await fetchAll(Array<number>(3).fill(300_000));
  assert.deepEqual({ counts, rows }, { counts: [1, 1, 1, 1], rows: 3 });
});

test('fewer rows are fetched when they become larger, and more when they become smaller', async () => {
  const lengths = [
    ...Array<number>(111).fill(1),
    ...Array<number>(104).fill(65_536),
    ...Array<number>(60).fill(1),
  ];
  const { counts, rows } = await fetchAll(lengths);
  assert.deepEqual(counts, [1, 10, 100, 100, 4, 4, 40, 100]);
  assert.equal(rows, lengths.length);
});

test('a stream of rows begins a transaction, and commits when the reader has enough', async () => {
  const session = new FakeSession(Array<number>(1000).fill(1));
  const limits = { maxRows: 10, maxBytes: 1e9, takeTimeoutMs: 60_000, maxFetchBytes: 1e9 };
  for await (const row of streamRows((use) => use(session), 'select', [], limits)) {
    assert.deepEqual(row, { text: 'x' });
    break;
  }
  assert.deepEqual(session.asked.slice(0, 2), ['begin', 'declare c no scroll cursor for select']);
  assert.deepEqual(session.asked.slice(-2), ['close c', 'commit']);
  assert.deepEqual(session.counts, [1, 10]);
});

/** Whether a promise has been kept after all that could follow by itself has. */
async function isKept(promise: Promise<unknown>): Promise<boolean> {
  let kept = false;
  void promise.then(() => (kept = true));
  await new Promise(setImmediate);
  return kept;
}

const LIMITS = { maxRows: 4, maxBytes: 100, takeTimeoutMs: 60_000 };

test('a queue is full with maxRows rows, and takes more when half of them are taken', async () => {
  const queue = new RowQueue(LIMITS);
  for (let n = 0; n < 3; n++) assert.ok(await isKept(queue.put({ n }, 1)));
  const fourth = queue.put({ n: 3 }, 1);
  assert.ok(!(await isKept(fourth)));
  assert.deepEqual(await queue.take(), { n: 0 });
  assert.ok(!(await isKept(fourth)));
  assert.deepEqual(await queue.take(), { n: 1 });
  assert.equal(await fourth, true);
});

test('a queue is full with maxBytes bytes, and takes a row that is larger by itself', async () => {
  const queue = new RowQueue(LIMITS);
  assert.ok(await isKept(queue.put({ n: 0 }, 99)));
  const second = queue.put({ n: 1 }, 1000);
  assert.ok(!(await isKept(second)));
  await queue.take();
  assert.ok(!(await isKept(second)));
  await queue.take();
  assert.equal(await second, true);
  assert.ok(await isKept(queue.put({ n: 2 }, 99)), 'nothing is left of the sizes of those before');
});

test('a queue that stays full is over for the one who puts', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const queue = new RowQueue({ ...LIMITS, maxRows: 1 });
  const late = assert.rejects(queue.put({}, 1), /no row was taken for 60000 ms/);
  t.mock.timers.tick(60_000);
  await late;
});

test('a queue gives what is in it before it ends or fails, and nothing more is wanted once it is stopped', async () => {
  const queue = new RowQueue(LIMITS);
  await queue.put({ n: 0 }, 1);
  queue.end(new Error('gone'));
  assert.deepEqual(await queue.take(), { n: 0 });
  await assert.rejects(queue.take(), /gone/);
  const other = new RowQueue(LIMITS);
  const waiting = other.take();
  other.end(null);
  assert.equal(await waiting, null);
  const full = new RowQueue({ ...LIMITS, maxRows: 1 });
  const put = full.put({}, 1);
  full.stop();
  assert.equal(await put, false);
  assert.equal(await full.put({}, 1), false);
});
