// Headers of the PROXY protocol, version 2, made by hand for tests.
import { isIPv4 } from 'node:net';

export interface BinaryHeader {
  readonly version?: number;
  readonly command?: number;
  /** By default that of the addresses, over TCP. */
  readonly family?: number;
  readonly source?: readonly [address: string, port: number];
  readonly destination?: readonly [address: string, port: number];
  /** In place of the two above. */
  readonly address?: Buffer;
  readonly tlvs?: readonly Buffer[];
}

export function binaryHeader(header: BinaryHeader): Buffer {
  const { version = 2, command = 1, source = ['192.0.2.7', 7], destination = ['192.0.2.8', 8] } = header;
  const { family = isIPv4(source[0]) ? 0x11 : 0x21, tlvs = [] } = header;
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(source[1], 0);
  ports.writeUInt16BE(destination[1], 2);
  const address =
    header.address ?? Buffer.concat([addressBytes(source[0]), addressBytes(destination[0]), ports]);
  const rest = Buffer.concat([address, ...tlvs]);
  const start = Buffer.from('\r\n\r\n\0\r\nQUIT\n\0\0\0\0', 'latin1');
  start.writeUInt8((version << 4) | command, 12);
  start.writeUInt8(family, 13);
  start.writeUInt16BE(rest.length, 14);
  return Buffer.concat([start, rest]);
}

export function tlv(type: number, value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  const start = Buffer.alloc(3);
  start.writeUInt8(type, 0);
  start.writeUInt16BE(bytes.length, 1);
  return Buffer.concat([start, bytes]);
}

function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  const [before = '', after = ''] = address.split('::');
  const groups = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => parseInt(group, 16));
  const [head, tail] = [groups(before), groups(after)];
  const bytes = Buffer.alloc(16);
  for (const [i, value] of head.entries()) bytes.writeUInt16BE(value, i * 2);
  for (const [i, value] of tail.entries()) bytes.writeUInt16BE(value, 16 - (tail.length - i) * 2);
  return bytes;
}
