// The examples of RFC 7541 Appendix C, decoded and encoded, and the errors of HPACK.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FieldSink } from '../../../src/protocol/http2/hpack/decoder.ts';
import { HpackDecoder } from '../../../src/protocol/http2/hpack/decoder.ts';
import { HpackEncoder } from '../../../src/protocol/http2/hpack/encoder.ts';
import { generateHuffmanTable } from '../../../src/protocol/http2/hpack/huffman.table.generate.ts';
import { decodeHuffman, encodeHuffman, huffmanLength } from '../../../src/protocol/http2/hpack/huffman.ts';
import { encodeInteger } from '../../../src/protocol/http2/hpack/integer.ts';

class Fields implements FieldSink {
  readonly lines: string[] = [];
  addField(name: string, value: string): void {
    this.lines.push(`${name}: ${value}`);
  }
}

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
}

function decode(decoder: HpackDecoder, bytes: Buffer): string[] | string {
  const fields = new Fields();
  return decoder.decode(bytes, 0, bytes.length, fields) ?? fields.lines;
}

function table(decoder: HpackDecoder): string[] {
  const lines: string[] = [];
  for (let i = 0; i < decoder.table.length; i++) {
    const field = decoder.table.get(i);
    assert.ok(field);
    lines.push(`${field.name}: ${field.value}`);
  }
  return lines;
}

const GET = [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com'];
const CUSTOM = [
  ':method: GET',
  ':scheme: https',
  ':path: /index.html',
  ':authority: www.example.com',
  'custom-key: custom-value',
];
const COOKIE = 'set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1';

test('integers are coded as in the examples (RFC 7541 §C.1)', () => {
  const target = Buffer.alloc(8);
  assert.equal(encodeInteger(target, 0, 0, 0x1f, 10), 1);
  assert.equal(target[0], 10);
  assert.equal(encodeInteger(target, 0, 0, 0x1f, 1337), 3);
  assert.deepEqual([...target.subarray(0, 3)], [0x1f, 0x9a, 0x0a]);
  assert.equal(encodeInteger(target, 0, 0, 0xff, 42), 1);
  assert.equal(target[0], 42);
});

test('literals are decoded as in the examples (RFC 7541 §C.2)', () => {
  const decoder = new HpackDecoder(4096);
  assert.deepEqual(decode(decoder, hex('400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572')), [
    'custom-key: custom-header',
  ]);
  assert.equal(decoder.table.size, 55);
  assert.deepEqual(decode(decoder, hex('040c 2f73 616d 706c 652f 7061 7468')), [':path: /sample/path']);
  assert.deepEqual(decode(decoder, hex('1008 7061 7373 776f 7264 0673 6563 7265 74')), ['password: secret']);
  assert.deepEqual(table(decoder), ['custom-key: custom-header']);
  assert.deepEqual(decode(decoder, hex('82')), [':method: GET']);
});

for (const [section, blocks] of Object.entries({
  'without Huffman coding (RFC 7541 §C.3)': [
    '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
    '8286 84be 5808 6e6f 2d63 6163 6865',
    '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
  ],
  'with Huffman coding (RFC 7541 §C.4)': [
    '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
    '8286 84be 5886 a8eb 1064 9cbf',
    '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
  ],
})) {
  test(`requests ${section}`, () => {
    const decoder = new HpackDecoder(4096);
    const [first = '', second = '', third = ''] = blocks;
    assert.deepEqual(decode(decoder, hex(first)), GET);
    assert.equal(decoder.table.size, 57);
    assert.deepEqual(decode(decoder, hex(second)), [...GET, 'cache-control: no-cache']);
    assert.equal(decoder.table.size, 110);
    assert.deepEqual(decode(decoder, hex(third)), CUSTOM);
    assert.equal(decoder.table.size, 164);
    assert.deepEqual(table(decoder), [
      'custom-key: custom-value',
      'cache-control: no-cache',
      ':authority: www.example.com',
    ]);
  });
}

for (const [section, blocks] of Object.entries({
  'without Huffman coding (RFC 7541 §C.5)': [
    `4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120
     474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`,
    '4803 3330 37c1 c0bf',
    `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738
     666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33
     3630 303b 2076 6572 7369 6f6e 3d31`,
  ],
  'with Huffman coding (RFC 7541 §C.6)': [
    `4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718
     63c7 8f0b 97c8 e9ae 82ae 43d3`,
    '4883 640e ffc1 c0bf',
    `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7
     b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07`,
  ],
})) {
  test(`responses that evict ${section}`, () => {
    const decoder = new HpackDecoder(256);
    const [first = '', second = '', third = ''] = blocks;
    const rest = [
      'cache-control: private',
      'date: Mon, 21 Oct 2013 20:13:21 GMT',
      'location: https://www.example.com',
    ];
    assert.deepEqual(decode(decoder, hex(first)), [':status: 302', ...rest]);
    assert.equal(decoder.table.size, 222);
    assert.deepEqual(decode(decoder, hex(second)), [':status: 307', ...rest]);
    assert.equal(decoder.table.size, 222);
    const lines = [
      ':status: 200',
      'cache-control: private',
      'date: Mon, 21 Oct 2013 20:13:22 GMT',
      'location: https://www.example.com',
      'content-encoding: gzip',
      COOKIE,
    ];
    assert.deepEqual(decode(decoder, hex(third)), lines);
    assert.deepEqual(table(decoder), [
      COOKIE,
      'content-encoding: gzip',
      'date: Mon, 21 Oct 2013 20:13:22 GMT',
    ]);
    assert.equal(decoder.table.size, 215);
  });
}

test('requests are encoded to the octets of the examples (RFC 7541 §C.4)', () => {
  // Without :path, which our encoder does not index, and in a table large enough for its share of 1/4.
  const encoder = new HpackEncoder(4096);
  const target = Buffer.alloc(1024);
  const encode = (...fields: string[]): string =>
    target.toString('hex', 0, encoder.encode(target, 0, '', fields, -1, '', ''));
  const pseudo = [':method', 'GET', ':scheme', 'http', ':path', '/', ':authority', 'www.example.com'];
  assert.equal(encode(...pseudo), '828684418cf1e3c2e5f23a6ba0ab90f4ff');
  assert.equal(encode(...pseudo, 'cache-control', 'no-cache'), '828684be5886a8eb10649cbf');
});

test('the table of Huffman codes is what its script makes', async () => {
  const { readFile } = await import('node:fs/promises');
  const url = new URL('../../../src/protocol/http2/hpack/huffman.table.ts', import.meta.url);
  assert.equal(generateHuffmanTable(), await readFile(url, 'utf8'));
});

test('every octet survives Huffman coding, alone and among others', () => {
  const octets = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i));
  const all = octets.join('');
  const coded = Buffer.alloc(2048);
  const plain = Buffer.alloc(2048);
  for (const text of [all, octets.toReversed().join(''), ...octets, 'aaaaaaa\xff', '\xff\xf9\n\r\x16']) {
    const end = encodeHuffman(text, coded, 0);
    assert.equal(end, huffmanLength(text));
    assert.equal(decodeHuffman(coded, 0, end, plain), text.length);
    assert.equal(plain.toString('latin1', 0, text.length), text);
  }
});

test('padding of 8 bits, padding with zeros, and EOS are errors (RFC 7541 §5.2)', () => {
  const target = Buffer.alloc(64);
  // 'a' is 00011.
  assert.equal(decodeHuffman(hex('1f'), 0, 1, target), 1);
  assert.equal(decodeHuffman(hex('1fff'), 0, 2, target), -1);
  assert.equal(decodeHuffman(hex('ff'), 0, 1, target), -1);
  assert.equal(decodeHuffman(hex('18'), 0, 1, target), -1);
  assert.equal(decodeHuffman(hex('fffffffc'), 0, 4, target), -1);
  assert.equal(decodeHuffman(hex('ffffffff'), 0, 4, target), -1);
});

for (const [name, bytes] of Object.entries({
  'index 0 (RFC 7541 §6.1)': '80',
  'an index past the tables (RFC 7541 §2.3.3)': 'be',
  'a name index past the tables (RFC 7541 §2.3.3)': '7f0001 61',
  'an integer that is cut off (RFC 7541 §5.1)': 'ff80',
  'an integer without its continuation (RFC 7541 §5.1)': 'ff',
  'an integer over the limit (RFC 7541 §5.1)': 'ffffffffff7f',
  'an integer just over the limit (RFC 7541 §5.1)': 'ffffffff7f',
  'an integer of zeros without end (RFC 7541 §5.1)': 'ff808080808000',
  'a length that is missing (RFC 7541 §5.2)': '04',
  'a length beyond the block (RFC 7541 §5.2)': '0403 6162',
  'a length that is cut off (RFC 7541 §5.2)': '047f',
  'a name that is cut off (RFC 7541 §6.2)': '0005 6162',
  'bad Huffman coding (RFC 7541 §5.2)': '0481 00',
  'bad Huffman coding of a name (RFC 7541 §5.2)': '0081 0001 61',
  'a size update above the limit (RFC 7541 §6.3)': '3fe21f',
  'a size update of zeros without end (RFC 7541 §5.1)': '3f808080808000',
  'a size update that is cut off (RFC 7541 §6.3)': '3f',
  'a size update after a field (RFC 7541 §4.2)': '8220',
})) {
  test(`a decoder refuses ${name}`, () => {
    const decoder = new HpackDecoder(4096);
    assert.equal(typeof decode(decoder, hex(bytes)), 'string');
  });
}

test('size updates are taken at the beginning, and evict (RFC 7541 §4.3)', () => {
  const decoder = new HpackDecoder(4096);
  decode(decoder, hex('400161 0162 400163 0164'));
  assert.equal(decoder.table.size, 68);
  assert.deepEqual(decode(decoder, hex('3f03 82')), [':method: GET']); // 34: one entry
  assert.deepEqual(table(decoder), ['c: d']);
  assert.deepEqual(decode(decoder, hex('20 3fe11f 82')), [':method: GET']);
  assert.deepEqual(table(decoder), []);
});

test('a lowered limit must be followed by a size update (RFC 7541 §4.2)', () => {
  const decoder = new HpackDecoder(4096);
  decoder.setMaxTableSize(100);
  assert.equal(typeof decode(decoder, hex('82')), 'string');
  const obedient = new HpackDecoder(4096);
  obedient.setMaxTableSize(100);
  assert.deepEqual(decode(obedient, hex('3f45 82')), [':method: GET']);
  obedient.setMaxTableSize(200);
  assert.deepEqual(decode(obedient, hex('82')), [':method: GET']);
});

test('an entry larger than the table empties it, and is no error (RFC 7541 §4.4)', () => {
  const decoder = new HpackDecoder(64);
  decode(decoder, hex('400161 0162'));
  const long = Buffer.concat([hex('4001 6121'), Buffer.alloc(33, 'x')]);
  assert.deepEqual(decode(decoder, long), [`a: ${'x'.repeat(33)}`]);
  assert.equal(decoder.table.length, 0);
});

test('a Huffman-coded string larger than any before is decoded', () => {
  const text = 'e'.repeat(12_000);
  const coded = Buffer.alloc(8000);
  const end = encodeHuffman(text, coded, 0);
  const length = Buffer.alloc(8);
  const prefix = length.subarray(0, encodeInteger(length, 0, 0x80, 0x7f, end));
  const bytes = Buffer.concat([hex('000161'), prefix, coded.subarray(0, end)]);
  assert.deepEqual(decode(new HpackDecoder(4096), bytes), [`a: ${text}`]);
});
