// Reads the PROXY protocol header that a connection begins with, version 1 or 2, from chunks cut anywhere. Pure: bytes in, a
// header, more wanted, or a fault out. Refuses at the first octet that can be none.
import { binaryHeaderBytes, FIXED_BYTES, parseBinaryHeader, SIGNATURE } from './binary-header.ts';
import type { ProxyHeader } from './header.ts';
import { MAX_LINE_BYTES, parseTextHeader } from './text-header.ts';

/** Of a version 2 header. Those with certificates in their TLVs stay well below. */
export const MAX_HEADER_BYTES = 4096;

const TEXT_START = Buffer.from('PROXY ', 'latin1');
const LF = 0x0a;

export type ProxyReading =
  /** `rest`: what of the chunk is not the header's any more. */
  | { readonly kind: 'header'; readonly header: ProxyHeader; readonly rest: Buffer }
  | { readonly kind: 'more' }
  | { readonly kind: 'fault'; readonly reason: string };

const MORE: ProxyReading = { kind: 'more' };

export class ProxyHeaderReader {
  #bytes: Buffer = Buffer.alloc(0);

  /** Takes the next chunk; to be called until it gives something else than `more`. */
  read(chunk: Buffer): ProxyReading {
    const bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    const reading = startsLike(bytes, SIGNATURE)
      ? readBinary(bytes)
      : startsLike(bytes, TEXT_START)
        ? readText(bytes)
        : fault('the connection does not begin with one');
    // The chunk is a view of somebody else's buffer.
    if (reading.kind === 'more') this.#bytes = Buffer.from(bytes);
    return reading;
  }
}

/** Whether `bytes` are, or can still become, something that begins with `start`. */
function startsLike(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return bytes.compare(start, 0, length, 0, length) === 0;
}

function readBinary(bytes: Buffer): ProxyReading {
  if (bytes.length < FIXED_BYTES) return MORE;
  const length = binaryHeaderBytes(bytes);
  if (length > MAX_HEADER_BYTES) return fault(`${length} octets of header`);
  if (bytes.length < length) return MORE;
  const header = parseBinaryHeader(bytes.subarray(0, length));
  return typeof header === 'string' ? fault(header) : whole(header, bytes, length);
}

function readText(bytes: Buffer): ProxyReading {
  const end = bytes.indexOf(LF);
  if (end === -1) return bytes.length < MAX_LINE_BYTES ? MORE : fault('a line that does not end');
  const line = bytes.toString('latin1', 0, end + 1);
  const header = end < MAX_LINE_BYTES && line.endsWith('\r\n') ? parseTextHeader(line.slice(0, -2)) : null;
  return header === null ? fault('a line that is none') : whole(header, bytes, end + 1);
}

function whole(header: ProxyHeader, bytes: Buffer, length: number): ProxyReading {
  return { kind: 'header', header, rest: bytes.subarray(length) };
}

function fault(reason: string): ProxyReading {
  return { kind: 'fault', reason };
}
