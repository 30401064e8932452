// What a server reads from a client, from the first byte on.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ClientStream, MAX_STARTUP_BYTES } from '../../../src/protocol/postgres/client-stream.ts';
import {
  writeCancelRequest,
  writeQuery,
  writeStartup,
  writeSync,
} from '../../../src/protocol/postgres/frontend-messages.ts';
import { MessageWriter } from '../../../src/protocol/postgres/message-writer.ts';

function bytesOf(write: (writer: MessageWriter) => void): Buffer {
  const writer = new MessageWriter();
  write(writer);
  return Buffer.from(writer.take());
}

/** What a stream says of the bytes, fed in pieces of `step` (0: each buffer at once). */
function read(buffers: readonly Buffer[], step: number): string[] {
  const said: string[] = [];
  const stream = new ClientStream(
    {
      encryptionRequested: (kind) => said.push(kind),
      cancelRequested: (processId, key) => said.push(`cancel ${processId} ${key.toString('hex')}`),
      started: (parameters, minor, unknown) =>
        said.push(`started ${JSON.stringify([...parameters])} ${minor} ${unknown.join()}`),
      message: (type, bytes, start, end) =>
        said.push(`${String.fromCharCode(type)} ${bytes.toString('latin1', start, end)}`),
    },
    1000,
  );
  for (const buffer of buffers) {
    const size = step === 0 ? buffer.length : step;
    for (let at = 0; at < buffer.length; at += size) {
      const violation = stream.receive(buffer.subarray(at, at + size));
      if (violation === null) continue;
      said.push(`violation: ${violation.reason}`);
      assert.equal(stream.receive(Buffer.alloc(100)), violation);
      return said;
    }
  }
  return said;
}

const SSL = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);
const GSS = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30]);
const STARTUP = bytesOf((writer) => writeStartup(writer, { user: 'me', TimeZone: 'UTC' }));
const STARTED = 'started [["user","me"],["TimeZone","UTC"]] 0 ';
const MESSAGES = bytesOf((writer) => {
  writeQuery(writer, 'x');
  writeSync(writer);
});

function packet(...parts: (number | string)[]): Buffer {
  const body = Buffer.concat(
    parts.map((part) => {
      if (typeof part === 'string') return Buffer.from(part, 'latin1');
      const number = Buffer.alloc(4);
      number.writeInt32BE(part);
      return number;
    }),
  );
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([length, body]);
}

describe('the stream of a client', () => {
  for (const step of [0, 1, 3]) {
    const how = step === 0 ? 'at once' : `in pieces of ${step}`;

    it(`starts, and gives messages, ${how}`, () => {
      assert.deepEqual(read([STARTUP, MESSAGES], step), [STARTED, 'Q x\0', 'S ']);
      assert.deepEqual(read([Buffer.concat([STARTUP, MESSAGES])], step), [STARTED, 'Q x\0', 'S ']);
    });

    it(`asks for encryption first, once each, ${how}`, () => {
      assert.deepEqual(read([GSS, SSL, STARTUP], step), ['gss', 'ssl', STARTED]);
      assert.deepEqual(read([SSL, SSL], step), ['ssl', 'violation: unexpected bytes with a ssl request']);
    });

    it(`may ask for a cancellation and nothing else, ${how}`, () => {
      const cancel = bytesOf((writer) => writeCancelRequest(writer, 7, Buffer.from([0, 0, 0, 9])));
      assert.deepEqual(read([cancel], step), [
        'cancel 7 00000009',
        'violation: nothing may follow a cancel request',
      ]);
      assert.deepEqual(read([packet(80_877_102)], step), ['violation: nothing may follow a cancel request']);
    });

    it(`tells a newer minor version and unknown options, ${how}`, () => {
      assert.deepEqual(read([packet(196_610, '_pq_.new\0on\0user\0me\0\0')], step), [
        'started [["user","me"]] 2 _pq_.new',
      ]);
    });

    it(`is refused where its startup is malformed, ${how}`, () => {
      const long = Buffer.alloc(8);
      long.writeInt32BE(MAX_STARTUP_BYTES + 1);
      const cases: [Buffer, RegExp][] = [
        [packet(131_072), /protocol 2\.0/],
        [packet(196_608, 'user\0me'), /malformed/],
        [packet(196_608, 'user\0me\0\0x'), /malformed/],
        [Buffer.from([0, 0, 0, 7, 0, 0, 0, 0]), /of 7 bytes/],
        [long, /of 10001 bytes/],
      ];
      for (const [bytes, reason] of cases) assert.match(read([bytes], step).join(), reason);
    });

    it(`is refused where a message is malformed, ${how}`, () => {
      const said = read([STARTUP, Buffer.from('Q\0\0\0\x03')], step);
      assert.equal(said[0], STARTED);
      assert.match(said[1] ?? '', /violation: .*length 3/);
    });
  }

  it('takes nothing that was sent together with a request for encryption (CVE-2021-23214)', () => {
    assert.deepEqual(read([Buffer.concat([SSL, STARTUP])], 0), [
      'violation: unexpected bytes with a ssl request',
    ]);
  });
});
