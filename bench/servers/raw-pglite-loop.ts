// The limit of what a server on the embedded engine could do: raw PGlite calls in pipelines of 16 that are built once, in one
// thread. No HTTP, nothing read of the answers but their length (all answers have one length). With the argument `route` it
// calls the function of howdah's route, otherwise the look-up alone.
import { openItems } from './embedded-items.ts';
import { FIRST_ITEM, ITEM_COUNT, itemBody } from './items.ts';
import { LOOK_UP, routeCall } from './item-calls.ts';
import { call, firstColumns, parse } from './wire.ts';
import { printLoopResult } from '../harness/loop-contestant.ts';

const BATCH = 16;
/** A whole number of passes over the items, so that every batch has the same size: 16 items short of two passes less. */
const BATCHES = ITEM_COUNT / (BATCH / 2);

const db = await openItems();
const { statement, parameter, bodyOf } = process.argv[2] === 'route' ? await routeCall(db) : LOOK_UP;
firstColumns(db.execProtocolRawSync(parse('item', statement)));

const idOf = (index: number): number => FIRST_ITEM + (index % ITEM_COUNT);
const batches = Array.from({ length: BATCHES }, (_, batch) =>
  Buffer.concat(
    Array.from({ length: BATCH }, (_, index) => call('item', parameter(idOf(batch * BATCH + index)))),
  ),
);

let expectedLength = 0;
for (const [batch, bytes] of batches.entries()) {
  const answer = db.execProtocolRawSync(bytes);
  const bodies = firstColumns(answer).map(bodyOf);
  const right = Array.from({ length: BATCH }, (_, index) => itemBody(idOf(batch * BATCH + index)));
  if (bodies.join('\n') !== right.join('\n')) throw new Error(`wrong answer: ${bodies.join(' ')}`);
  expectedLength = answer.length;
}

function loop(seconds: number): { calls: number; elapsedMs: number } {
  const begin = performance.now();
  const end = begin + seconds * 1000;
  let calls = 0;
  let now = begin;
  while (now < end) {
    for (const bytes of batches) {
      if (db.execProtocolRawSync(bytes).length !== expectedLength) {
        throw new Error('an answer has another length than the right ones');
      }
    }
    calls += batches.length * BATCH;
    now = performance.now();
  }
  return { calls, elapsedMs: now - begin };
}

loop(Number(process.env['BENCH_WARM_UP_SECONDS'] ?? 1));
const cpuBefore = process.cpuUsage();
const { calls, elapsedMs } = loop(Number(process.env['BENCH_SECONDS'] ?? 5));
const { user, system } = process.cpuUsage(cpuBefore);
printLoopResult({ operations: calls, elapsedUs: elapsedMs * 1000, cpuUs: user + system });
await db.close();
