// Cutting a byte stream into messages, in every division.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  MAX_MESSAGE_BYTES,
  MessageSplitter,
  type ProtocolViolation,
} from '../../../src/protocol/postgres/message-splitter.ts';

type Seen = [type: number, body: string];

function message(type: number, body: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header[0] = type;
  header.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([header, body]);
}

/** Feeds the bytes in pieces of `step` (0: at once), in a buffer that is overwritten after each. */
function split(
  bytes: Buffer,
  step: number,
  limit = MAX_MESSAGE_BYTES,
  skips: ((type: number) => boolean) | null = null,
): { seen: Seen[]; violation: ProtocolViolation | null; splitter: MessageSplitter } {
  const seen: Seen[] = [];
  const splitter = new MessageSplitter(
    { message: (type, view, start, end) => seen.push([type, view.toString('latin1', start, end)]) },
    limit,
    skips,
  );
  let violation: ProtocolViolation | null = null;
  const size = step === 0 ? bytes.length : step;
  for (let at = 0; at < bytes.length && violation === null; at += size) {
    const piece = Buffer.from(bytes.subarray(at, at + size));
    violation = splitter.receive(piece);
    piece.fill(0xee);
  }
  return { seen, violation, splitter };
}

describe('the message splitter', () => {
  it('gives the same messages however the bytes are divided', () => {
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 20 }),
      fc.uint8Array({ minLength: 100, maxLength: 300 }),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(255), body), { maxLength: 8 }),
        fc.integer({ min: 1, max: 50 }),
        (messages, step) => {
          const bytes = Buffer.concat(messages.map(([type, data]) => message(type, Buffer.from(data))));
          const expected = messages.map(([type, data]) => [type, Buffer.from(data).toString('latin1')]);
          for (const division of [0, 1, step]) {
            const { seen, violation, splitter } = split(bytes, division);
            assert.deepEqual(seen, expected);
            assert.equal(violation, null);
            assert.ok(splitter.atBoundary);
          }
        },
      ),
    );
  });

  it('knows that it is inside of a message', () => {
    const bytes = message(0x44, Buffer.from('abc'));
    for (let cut = 1; cut < bytes.length; cut += 1) {
      assert.equal(split(bytes.subarray(0, cut), 0).splitter.atBoundary, false);
    }
    assert.equal(split(bytes, 0).splitter.atBoundary, true);
  });

  it('takes a body that comes in pieces beyond the length it believes at once', () => {
    const body = Buffer.alloc(3 * 1024 * 1024 + 17, 'x');
    const { seen } = split(message(0x64, body), 65_536);
    assert.equal(seen.length, 1);
    assert.equal(seen[0]?.[1], body.toString('latin1'));
  });

  it('passes over messages that are not wanted, whole or in pieces', () => {
    const bytes = Buffer.concat([
      message(0x44, Buffer.from('skipped')),
      message(0x5a, Buffer.from('I')),
      message(0x44, Buffer.alloc(0)),
      message(0x43, Buffer.from('x')),
    ]);
    for (const step of [0, 1, 3]) {
      const { seen } = split(bytes, step, MAX_MESSAGE_BYTES, (type) => type === 0x44);
      assert.deepEqual(seen, [
        [0x5a, 'I'],
        [0x43, 'x'],
      ]);
    }
  });

  for (const [what, length, limit] of [
    ['a length below that of the length itself', 3, 100],
    ['a negative length', -1, 100],
    ['a length over the limit', 105, 100],
  ] as const) {
    it(`refuses ${what}, and everything after it`, () => {
      const header = Buffer.alloc(5, 0x51);
      header.writeInt32BE(length, 1);
      const good = message(0x5a, Buffer.from('I'));
      for (const step of [0, 1, 5]) {
        const { seen, violation, splitter } = split(Buffer.concat([good, header]), step, limit);
        assert.deepEqual(seen, [[0x5a, 'I']]);
        assert.equal(violation?.kind, 'protocol-violation');
        assert.match(violation.reason, /0x51/);
        assert.equal(splitter.receive(good), violation);
      }
    });
  }

  it('takes a message of exactly the limit', () => {
    for (const step of [0, 1]) assert.equal(split(message(1, Buffer.alloc(100)), step, 100).seen.length, 1);
  });
});
