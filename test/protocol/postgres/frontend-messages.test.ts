// What a client's messages look like on the wire, and how they are given other names.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as frontend from '../../../src/protocol/postgres/frontend-messages.ts';
import { isViolation } from '../../../src/protocol/postgres/backend-messages.ts';
import { MessageSplitter } from '../../../src/protocol/postgres/message-splitter.ts';
import { MessageWriter } from '../../../src/protocol/postgres/message-writer.ts';
import { rewriteNames, type NamedUse } from '../../../src/protocol/postgres/name-rewriting.ts';

function written(write: (writer: MessageWriter) => void): string {
  const writer = new MessageWriter(4);
  write(writer);
  return writer.take().toString('latin1');
}

describe('messages of a client', () => {
  const cases: readonly [name: string, (writer: MessageWriter) => void, bytes: string][] = [
    ['Startup', (w) => frontend.writeStartup(w, { user: 'me' }), '\0\0\0\x11\0\x03\0\0user\0me\0\0'],
    [
      'CancelRequest',
      (w) => frontend.writeCancelRequest(w, 1, Buffer.from([0, 0, 0, 2])),
      '\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\x01\0\0\0\x02',
    ],
    ['Query', (w) => frontend.writeQuery(w, 'ä'), 'Q\0\0\0\x07\xc3\xa4\0'],
    [
      'Parse',
      (w) => frontend.writeParse(w, 's', 'q', [23, 4_000_000_000]),
      'P\0\0\0\x12s\0q\0\0\x02\0\0\0\x17\xee\x6b\x28\0',
    ],
    [
      'Bind, text only',
      (w) => frontend.writeBind(w, '', 's', ['a', null], 0),
      'B\0\0\0\x18\0s\0\0\0\0\x02\0\0\0\x01a\xff\xff\xff\xff\0\x01\0\0',
    ],
    [
      'Bind, with binary',
      (w) => frontend.writeBind(w, 'p', '', [null, Buffer.from([0]), 'é'], 1),
      'B\0\0\0\x24p\0\0\0\x03\0\0\0\x01\0\0\0\x03\xff\xff\xff\xff\0\0\0\x01\0\0\0\0\x02\xc3\xa9\0\x01\0\x01',
    ],
    ['Describe', (w) => frontend.writeDescribe(w, 'statement', 's'), 'D\0\0\0\x07Ss\0'],
    ['Execute', (w) => frontend.writeExecute(w, 'p', 2), 'E\0\0\0\x0ap\0\0\0\0\x02'],
    ['Close', (w) => frontend.writeClose(w, 'portal', ''), 'C\0\0\0\x06P\0'],
    ['Sync', frontend.writeSync, 'S\0\0\0\x04'],
    ['Flush', frontend.writeFlush, 'H\0\0\0\x04'],
    ['CopyData', (w) => frontend.writeCopyData(w, Buffer.from('1')), 'd\0\0\0\x051'],
    ['CopyFail', (w) => frontend.writeCopyFail(w, 'no'), 'f\0\0\0\x07no\0'],
    ['Terminate', frontend.writeTerminate, 'X\0\0\0\x04'],
  ];
  for (const [name, write, bytes] of cases) {
    it(`${name} has the bytes that the documentation gives`, () => assert.equal(written(write), bytes));
  }

  it('are written one behind the other, and taken together', () => {
    const writer = new MessageWriter(4);
    for (const [, write] of cases) write(writer);
    assert.equal(writer.take().toString('latin1'), cases.map(([, , bytes]) => bytes).join(''));
    assert.equal(writer.length, 0);
    writer.bytes(Buffer.alloc(300_000, 'x'));
    assert.equal(writer.take().length, 300_000);
    frontend.writeSync(writer);
    const before = writer.length;
    frontend.writeFlush(writer);
    assert.equal(writer.writtenSince(before).toString('latin1'), 'H\0\0\0\x04');
  });

  it('cannot carry a zero byte in a text, where it would end the text early', () => {
    assert.throws(() => written((writer) => frontend.writeQuery(writer, 'select 1\0')), TypeError);
  });
});

describe('rewriting names', () => {
  function rewritten(write: (writer: MessageWriter) => void): {
    bytes: string;
    use: ReturnType<typeof rewriteNames>;
  } {
    const original = new MessageWriter();
    write(original);
    const writer = new MessageWriter();
    let use: ReturnType<typeof rewriteNames> = null;
    new MessageSplitter({
      message(type, bytes, start, end) {
        use = rewriteNames(writer, type, bytes, start, end, 'c1:');
      },
    }).receive(original.take());
    return { bytes: writer.take().toString('latin1'), use };
  }

  const cases: readonly [string, (w: MessageWriter) => void, (w: MessageWriter) => void, NamedUse | null][] =
    [
      [
        'Parse',
        (w) => frontend.writeParse(w, 's', 'q', [1]),
        (w) => frontend.writeParse(w, 'c1:s', 'q', [1]),
        { action: 'makes', statement: 's', text: 'q' },
      ],
      [
        'Bind',
        (w) => frontend.writeBind(w, 'p', 's', ['x'], 1),
        (w) => frontend.writeBind(w, 'c1:p', 'c1:s', ['x'], 1),
        { action: 'uses', statement: 's' },
      ],
      [
        'Bind, unnamed',
        (w) => frontend.writeBind(w, '', '', [], 0),
        (w) => frontend.writeBind(w, '', '', [], 0),
        { action: 'uses', statement: '' },
      ],
      [
        'Describe of a statement',
        (w) => frontend.writeDescribe(w, 'statement', 's'),
        (w) => frontend.writeDescribe(w, 'statement', 'c1:s'),
        { action: 'uses', statement: 's' },
      ],
      [
        'Describe of a portal',
        (w) => frontend.writeDescribe(w, 'portal', 'p'),
        (w) => frontend.writeDescribe(w, 'portal', 'c1:p'),
        null,
      ],
      [
        'Close of a statement',
        (w) => frontend.writeClose(w, 'statement', 's'),
        (w) => frontend.writeClose(w, 'statement', 'c1:s'),
        { action: 'drops', statement: 's' },
      ],
      ['Execute', (w) => frontend.writeExecute(w, 'p', 9), (w) => frontend.writeExecute(w, 'c1:p', 9), null],
      ['Query', (w) => frontend.writeQuery(w, 'select 1'), (w) => frontend.writeQuery(w, 'select 1'), null],
      [
        'CopyData',
        (w) => frontend.writeCopyData(w, Buffer.from('\0x')),
        (w) => frontend.writeCopyData(w, Buffer.from('\0x')),
        null,
      ],
    ];
  for (const [name, from, to, use] of cases) {
    it(`of ${name} changes the names and nothing else`, () => {
      assert.deepEqual(rewritten(from), { bytes: written(to), use });
    });
  }

  it('of a message that ends early is a violation', () => {
    for (const [type, body] of [
      ['P', 's'],
      ['P', 's\0q'],
      ['B', 'p\0s'],
      ['D', 'S'],
      ['C', 'Px'],
      ['E', 'p'],
    ] as const) {
      const { use } = rewritten((writer) => {
        writer.begin(type.charCodeAt(0));
        writer.bytes(Buffer.from(body));
        writer.end();
      });
      assert.ok(use !== null && isViolation(use), type + body);
    }
  });
});
