// HPACK against an implementation that shares no code with ours or with nghttp2's: random header lists through python3-hpack,
// both ways, with tables that change their size on the way (RFC 7541).
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import { HpackDecoder } from '../../../src/protocol/http2/hpack/decoder.ts';
import { HpackEncoder } from '../../../src/protocol/http2/hpack/encoder.ts';

const SCRIPT = fileURLToPath(new URL('python-hpack.py', import.meta.url));
const BLOCKS = 300;

const NAME = fc.oneof(
  fc.constantFrom('accept', 'user-agent', 'cache-control', 'x-a', 'x-b', 'etag', 'location', 'set-cookie'),
  fc.stringMatching(/^x-[a-z0-9_.-]{1,12}$/),
);
/** Any octets that a value may have, and some that come again. */
const VALUE = fc.oneof(
  fc.constantFrom('', 'a', 'gzip, deflate', 'no-cache', 'v'.repeat(2000)),
  fc
    .array(fc.oneof(fc.integer({ min: 0x21, max: 0x7e }), fc.integer({ min: 0x80, max: 0xff })), {
      maxLength: 60,
    })
    .map((codes) => String.fromCharCode(...codes)),
);
const FIELDS = fc.array(fc.tuple(NAME, VALUE, fc.boolean()), { maxLength: 12 });
/** Sizes that the table is given before a block; mostly none. */
const TABLE_SIZE = fc.oneof(
  { weight: 8, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.constantFrom(0, 64, 300, 1000, 4096) },
);
const STEP = fc.record({ fields: FIELDS, tableSize: TABLE_SIZE, huffman: fc.boolean() });

function decoded(decoder: HpackDecoder, block: Buffer): string[][] {
  const lines: string[][] = [];
  const sink = { addField: (name: string, value: string) => void lines.push([name, value]) };
  assert.equal(decoder.decode(block, 0, block.length, sink), null);
  return lines;
}

test('random header lists survive python3-hpack, both ways, with tables of changing size (RFC 7541)', () => {
  const theirs = fc.sample(STEP, BLOCKS);
  const ours = fc.sample(STEP, BLOCKS);
  const encoder = new HpackEncoder(4096);
  const target = Buffer.alloc(65_536);
  const encode = ({ fields, tableSize }: (typeof ours)[number]): string => {
    if (tableSize !== null) encoder.setMaxTableSize(tableSize);
    const lines = fields.flatMap(([name, value]) => [name, value]);
    return target.toString('hex', 0, encoder.encode(target, 0, '', lines, -1, '', ''));
  };
  const input = JSON.stringify({ encode: theirs, decode: ours.map(encode) });
  const output = execFileSync('/usr/bin/python3', [SCRIPT], { input, encoding: 'utf8', maxBuffer: 1e8 });
  const { blocks, lists } = JSON.parse(output) as { blocks: string[]; lists: string[][][] };

  const pairs = ({ fields }: (typeof ours)[number]): string[][] =>
    fields.map(([name, value]) => [name, value]);
  assert.deepEqual(lists, ours.map(pairs));
  const decoder = new HpackDecoder(4096);
  assert.deepEqual(
    blocks.map((block) => decoded(decoder, Buffer.from(block, 'hex'))),
    theirs.map(pairs),
  );
});
