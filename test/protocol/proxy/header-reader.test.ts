// The PROXY protocol header, versions 1 and 2 (HAProxy's specification), also cut anywhere.
import assert from 'node:assert/strict';
import { isIPv4, isIPv6 } from 'node:net';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { crc32c } from '../../../src/protocol/proxy/crc32c.ts';
import {
  MAX_HEADER_BYTES,
  ProxyHeaderReader,
  type ProxyReading,
} from '../../../src/protocol/proxy/header-reader.ts';
import { ProxyTlv } from '../../../src/protocol/proxy/header.ts';
import { ipv6Text, isIpv4, isIpv6 } from '../../../src/protocol/proxy/ip-text.ts';
import { binaryHeader, tlv } from '../../support/proxy-header.ts';

const read = (bytes: Buffer): ProxyReading => new ProxyHeaderReader().read(bytes);
const text = (line: string): ProxyReading => read(Buffer.from(line, 'latin1'));

/** What a header says, with `rest` behind it, whole and cut in two anywhere. */
function said(bytes: Buffer, rest = 'GET /'): unknown {
  const all = Buffer.concat([bytes, Buffer.from(rest)]);
  const whole = read(all);
  assert.equal(whole.kind, 'header', JSON.stringify(whole));
  assert.equal(whole.rest.toString(), rest);
  for (let cut = 1; cut < bytes.length; cut += 1) {
    const reader = new ProxyHeaderReader();
    const first = Buffer.from(all.subarray(0, cut));
    assert.deepEqual(reader.read(first), { kind: 'more' }, `cut at ${cut}`);
    first.fill(0xee);
    assert.deepEqual(reader.read(all.subarray(cut)), whole, `cut at ${cut}`);
  }
  const { source, destination } = whole.header;
  return [
    source === null ? null : `${source.address} ${source.port}`,
    destination && `${destination.address} ${destination.port}`,
  ];
}

const refused = (reading: ProxyReading): string => {
  assert.equal(reading.kind, 'fault', JSON.stringify(reading));
  return reading.reason;
};

test('version 1 names client and destination, of IPv4 and of IPv6 (§2.1)', () => {
  assert.deepEqual(said(Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n')), [
    '192.0.2.7 56324',
    '198.51.100.1 443',
  ]);
  assert.deepEqual(said(Buffer.from('PROXY TCP6 2001:db8::7 ::1 65535 0\r\n')), [
    '2001:db8::7 65535',
    '::1 0',
  ]);
});

test('version 1 UNKNOWN is no client, whatever follows it (§2.1)', () => {
  assert.deepEqual(said(Buffer.from('PROXY UNKNOWN\r\n')), [null, null]);
  assert.deepEqual(said(Buffer.from('PROXY UNKNOWN ffff::1 a b c\r\n')), [null, null]);
});

test('a line of version 1 has 107 octets at most (§2.1)', () => {
  const line = (bytes: number): string => `PROXY UNKNOWN ${'x'.repeat(bytes - 16)}\r\n`;
  assert.equal(text(line(107)).kind, 'header');
  refused(text(line(108)));
  assert.equal(text('PROXY UNKNOWN '.padEnd(106, 'x')).kind, 'more');
  refused(text('PROXY UNKNOWN '.padEnd(107, 'x')));
});

for (const [why, line] of Object.entries({
  'another word': 'PROXIES TCP4 192.0.2.7 192.0.2.8 1 2\r\n',
  'lower case': 'proxy TCP4 192.0.2.7 192.0.2.8 1 2\r\n',
  'another family': 'PROXY UDP4 192.0.2.7 192.0.2.8 1 2\r\n',
  'an IPv6 address as TCP4': 'PROXY TCP4 ::1 192.0.2.8 1 2\r\n',
  'an IPv4 address as TCP6': 'PROXY TCP6 ::1 192.0.2.8 1 2\r\n',
  'an address with leading zeros': 'PROXY TCP4 192.0.02.7 192.0.2.8 1 2\r\n',
  'an address with a zone': 'PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n',
  'a port above 65535': 'PROXY TCP4 192.0.2.7 192.0.2.8 65536 2\r\n',
  'a port with a leading zero': 'PROXY TCP4 192.0.2.7 192.0.2.8 01 2\r\n',
  'a sign before a port': 'PROXY TCP4 192.0.2.7 192.0.2.8 +1 2\r\n',
  'a missing port': 'PROXY TCP4 192.0.2.7 192.0.2.8 1\r\n',
  'something behind the ports': 'PROXY TCP4 192.0.2.7 192.0.2.8 1 2 3\r\n',
  'two spaces': 'PROXY TCP4  192.0.2.7 192.0.2.8 1 2\r\n',
  'a bare LF': 'PROXY TCP4 192.0.2.7 192.0.2.8 1 2\n',
  'HTTP itself': 'GET / HTTP/1.1\r\n',
})) {
  test(`version 1 with ${why} is refused (§2.1)`, () => void refused(text(line)));
}

test('version 2 names client and destination, of IPv4 and of IPv6 (§2.2)', () => {
  assert.deepEqual(
    said(binaryHeader({ source: ['192.0.2.7', 56_324], destination: ['198.51.100.1', 443] })),
    ['192.0.2.7 56324', '198.51.100.1 443'],
  );
  assert.deepEqual(said(binaryHeader({ source: ['2001:db8::7', 1], destination: ['::ffff', 65_535] })), [
    '2001:db8::7 1',
    '::ffff 65535',
  ]);
});

test('LOCAL, no family, datagrams and UNIX sockets are no client (§2.2)', () => {
  const address = Buffer.alloc(12, 7);
  assert.deepEqual(said(binaryHeader({ command: 0, family: 0x11, address })), [null, null]);
  assert.deepEqual(said(binaryHeader({ command: 0, family: 0xff, address })), [null, null]);
  assert.deepEqual(said(binaryHeader({ family: 0x00, address: Buffer.alloc(0) })), [null, null]);
  assert.deepEqual(said(binaryHeader({ family: 0x12, address })), [null, null]);
  assert.deepEqual(said(binaryHeader({ family: 0x31, address: Buffer.alloc(216) })), [null, null]);
});

test('TLVs of version 2 are kept by type, of one type the last; fillers are not (§2.2)', () => {
  const tlvs = [
    tlv(ProxyTlv.ALPN, 'h2'),
    tlv(ProxyTlv.NOOP, 'xxx'),
    tlv(0xe0, ''),
    tlv(0xe1, 'a'),
    tlv(0xe1, 'b'),
  ];
  const reading = read(binaryHeader({ tlvs }));
  assert.equal(reading.kind, 'header');
  const kept = [...reading.header.tlvs].map(([type, value]) => [type, value.toString()]);
  assert.deepEqual(kept, [
    [ProxyTlv.ALPN, 'h2'],
    [0xe0, ''],
    [0xe1, 'b'],
  ]);
});

test('a checksum that is there must fit (§2.2.4)', () => {
  // The check value of CRC-32C.
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
  const whole = binaryHeader({ tlvs: [tlv(ProxyTlv.UNIQUE_ID, 'id'), tlv(ProxyTlv.CRC32C, '\0\0\0\0')] });
  const at = whole.length - 4;
  whole.writeUInt32BE(crc32c(whole), at);
  assert.equal(read(whole).kind, 'header');
  whole.writeUInt8(whole.readUInt8(20) ^ 1, 20);
  assert.match(refused(read(whole)), /checksum/);
  assert.match(refused(read(binaryHeader({ tlvs: [tlv(ProxyTlv.CRC32C, 'abc')] }))), /checksum/);
});

test('version 2 with another version, command, family or length is refused (§2.2)', () => {
  refused(read(binaryHeader({ version: 1 })));
  refused(read(binaryHeader({ version: 3 })));
  refused(read(binaryHeader({ command: 2 })));
  refused(read(binaryHeader({ family: 0x41 })));
  refused(read(binaryHeader({ family: 0x13 })));
  refused(read(binaryHeader({ family: 0x21, address: Buffer.alloc(35) })));
  refused(read(binaryHeader({ tlvs: [tlv(1, 'abc').subarray(0, 2)] })));
  refused(read(binaryHeader({ tlvs: [tlv(1, 'abc').subarray(0, 5)] })));
  refused(read(Buffer.from('\r\n\r\n\0\r\nQUIT!')));
});

test('a header of version 2 has MAX_HEADER_BYTES at most, which is found before the rest has come', () => {
  const longest = binaryHeader({ tlvs: [tlv(0xe0, 'x'.repeat(MAX_HEADER_BYTES - 28 - 3))] });
  assert.equal(longest.length, MAX_HEADER_BYTES);
  assert.equal(read(longest).kind, 'header');
  const longer = binaryHeader({ tlvs: [tlv(0xe0, 'x'.repeat(MAX_HEADER_BYTES - 28 - 2))] });
  refused(read(longer.subarray(0, 16)));
});

test('texts are addresses where Node.js says so', () => {
  const pieces = fc.oneof(
    fc.constantFrom(':', '::', '.', '1', '0', '255', '256', 'ffff', 'g', '01', '1.2.3.4'),
    fc.ipV4(),
    fc.ipV6(),
  );
  const texts = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(texts, (address) => {
      assert.equal(isIpv4(address), isIPv4(address));
      assert.equal(isIpv6(address), isIPv6(address));
    }),
    { numRuns: 3000 },
  );
});

test('addresses of version 2 have the text that the URL standard gives them (RFC 5952)', () => {
  const groups = fc.array(fc.constantFrom(0, 0, 0, 1, 0xffff), { minLength: 8, maxLength: 8 });
  fc.assert(
    fc.property(groups, (values) => {
      const bytes = Buffer.alloc(16);
      for (const [i, value] of values.entries()) bytes.writeUInt16BE(value, i * 2);
      const full = values.map((value) => value.toString(16)).join(':');
      assert.equal(`[${ipv6Text(bytes, 0)}]`, new URL(`http://[${full}]/`).hostname);
    }),
    { numRuns: 500 },
  );
});

test('whatever comes, a reader decides within its limits and never throws', () => {
  const start = fc.constantFrom(Buffer.from('PROXY '), binaryHeader({}).subarray(0, 12), Buffer.alloc(0));
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 300 }), (prefix, bytes) => {
      const reading = read(Buffer.concat([prefix, bytes]));
      assert.ok(['header', 'more', 'fault'].includes(reading.kind));
    }),
    { numRuns: 3000 },
  );
});
