// Bytes that wait in pieces: their order, their number, and what small ones cost.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { PieceQueue } from '../../../src/protocol/http/piece-queue.ts';

test('what goes in comes out in order, however it is cut and whenever it is taken', () => {
  const step = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => ({ bytes: Buffer.from(bytes), copy: true })),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => ({ bytes: Buffer.from(bytes), copy: false })),
    fc.constant(null),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const queue = new PieceQueue();
      let [given, taken] = [Buffer.alloc(0), Buffer.alloc(0)];
      const take = (): void => {
        const { next } = queue;
        const piece = queue.take();
        assert.equal(piece, next);
        if (piece !== undefined) taken = Buffer.concat([taken, piece]);
      };
      for (const each of steps) {
        if (each === null) take();
        else {
          const bytes = Buffer.from(each.bytes);
          given = Buffer.concat([given, bytes]);
          if (each.copy) queue.pushCopy(bytes);
          else queue.push(bytes);
          // Whoever had it copied may write over it.
          if (each.copy) bytes.fill(0xee);
        }
        assert.equal(queue.bytes, given.length - taken.length);
        assert.equal(queue.isEmpty, queue.bytes === 0);
      }
      assert.deepEqual(Buffer.concat([taken, queue.takeAll()]), given);
      assert.deepEqual([queue.take(), queue.bytes], [undefined, 0]);
    }),
  );
});

test('pieces of one byte are gathered, also while others are taken', () => {
  const queue = new PieceQueue();
  const byte = Buffer.from('x');
  for (let i = 0; i < 100_000; i += 1) queue.pushCopy(byte);
  let pieces = 0;
  while (queue.take() !== undefined) pieces += 1;
  assert.ok(pieces < 50, `${pieces}`);
});

test('a piece that is not small is kept by reference, and an empty one is none', () => {
  const queue = new PieceQueue();
  const large = Buffer.alloc(1000);
  queue.push(large);
  queue.push(Buffer.alloc(0));
  queue.push(large);
  assert.equal(queue.take(), large);
  assert.equal(queue.take(), large);
  assert.equal(queue.take(), undefined);
});

test('many pieces are taken out in a time that grows with their number', () => {
  const queue = new PieceQueue();
  const piece = Buffer.alloc(200);
  // An array that is shifted takes minutes for as many.
  for (let i = 0; i < 400_000; i += 1) queue.push(piece);
  let pieces = 0;
  while (queue.take() !== undefined) pieces += 1;
  assert.equal(pieces, 400_000);
});
