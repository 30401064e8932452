// The encoding of requests, read back by a decoder of its own. That PostgreSQL reads it the same way is in chain.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { encodeRequest, type RequestValue } from '../../src/catalog/request-value.ts';

const TYPES = { httpRequest: 100, httpMethod: 101, httpHeader: 102, httpHeaders: 103 };

class Reader {
  readonly bytes: Buffer;
  at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  int32(): number {
    this.at += 4;
    return this.bytes.readInt32BE(this.at - 4);
  }

  data(): Buffer | null {
    const length = this.int32();
    if (length === -1) return null;
    assert.ok(length >= 0 && this.at + length <= this.bytes.length, `length ${length} at ${this.at}`);
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  column(oid: number): Buffer | null {
    assert.equal(this.int32(), oid);
    return this.data();
  }

  end(): void {
    assert.equal(this.at, this.bytes.length);
  }
}

function decode(bytes: Buffer): unknown {
  const record = new Reader(bytes);
  assert.equal(record.int32(), 5);
  const method = record.column(TYPES.httpMethod)?.toString();
  const path = record.column(25)?.toString();
  const query = record.column(25)?.toString() ?? null;
  const body = record.column(17)?.toString('hex');
  const array = new Reader(record.column(TYPES.httpHeaders) ?? Buffer.alloc(0));
  record.end();
  assert.deepEqual([array.int32(), array.int32(), array.int32()], [1, 0, TYPES.httpHeader]);
  const count = array.int32();
  assert.equal(array.int32(), 1);
  const headers: unknown[] = [];
  for (let i = 0; i < count; i++) {
    const header = new Reader(array.data() ?? Buffer.alloc(0));
    assert.equal(header.int32(), 2);
    headers.push([header.column(25)?.toString(), header.column(25)?.toString()]);
    header.end();
  }
  array.end();
  return { method, path, query, body, headers };
}

function value(more: Partial<RequestValue>): RequestValue {
  return {
    method: 'GET',
    path: '/',
    query: null,
    body: Buffer.alloc(0),
    peer: '127.0.0.1',
    fields: [],
    authority: '',
    ...more,
  };
}

const latin1 = fc.string({
  unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)),
  maxLength: 120,
});
const name = fc.stringMatching(/^x-[a-z0-9]{1,60}$/);

test('whatever the parts are, what is encoded is what was given', () => {
  fc.assert(
    fc.property(
      fc.record({
        path: fc.string({ unit: 'binary', maxLength: 80 }).filter((path) => path.isWellFormed()),
        query: fc.option(latin1, { nil: null }),
        body: fc.uint8Array({ maxLength: 200 }),
        fields: fc.array(fc.tuple(name, latin1), { maxLength: 12 }),
        peer: fc.constantFrom('127.0.0.1', 'fe80::1%eth0', 'Unknown'),
        authority: fc.constantFrom('', 'h', 'example.com:8080'),
      }),
      ({ path, query, body, fields, peer, authority }) => {
        const bytes = encodeRequest(
          TYPES,
          value({ path, query, body: Buffer.from(body), fields: fields.flat(), peer, authority }),
        );
        assert.deepEqual(decode(bytes), {
          method: 'GET',
          path,
          query,
          body: Buffer.from(body).toString('hex'),
          headers: [
            ['omnigres-connecting-ip', peer],
            ...fields,
            ...(authority === '' ? [] : [['host', authority]]),
          ],
        });
      },
    ),
    { numRuns: 2000 },
  );
});

function headerNames(fields: readonly string[], authority = ''): unknown {
  const { headers } = decode(encodeRequest(TYPES, value({ fields, authority }))) as { headers: string[][] };
  return headers.map(([name]) => name).slice(1);
}

test('fields of the connection are left out, and those that it names (RFC 9110 §7.6.1)', () => {
  const fields = [
    'connection',
    'close, X-Own , keep-alive',
    'x-own',
    '1',
    'te',
    'trailers',
    'upgrade',
    'h2c',
  ];
  assert.deepEqual(headerNames([...fields, 'expect', '100-continue', 'x-kept', '1', 'keep-alive', '5']), [
    'x-kept',
  ]);
});

test('connection cannot take away the host and the length of the body', () => {
  const fields = ['connection', 'host, content-length', 'host', 'h', 'content-length', '1'];
  assert.deepEqual(headerNames(fields), ['host', 'content-length']);
});

test('the authority is a host where there is none (HTTP/2), and only there', () => {
  assert.deepEqual(headerNames(['accept', '*/*'], 'example.com'), ['accept', 'host']);
  assert.deepEqual(headerNames(['host', 'a', 'accept', '*/*'], 'b'), ['host', 'accept']);
});
