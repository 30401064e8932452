// The frames between workers: what is read is what was written, however the socket cuts it, and what is no frame is an error.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { CallResult, PreparedStatement } from '../../src/database/call.ts';
import {
  abandonFrame,
  callFrame,
  FrameReader,
  helloFrame,
  leaveFrame,
  leftFrame,
  resultFrame,
  stateFrame,
  statementFrame,
  type SiblingCall,
  type SiblingFrame,
} from '../../src/fleet/sibling-frames.ts';

/** As JSON.parse makes objects. */
const PLAIN = { noNullPrototype: true } as const;

const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const text = fc.string({ unit: 'grapheme', maxLength: 100 });

const statements: fc.Arbitrary<PreparedStatement> = fc.record(
  {
    name: text,
    text,
    parameterTypes: fc.array(uint32, { maxLength: 4 }),
    resultFormat: fc.constantFrom(0 as const, 1 as const),
    commits: fc.boolean(),
  },
  { ...PLAIN, requiredKeys: ['name', 'text', 'parameterTypes', 'resultFormat'] },
);

const calls: fc.Arbitrary<SiblingCall> = fc.record(
  {
    id: uint32,
    statement: uint32,
    followUp: fc.option(uint32),
    parameters: fc.array(fc.oneof(text, bytes, fc.constant(null)), { maxLength: 5 }),
    epoch: fc.option(fc.bigInt({ min: 0n, max: 2n ** 63n }).map(String)),
    resetAfter: fc.boolean(),
    interruptible: fc.boolean(),
    repeatable: fc.boolean(),
  },
  PLAIN,
);

const results: fc.Arbitrary<CallResult | { readonly kind: 'busy' }> = fc.oneof(
  fc.record(
    { kind: fc.constant('row' as const), columns: fc.array(fc.option(bytes), { maxLength: 5 }) },
    PLAIN,
  ),
  fc.constantFrom(
    { kind: 'no-row' } as const,
    { kind: 'stale' } as const,
    { kind: 'timeout' } as const,
    { kind: 'abandoned' } as const,
    { kind: 'busy' } as const,
  ),
  fc.record({ kind: fc.constantFrom('lost' as const, 'unavailable' as const), reason: text }, PLAIN),
  fc.record(
    {
      kind: fc.constant('failed' as const),
      error: fc.record({ severity: text, code: text, message: text, position: uint32 }, PLAIN),
    },
    PLAIN,
  ),
);

/** A frame, and the bytes that it is written as. */
type Written = readonly [SiblingFrame, Buffer];

const frames: fc.Arbitrary<Written> = fc.oneof(
  uint32.map((number): Written => [{ kind: 'hello', number }, helloFrame(number)]),
  fc
    .record({ sessions: uint32, connections: uint32, taken: uint32 }, PLAIN)
    .map((state): Written => [{ kind: 'state', ...state }, stateFrame(state)]),
  fc
    .tuple(uint32, statements)
    .map(([index, statement]): Written => [
      { kind: 'statement', index, statement },
      statementFrame(index, statement),
    ]),
  calls.map((call): Written => [{ kind: 'call', call }, Buffer.concat(callFrame(call))]),
  uint32.map((id): Written => [{ kind: 'abandon', id }, abandonFrame(id)]),
  fc.constant<Written>([{ kind: 'leave' }, leaveFrame()]),
  fc.constant<Written>([{ kind: 'left' }, leftFrame()]),
  fc
    .tuple(uint32, results)
    .map(([id, result]): Written => [{ kind: 'result', id, result }, resultFrame(id, result)]),
);

/** What the reader makes of the bytes, cut at the places. */
function read(all: Buffer, cuts: readonly number[]): SiblingFrame[] {
  const seen: SiblingFrame[] = [];
  // Frames hold views, which are valid for as long as they are given only.
  const reader = new FrameReader((frame) => seen.push(structuredCopy(frame)));
  let from = 0;
  for (const at of [...cuts.map((cut) => cut % (all.length + 1)).sort((a, b) => a - b), all.length]) {
    if (at > from) reader.read(Buffer.from(all.subarray(from, at)));
    from = at;
  }
  return seen;
}

function structuredCopy(frame: SiblingFrame): SiblingFrame {
  if (frame.kind !== 'result' || frame.result.kind !== 'row') return frame;
  const columns = frame.result.columns.map((column) => (column === null ? null : Buffer.from(column)));
  return { ...frame, result: { kind: 'row', columns } };
}

test('frames are read as they were written, wherever the socket cuts them', () => {
  fc.assert(
    fc.property(
      fc.array(frames, { minLength: 1, maxLength: 8 }),
      fc.array(fc.nat(), { maxLength: 12 }),
      (written, cuts) => {
        const all = Buffer.concat(written.map(([, wire]) => wire));
        assert.deepEqual(
          read(all, cuts),
          written.map(([frame]) => frame),
        );
      },
    ),
  );
});

test('frames are read one byte at a time as well', () => {
  fc.assert(
    fc.property(frames, ([frame, wire]) => {
      assert.deepEqual(
        read(
          wire,
          Array.from(wire, (_, at) => at),
        ),
        [frame],
      );
    }),
    { numRuns: 40 },
  );
});

test('a call costs 13 bytes and its epoch beside the statement and the parameters', () => {
  const call: SiblingCall = {
    id: 1,
    statement: 2,
    followUp: null,
    parameters: [],
    epoch: null,
    resetAfter: false,
    interruptible: false,
    repeatable: false,
  };
  const head = 4 + 1;
  const lengths = 4 + 2;
  assert.equal(Buffer.concat(callFrame(call)).length, head + 13 + lengths);
  const parameter = 1 + 4;
  assert.equal(
    Buffer.concat(callFrame({ ...call, parameters: ['abc'], epoch: '7' })).length,
    head + 13 + lengths + 1 + parameter + 3,
  );
});

test('what is read is not kept: the buffer may be another one afterwards', () => {
  const seen: SiblingFrame[] = [];
  const reader = new FrameReader((frame) => seen.push(structuredCopy(frame)));
  const wire = Buffer.concat([helloFrame(7), abandonFrame(258)]);
  const shared = Buffer.alloc(wire.length);
  for (let at = 0; at < wire.length; at += 4) {
    const length = wire.copy(shared, 0, at, at + 4);
    reader.read(shared.subarray(0, length));
    shared.fill(0xff);
  }
  assert.deepEqual(seen, [
    { kind: 'hello', number: 7 },
    { kind: 'abandon', id: 258 },
  ]);
});

test('a call is one piece to write, and several only where a parameter is large', () => {
  const call: SiblingCall = {
    id: 1,
    statement: 2,
    followUp: null,
    parameters: ['small', Buffer.alloc(100)],
    epoch: '7',
    resetAfter: false,
    interruptible: false,
    repeatable: false,
  };
  assert.equal(callFrame(call).length, 1);
  const large = Buffer.alloc(100_000);
  assert.ok(callFrame({ ...call, parameters: [large] }).includes(large));
});

test('a length of nothing, one that nobody sends, and an unknown type are errors', () => {
  const reader = (): FrameReader => new FrameReader(() => assert.fail('no frame was sent'));
  assert.throws(() => reader().read(Buffer.from([0, 0, 0, 0])), /a frame of 0 bytes/);
  assert.throws(() => reader().read(Buffer.from([0xff, 0, 0, 0])), /a frame of 4278190080 bytes/);
  assert.throws(() => reader().read(Buffer.from([0, 0, 0, 5, 99, 0, 0, 0, 0])), /a frame of type 99/);
});

test('any bytes at all are frames or an error', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 8 }), fc.uint8Array({ maxLength: 200 }), (type, body) => {
      const reader = new FrameReader(() => undefined);
      try {
        reader.read(Buffer.from([0, 0, 0, body.length + 1, type, ...body]));
      } catch (error) {
        assert.ok(error instanceof Error);
      }
    }),
  );
});
