// A version 2 header, whole: addresses and TLVs (specification, section 2.2).
import { crc32c } from './crc32c.ts';
import { NO_TLVS, ProxyTlv, type ProxyEndpoint, type ProxyHeader } from './header.ts';
import { ipv6Text } from './ip-text.ts';

export const SIGNATURE: Buffer = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
/** Signature, version and command, family, length of what follows. */
export const FIXED_BYTES = 16;

const VERSION_2 = 2;
const Command = { LOCAL: 0, PROXY: 1 } as const;
/** Octets of the addresses of each family, by its four bits. */
const ADDRESS_BYTES: Readonly<Record<number, number>> = { 0: 0, 1: 12, 2: 36, 3: 216 };
const Family = { INET: 1, INET6: 2 } as const;
const STREAM = 1;
/** UNSPEC, STREAM and DGRAM. */
const MAX_TRANSPORT = 2;
const CRC_BYTES = 4;
const TLV_HEADER_BYTES = 3;

/** How many octets a header has in all; `start` has FIXED_BYTES of them. */
export function binaryHeaderBytes(start: Buffer): number {
  return FIXED_BYTES + start.readUInt16BE(14);
}

/** The header, or what is wrong with it. */
export function parseBinaryHeader(bytes: Buffer): ProxyHeader | string {
  const version = bytes.readUInt8(12) >>> 4;
  const command = bytes.readUInt8(12) & 0x0f;
  const family = bytes.readUInt8(13) >>> 4;
  const transport = bytes.readUInt8(13) & 0x0f;
  if (version !== VERSION_2) return `version ${version} of the protocol`;
  if (command !== Command.LOCAL && command !== Command.PROXY) return `the command ${command}`;
  // The proxy's own connection: all the rest is to be ignored.
  if (command === Command.LOCAL) return { version: 2, source: null, destination: null, tlvs: NO_TLVS };
  const addressBytes = ADDRESS_BYTES[family];
  if (addressBytes === undefined || transport > MAX_TRANSPORT) return `the family ${bytes.readUInt8(13)}`;
  const tlvsAt = FIXED_BYTES + addressBytes;
  if (tlvsAt > bytes.length) return 'a length that does not hold its addresses';
  const tlvs = parseTlvs(bytes, tlvsAt);
  if (typeof tlvs === 'string') return tlvs;
  const [source, destination] = transport === STREAM ? endpoints(bytes, family) : [null, null];
  return { version: 2, source, destination, tlvs };
}

function endpoints(bytes: Buffer, family: number): [ProxyEndpoint | null, ProxyEndpoint | null] {
  if (family !== Family.INET && family !== Family.INET6) return [null, null];
  const size = family === Family.INET ? 4 : 16;
  const ports = FIXED_BYTES + size * 2;
  const address = (at: number): string =>
    family === Family.INET ? bytes.subarray(at, at + size).join('.') : ipv6Text(bytes, at);
  return [
    { address: address(FIXED_BYTES), port: bytes.readUInt16BE(ports) },
    { address: address(FIXED_BYTES + size), port: bytes.readUInt16BE(ports + 2) },
  ];
}

/** Copied out of `bytes`: they outlive the chunk that they came in. */
function parseTlvs(bytes: Buffer, start: number): ReadonlyMap<number, Buffer> | string {
  if (start === bytes.length) return NO_TLVS;
  const tlvs = new Map<number, Buffer>();
  for (let at = start; at < bytes.length;) {
    if (at + TLV_HEADER_BYTES > bytes.length) return 'a TLV that is cut off';
    const type = bytes.readUInt8(at);
    const valueAt = at + TLV_HEADER_BYTES;
    const end = valueAt + bytes.readUInt16BE(at + 1);
    if (end > bytes.length) return 'a TLV that is cut off';
    if (type === ProxyTlv.CRC32C && !isIntact(bytes, valueAt, end)) return 'a checksum that does not fit';
    if (type !== ProxyTlv.NOOP) tlvs.set(type, Buffer.from(bytes.subarray(valueAt, end)));
    at = end;
  }
  return tlvs;
}

/** The checksum is that of the whole header with zeros in its own place. */
function isIntact(bytes: Buffer, valueAt: number, end: number): boolean {
  if (end - valueAt !== CRC_BYTES) return false;
  const zeroed = Buffer.from(bytes).fill(0, valueAt, end);
  return crc32c(zeroed) === bytes.readUInt32BE(valueAt);
}
