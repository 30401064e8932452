// What holds for any input: requests parse back to themselves under any delivery, and no bytes make the receiver throw or
// depend on how they were cut.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { isForbiddenInTrailers } from '../../../src/protocol/http/connection-fields.ts';
import { chunkedRequest, comparable, deliver, receiveAll, requestWith } from './deliveries.ts';

const chars = (set: string): fc.Arbitrary<string> => fc.constantFrom(...set.split(''));
const TCHAR = "abcXYZ019!#$%&'*+-.^_`|~";
const method = fc
  .string({ unit: chars(TCHAR), minLength: 1, maxLength: 20 })
  .filter((name) => name !== 'CONNECT' && name !== 'PRI');
const path = fc
  .string({ unit: chars("abcXYZ019-._~!$&'()*+,;=:@/%[]{}|"), maxLength: 40 })
  .map((text) => `/${text}`);
const query = fc.option(fc.string({ unit: chars('abc019&=?/%+;'), maxLength: 30 }));
const ENGINE_FIELDS = /^(host|content-length|transfer-encoding|connection|expect|upgrade)$/i;
const name = fc
  .string({ unit: chars(TCHAR), minLength: 1, maxLength: 30 })
  .filter((text) => !ENGINE_FIELDS.test(text) && !isForbiddenInTrailers(text.toLowerCase()));
const value = fc
  .string({
    unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)),
    maxLength: 60,
  })
  .map((text) => text.replaceAll('\x7f', '\t').replace(/^[ \t]+|[ \t]+$/g, ''));
const fields = fc.array(fc.tuple(name, value), { maxLength: 12 });
const space = fc.constantFrom('', ' ', '\t', ' \t ');
const data = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array).toString('latin1'));
const chunk = fc.record({
  text: data,
  upper: fc.boolean(),
  zeros: fc.nat(4),
  extension: fc.constantFrom('', ';', ';a=b', '; "c\\""'),
});

type Chunk = typeof chunk extends fc.Arbitrary<infer T> ? T : never;

const body = fc.oneof(
  fc.constant({ kind: 'none' as const }),
  fc.record({ kind: fc.constant('length' as const), text: data }),
  fc.record({
    kind: fc.constant('chunked' as const),
    chunks: fc.array(chunk, { maxLength: 6 }),
    trailers: fields,
  }),
);
const request = fc.record({ method, path, query, fields, body, space, emptyLines: fc.nat(5) });

type Request = typeof request extends fc.Arbitrary<infer T> ? T : never;

function encodeChunk({ text, upper, zeros, extension }: Chunk): string {
  if (text === '') return '';
  const size = text.length.toString(16);
  return `${'0'.repeat(zeros)}${upper ? size.toUpperCase() : size}${extension}\r\n${text}\r\n`;
}

function encode(built: Request): string {
  const { body } = built;
  const lines = [['Host', 'a.example:80'], ...built.fields];
  if (body.kind === 'length') lines.push(['Content-Length', String(body.text.length)]);
  if (body.kind === 'chunked') lines.push(['transfer-encoding', 'Chunked']);
  const section = (fields: readonly (readonly string[])[]): string =>
    fields.map(([name, value]) => `${name}:${built.space}${value}${built.space}\r\n`).join('');
  const target = built.path + (built.query === null ? '' : `?${built.query}`);
  const head = `${'\r\n'.repeat(built.emptyLines)}${built.method} ${target} HTTP/1.1\r\n${section(lines)}\r\n`;
  if (body.kind === 'none') return head;
  if (body.kind === 'length') return head + body.text;
  return `${head}${body.chunks.map(encodeChunk).join('')}0\r\n${section(body.trailers)}\r\n`;
}

const lowerCase = (pairs: readonly (readonly [string, string])[]): string[] =>
  pairs.flatMap(([name, value]) => [name.toLowerCase(), value]);

function bodyText({ body }: Request): string {
  if (body.kind === 'none') return '';
  return body.kind === 'length' ? body.text : body.chunks.map(({ text }) => text).join('');
}

/** The pieces of a text that is cut at these places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [
    0,
    ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b),
    bytes.length,
  ];
  return sorted.slice(1).map((end, i) => bytes.subarray(sorted[i], end));
}

test('any requests parse back to themselves under any delivery', () => {
  fc.assert(
    fc.property(
      fc.array(request, { minLength: 1, maxLength: 4 }),
      fc.array(fc.nat(), { maxLength: 30 }),
      (built, places) => {
        const seen = deliver(cut(Buffer.from(built.map(encode).join(''), 'latin1'), places));
        assert.equal(seen.fault, null);
        assert.equal(seen.phase, 'idle');
        assert.equal(seen.requests.length, built.length);
        for (const [i, { head, body, trailers }] of seen.requests.entries()) {
          const expected = built[i] as Request;
          assert.deepEqual(
            [head.method, head.path, head.query],
            [expected.method, expected.path, expected.query],
          );
          assert.equal(head.authority, 'a.example:80');
          assert.deepEqual(head.fields.slice(2, 2 + 2 * expected.fields.length), lowerCase(expected.fields));
          assert.equal(body, bodyText(expected));
          assert.deepEqual(
            trailers,
            expected.body.kind === 'chunked' ? lowerCase(expected.body.trailers) : [],
          );
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('any bytes have one outcome, however they are delivered, and never throw', () => {
  const noise = fc.uint8Array({ maxLength: 120 }).map((array) => Buffer.from(array).toString('latin1'));
  const hostile = fc.string({ unit: chars('\r\n\0\t ;:,0aF/*?%"\x7f\xff'), maxLength: 30 });
  const input = fc.oneof(
    noise,
    hostile,
    hostile.map((text) => requestWith(text)),
    hostile.map((text) => chunkedRequest(text)),
    hostile.map((text) => chunkedRequest(`0\r\n${text}`)),
    fc.tuple(request, fc.nat(), hostile).map(([built, at, text]) => {
      const encoded = encode(built);
      const place = at % (encoded.length + 1);
      return encoded.slice(0, place) + text + encoded.slice(place);
    }),
  );
  fc.assert(
    fc.property(input, fc.array(fc.nat(), { maxLength: 8 }), (text, places) => {
      const bytes = Buffer.from(text, 'latin1');
      const whole = comparable(deliver([bytes]));
      assert.deepEqual(comparable(deliver(cut(bytes, places))), whole);
      assert.deepEqual(comparable(deliver(Array.from(bytes, (byte) => Buffer.of(byte)))), whole);
    }),
    { numRuns: 1500 },
  );
});

test('a request is refused or accepted alike under any limits that are small, however it is delivered', () => {
  const limit = fc.integer({ min: 0, max: 40 });
  const limits = fc.record(
    {
      maxEmptyLines: fc.nat(3),
      maxRequestLineBytes: limit,
      maxMethodBytes: limit,
      maxAuthorityBytes: limit,
      maxHeaderNameBytes: limit,
      maxHeaderValueBytes: limit,
      maxCookieValueBytes: limit,
      maxHeaders: fc.nat(5),
      maxHeadBytes: fc.nat(200),
      maxTrailerBytes: limit,
      maxChunkLineBytes: fc.nat(8),
      maxChunkExtensionBytes: fc.nat(8),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(request, limits, (built, limits) => {
      const text = encode(built);
      if (text.length < 400) receiveAll(text, limits);
      else
        assert.deepEqual(
          comparable(deliver(cut(Buffer.from(text, 'latin1'), [7, 133, 250]), limits)),
          comparable(deliver([Buffer.from(text, 'latin1')], limits)),
        );
    }),
    { numRuns: 150 },
  );
});
