// The queue behind sessions and calls (src/database/fifo.ts).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { Fifo } from '../../src/database/fifo.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

test('what comes in first goes out first, whatever is done between', () => {
  // Often enough of each that the ring grows, wraps around and shrinks again.
  const step = fc.oneof(
    { weight: 60, arbitrary: fc.constant('push') },
    { weight: 38, arbitrary: fc.constant('shift') },
    { weight: 2, arbitrary: fc.constant('takeAll') },
  );
  fc.assert(
    fc.property(fc.array(step, { minLength: 200, maxLength: 800 }), (steps) => {
      const fifo = new Fifo<number>();
      let expected: number[] = [];
      for (const [i, what] of steps.entries()) {
        if (what === 'push') {
          fifo.push(i);
          expected.push(i);
        } else if (what === 'shift') {
          assert.equal(fifo.shift(), expected.shift());
        } else {
          assert.deepEqual(fifo.takeAll(), expected);
          expected = [];
        }
        assert.equal(fifo.length, expected.length);
        assert.equal(fifo.first, expected[0]);
      }
    }),
  );
});

test('what was taken out is not kept alive, although the queue is never empty', async () => {
  const fifo = new Fifo<object>();
  const taken: WeakRef<object>[] = [];
  fifo.push({});
  for (let i = 0; i < 100; i += 1) {
    fifo.push({});
    taken.push(new WeakRef(fifo.shift() ?? {}));
  }
  // What a WeakRef was made for is kept until the turn is over.
  await new Promise((resolve) => setImmediate(resolve));
  collectGarbage();
  assert.equal(taken.filter((reference) => reference.deref() !== undefined).length, 0);
  assert.equal(fifo.length, 1);
});
