// The body of a version 1 header: the line without its CRLF (specification, section 2.1).
import { NO_TLVS, type ProxyEndpoint, type ProxyHeader } from './header.ts';
import { isIpv4, isIpv6 } from './ip-text.ts';

/** "PROXY UNKNOWN", two IPv6 addresses, two ports and CRLF: the longest that there is. */
export const MAX_LINE_BYTES = 107;

/** A port as it must be written: without zeros before it. */
const PORT = /^(?:0|[1-9]\d{0,4})$/;
const MAX_PORT = 65_535;

/** null: it is none. */
export function parseTextHeader(line: string): ProxyHeader | null {
  // What follows UNKNOWN is to be ignored, whatever it is.
  if (line === 'PROXY UNKNOWN' || line.startsWith('PROXY UNKNOWN ')) {
    return { version: 1, source: null, destination: null, tlvs: NO_TLVS };
  }
  const [proxy, family, from = '', to = '', fromPort = '', toPort = '', ...others] = line.split(' ');
  const isAddress = family === 'TCP4' ? isIpv4 : family === 'TCP6' ? isIpv6 : null;
  if (proxy !== 'PROXY' || isAddress === null || others.length > 0) return null;
  const source = endpoint(from, fromPort, isAddress);
  const destination = endpoint(to, toPort, isAddress);
  return source === null || destination === null ? null : { version: 1, source, destination, tlvs: NO_TLVS };
}

function endpoint(address: string, port: string, isAddress: (text: string) => boolean): ProxyEndpoint | null {
  return isAddress(address) && PORT.test(port) && Number(port) <= MAX_PORT
    ? { address, port: Number(port) }
    : null;
}
