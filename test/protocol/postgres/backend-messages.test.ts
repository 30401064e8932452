// What a server's messages mean, and how a server of our own writes them.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  isViolation,
  parseCommandTag,
  parseDataRow,
  parseErrorFields,
  parseNotification,
  parseRowDescription,
  writeAuthenticationOk,
  writeBackendKeyData,
  writeErrorResponse,
  writeNegotiateProtocolVersion,
  writeNotification,
  writeParameterStatus,
  writeReadyForQuery,
} from '../../../src/protocol/postgres/backend-messages.ts';
import { MessageWriter } from '../../../src/protocol/postgres/message-writer.ts';

/** The body of the only message that `write` writes. */
function body(write: (writer: MessageWriter) => void): Buffer {
  const writer = new MessageWriter();
  write(writer);
  const bytes = Buffer.from(writer.take());
  assert.equal(bytes.readInt32BE(1), bytes.length - 1);
  return bytes.subarray(5);
}

/** Parses in the middle of other bytes, as bodies lie in what was received. */
function within<T>(parse: (bytes: Buffer, start: number, end: number) => T, bytes: Buffer): T {
  const padded = Buffer.concat([Buffer.alloc(3, 0xaa), bytes, Buffer.alloc(9, 0x41)]);
  return parse(padded, 3, 3 + bytes.length);
}

function dataRow(values: readonly (Buffer | null)[]): Buffer {
  return body((writer) => {
    writer.begin(0x44);
    writer.int16(values.length);
    for (const value of values) writer.value(value);
    writer.end();
  });
}

describe('DataRow', () => {
  it('gives back its columns', () => {
    const column = fc.option(fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)));
    fc.assert(
      fc.property(fc.array(column, { maxLength: 12 }), (columns) => {
        assert.deepEqual(within(parseDataRow, dataRow(columns)), columns);
      }),
    );
  });

  it('is a violation where it ends early or a length is none', () => {
    const row = dataRow([Buffer.from('abc'), null]);
    for (let cut = 0; cut < row.length; cut += 1) {
      assert.ok(isViolation(within(parseDataRow, row.subarray(0, cut))), `cut at ${cut}`);
    }
    row.writeInt32BE(-2, 2);
    assert.ok(isViolation(within(parseDataRow, row)));
  });
});

describe('RowDescription', () => {
  const description = body((writer) => {
    writer.begin(0x54);
    writer.int16(2);
    for (const [name, type, format] of [
      ['ä', 23, 0],
      ['', 4_000_000_000, 1],
    ] as const) {
      writer.cstring(name);
      writer.int32(7);
      writer.int16(1);
      writer.int32(type);
      writer.int16(4);
      writer.int32(-1);
      writer.int16(format);
    }
    writer.end();
  });

  it('names the columns, their types and formats', () => {
    assert.deepEqual(within(parseRowDescription, description), [
      { name: 'ä', typeOid: 23, format: 0 },
      { name: '', typeOid: 4_000_000_000, format: 1 },
    ]);
  });

  it('is a violation where it ends early', () => {
    for (let cut = 0; cut < description.length; cut += 1) {
      assert.ok(isViolation(within(parseRowDescription, description.subarray(0, cut))), `cut at ${cut}`);
    }
  });
});

describe('ErrorResponse', () => {
  it('gives all fields, the severity untranslated', () => {
    const fields = [
      'SFEHLER',
      'VERROR',
      'C23505',
      'Mduplicate',
      'Dd',
      'Hh',
      'Ww',
      'P17',
      'spublic',
      'tt',
      'cc',
      'nn',
      'Zunknown',
    ];
    const bytes = Buffer.from(`${fields.join('\0')}\0\0`);
    const expected = {
      severity: 'ERROR',
      code: '23505',
      message: 'duplicate',
      detail: 'd',
      hint: 'h',
      where: 'w',
      position: 17,
      schema: 'public',
      table: 't',
      column: 'c',
      constraint: 'n',
    };
    assert.deepEqual(within(parseErrorFields, bytes), expected);
    const swapped = Buffer.from(`VERROR\0SFEHLER\0C23505\0Mx\0\0`);
    assert.equal(within(parseErrorFields, swapped).severity, 'ERROR');
    assert.equal(within(parseErrorFields, Buffer.from('SFATAL\0\0')).severity, 'FATAL');
  });

  it('that is cut off, or empty, still gives an error', () => {
    for (const bytes of ['', 'SERROR\0C2350', 'S', 'M']) {
      const error = within(parseErrorFields, Buffer.from(bytes));
      assert.equal(error.code, bytes.includes('C') ? '' : 'XX000');
    }
  });

  it('of our own is read as it was written', () => {
    const error = { severity: 'FATAL', code: '53300', message: 'too many', hint: 'wait' } as const;
    assert.deepEqual(
      within(
        parseErrorFields,
        body((writer) => writeErrorResponse(writer, error)),
      ),
      error,
    );
    const plain = { severity: 'ERROR', code: 'XX000', message: 'no' } as const;
    assert.deepEqual(
      within(
        parseErrorFields,
        body((writer) => writeErrorResponse(writer, plain)),
      ),
      plain,
    );
  });
});

describe('smaller messages of a server', () => {
  it('are read as they were written', () => {
    const notification = { processId: 5, channel: 'c', payload: 'ü' };
    assert.deepEqual(
      within(
        parseNotification,
        body((w) => writeNotification(w, notification)),
      ),
      notification,
    );
    assert.equal(body((w) => writeParameterStatus(w, 'TimeZone', 'UTC')).toString(), 'TimeZone\0UTC\0');
    assert.equal(within(parseCommandTag, Buffer.from('INSERT 0 1\0')), 'INSERT 0 1');
  });

  it('are violations where they are cut off', () => {
    assert.ok(isViolation(within(parseNotification, Buffer.from('\0\0\0\x01c\0p'))));
    assert.equal(within(parseCommandTag, Buffer.from('INSERT')), '');
  });

  it('have the bytes that the documentation gives', () => {
    const hex = (write: (writer: MessageWriter) => void): string => body(write).toString('hex');
    assert.equal(hex(writeAuthenticationOk), '00000000');
    assert.equal(
      hex((writer) => writeBackendKeyData(writer, 1, 0x7fffffff)),
      '000000017fffffff',
    );
    assert.equal(
      hex((writer) => writeReadyForQuery(writer, 'idle')),
      '49',
    );
    assert.equal(
      hex((writer) => writeReadyForQuery(writer, 'open')),
      '54',
    );
    assert.equal(
      hex((writer) => writeReadyForQuery(writer, 'failed')),
      '45',
    );
    assert.equal(
      hex((writer) => writeNegotiateProtocolVersion(writer, ['_pq_.x'])),
      '00030000000000015f70715f2e7800',
    );
  });
});
