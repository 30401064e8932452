// Gathering of output: order, sharing of slabs, what is copied and what is not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { ByteWriter, MAX_COPY_BYTES, SLAB_BYTES } from '../../../src/protocol/http/byte-writer.ts';

test('nothing was written at first, and after a take', () => {
  const writer = new ByteWriter();
  assert.deepEqual([writer.length, writer.take(), writer.takeAll()], [0, null, []]);
  writer.writeLatin1('a');
  assert.equal(writer.length, 1);
  assert.equal(writer.take()?.toString(), 'a');
  assert.deepEqual([writer.length, writer.take(), writer.takeAll()], [0, null, []]);
});

test('text is written as latin1 or as UTF-8', () => {
  const writer = new ByteWriter();
  writer.writeLatin1('é');
  writer.writeUtf8('é€\ud800');
  assert.deepEqual([...(writer.take() ?? [])], [0xe9, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xef, 0xbf, 0xbd]);
});

test('small writes share a slab and leave in one piece', () => {
  const writer = new ByteWriter();
  const pieces: Buffer[] = [];
  for (let i = 0; i < 3; i++) {
    writer.writeLatin1('a');
    writer.writeBytes(Buffer.from('b'));
    pieces.push(...writer.takeAll());
  }
  assert.deepEqual(pieces.map(String), ['ab', 'ab', 'ab']);
  assert.equal(new Set(pieces.map(({ buffer }) => buffer)).size, 1);
});

test('a single piece can be taken as it is; of several none is', () => {
  const writer = new ByteWriter();
  assert.equal(writer.takePiece(), null);
  writer.reserve(10);
  assert.equal(writer.takePiece(), null);
  writer.writeLatin1('a');
  const piece = writer.takePiece();
  assert.deepEqual([piece?.toString(), writer.length, writer.takePiece()], ['a', 0, null]);
  writer.writeLatin1('b');
  writer.writeBytes(Buffer.alloc(MAX_COPY_BYTES + 1, 'c'));
  assert.equal(writer.takePiece(), null);
  writer.writeLatin1('d');
  assert.equal(writer.takePiece(), null);
  assert.deepEqual(
    writer.takeAll().map(({ length }) => length),
    [1, MAX_COPY_BYTES + 1, 1],
  );
  assert.equal(piece?.toString(), 'a');
});

test('what was taken never changes', () => {
  const writer = new ByteWriter();
  const taken: Buffer[] = [];
  for (let i = 0; i < 300; i++) {
    writer.writeLatin1(String(i % 10).repeat(1000));
    const piece = writer.take();
    assert.ok(piece !== null);
    taken.push(piece);
  }
  assert.ok(new Set(taken.map(({ buffer }) => buffer)).size > 1);
  for (const [i, piece] of taken.entries()) assert.equal(piece.toString(), String(i % 10).repeat(1000));
});

test('bytes above MAX_COPY_BYTES are passed by reference, up to it they are copied', () => {
  const writer = new ByteWriter();
  const small = Buffer.alloc(MAX_COPY_BYTES, 'a');
  const large = Buffer.alloc(MAX_COPY_BYTES + 1, 'b');
  writer.writeBytes(small);
  writer.writeBytes(large);
  writer.writeLatin1('c');
  assert.equal(writer.length, 2 * MAX_COPY_BYTES + 2);
  const [first, second, third, ...rest] = writer.takeAll();
  assert.equal(rest.length, 0);
  assert.ok(first?.equals(small) === true && first.buffer !== small.buffer);
  assert.ok(second?.buffer === large.buffer && second.byteOffset === large.byteOffset);
  assert.equal(second.length, large.length);
  assert.equal(third?.toString(), 'c');
});

test('bytes of any array can be written', () => {
  const writer = new ByteWriter();
  const array = new Uint8Array(MAX_COPY_BYTES + 10).fill(7).subarray(5);
  writer.writeBytes(array);
  writer.writeBytes(Uint8Array.of(1, 2));
  assert.deepEqual(writer.take(), Buffer.concat([array, Uint8Array.of(1, 2)]));
});

test('a text whose UTF-8 is short is copied even where it might not have been', () => {
  const writer = new ByteWriter();
  const text = 'a'.repeat(MAX_COPY_BYTES / 2);
  writer.writeUtf8(text);
  assert.equal(writer.take()?.toString(), text);
});

test('take joins several pieces', () => {
  const writer = new ByteWriter();
  writer.writeLatin1('a');
  writer.writeLatin1('b'.repeat(MAX_COPY_BYTES + 1));
  writer.writeUtf8('ü'.repeat(MAX_COPY_BYTES));
  assert.equal(writer.take()?.toString(), `a${'b'.repeat(MAX_COPY_BYTES + 1)}${'ü'.repeat(MAX_COPY_BYTES)}`);
});

test('any writes come out in their order, over the ends of slabs too', () => {
  const size = fc.oneof(
    fc.nat(100),
    fc.integer({ min: MAX_COPY_BYTES - 2, max: MAX_COPY_BYTES + 2 }),
    fc.nat(9000),
  );
  const write = fc.record({ kind: fc.constantFrom('latin1', 'utf8', 'bytes', 'take', 'takeAll'), size });
  fc.assert(
    fc.property(fc.array(write, { maxLength: 60 }), (writes) => {
      const writer = new ByteWriter();
      const expected: Buffer[] = [];
      const taken: Buffer[] = [];
      for (const [i, { kind, size }] of writes.entries()) {
        const text = String.fromCharCode(0x41 + (i % 26)).repeat(size);
        if (kind === 'latin1') writer.writeLatin1(text);
        else if (kind === 'utf8') writer.writeUtf8(text);
        else if (kind === 'bytes') writer.writeBytes(Buffer.from(text));
        else if (kind === 'take') taken.push(writer.take() ?? Buffer.alloc(0));
        else taken.push(...writer.takeAll());
        if (!kind.startsWith('take')) expected.push(Buffer.from(text));
      }
      const length = expected.reduce((sum, piece) => sum + piece.length, 0);
      assert.equal(writer.length + taken.reduce((sum, piece) => sum + piece.length, 0), length);
      taken.push(...writer.takeAll());
      assert.ok(Buffer.concat(taken).equals(Buffer.concat(expected)));
    }),
    { numRuns: 200 },
  );
});

test('a slab is filled to its last byte', () => {
  // Earlier writers have left some of one, from anywhere on: this one goes on from the beginning of the next.
  const earlier = new ByteWriter();
  for (let end = 0; end !== SLAB_BYTES;) {
    earlier.writeLatin1('a'.repeat(MAX_COPY_BYTES));
    const last = earlier.takeAll().at(-1);
    end = (last?.byteOffset ?? 0) + (last?.length ?? 0);
  }
  const writer = new ByteWriter();
  for (let i = 0; i < SLAB_BYTES / MAX_COPY_BYTES; i++) writer.writeLatin1('a'.repeat(MAX_COPY_BYTES));
  assert.equal(writer.takeAll().length, 1);
});

test('writers share slabs, in turn and at once, and never each other’s bytes', () => {
  const writers = Array.from({ length: 50 }, () => ({ writer: new ByteWriter(), text: '' }));
  const taken: { text: string; pieces: Buffer[] }[] = [];
  for (let round = 0; round < 20; round += 1) {
    for (const [i, each] of writers.entries()) {
      each.writer.writeLatin1(`${round} of ${i}, `);
      each.writer.writeUtf8('ž');
      each.text += `${round} of ${i}, ž`;
      if ((i + round) % 3 > 0) continue;
      taken.push({ text: each.text, pieces: each.writer.takeAll() });
      each.text = '';
    }
  }
  for (const { text, pieces } of taken) assert.equal(Buffer.concat(pieces).toString(), text);
  const slabs = new Set(taken.flatMap(({ pieces }) => pieces.map(({ buffer }) => buffer)));
  assert.ok(slabs.size <= 2);
});
