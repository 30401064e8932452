// The values that options of the command take, from text: addresses, sizes, times. Knows no option by name.
import { isIPv4, isIPv6 } from 'node:net';
import { isPeer } from '../transport/allowed-peers.ts';

/** What is wrong with a value, in one line that can follow "…is invalid. ". */
export class BadValue extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BadValue';
  }
}

export interface TcpAddress {
  /** An IP address without brackets. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

export type GatewayAddress = TcpAddress | { readonly path: string };

const MAX_PORT = 65_535;

/** `HOST:PORT`, `[IPV6]:PORT`, `:PORT` or `PORT`; without a host it is 127.0.0.1, which `localhost` stands for as well. */
export function parseTcpAddress(text: string): TcpAddress {
  const parts = /^(?:(?:\[([^\]]*)\]|([^:[\]]*)):)?(\d{1,5})$/.exec(text);
  if (parts === null) {
    throw new BadValue(
      text.split(':').length > 2 && !text.startsWith('[')
        ? 'Write an IPv6 address in brackets: [::1]:8080.'
        : 'Expected HOST:PORT, for example 127.0.0.1:8080.',
    );
  }
  const [, bracketed, plain = '', digits] = parts;
  const port = Number(digits);
  if (port > MAX_PORT) throw new BadValue(`A port is at most ${MAX_PORT}.`);
  if (bracketed !== undefined) {
    if (!isIPv6(bracketed)) throw new BadValue(`[${bracketed}] is not an IPv6 address.`);
    return { host: bracketed, port };
  }
  if (plain === '' || plain === 'localhost') return { host: '127.0.0.1', port };
  // Listeners are rows with an address of type inet: a name has no place there, and may stand for several addresses.
  if (!isIPv4(plain)) throw new BadValue(`HOST must be an IP address or localhost, not "${plain}".`);
  return { host: plain, port };
}

/** A TCP address, the path of a UNIX socket (it has a slash in it), or `off`. */
export function parseGatewayAddress(text: string): GatewayAddress | 'off' {
  if (text === 'off') return text;
  if (text.includes('/')) return { path: text };
  try {
    return parseTcpAddress(text);
  } catch (error) {
    if (!(error instanceof BadValue)) throw error;
    throw new BadValue(`${error.message} (Or the path of a socket, with a slash in it, or off.)`);
  }
}

/** Addresses, networks and `unix`, with commas between. */
export function parsePeers(text: string): readonly string[] {
  const peers = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  const bad = peers.find((peer) => !isPeer(peer));
  if (bad === undefined) return peers;
  throw new BadValue(`"${bad}" is neither an address, nor a network (10.0.0.0/8), nor unix.`);
}

const SIZE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1e3,
  kb: 1e3,
  m: 1e6,
  mb: 1e6,
  g: 1e9,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
};

/** A number of bytes: `500000`, `10MB` (10 000 000), `10MiB` (10 485 760); the unit in either case. */
export function parseBytes(text: string, maxBytes: number): number {
  const parts = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(text);
  const unit = parts === null ? undefined : SIZE_UNITS[(parts[2] ?? '').toLowerCase()];
  if (parts === null || unit === undefined) {
    throw new BadValue('Expected a number of bytes, for example 500000, 10MB or 10MiB.');
  }
  const bytes = Math.round(Number(parts[1]) * unit);
  if (bytes > maxBytes) throw new BadValue(`At most ${maxBytes} bytes.`);
  return bytes;
}

const TIME_UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1e3, m: 60e3, min: 60e3, h: 3_600e3 };

/** The longest delay that timers of Node.js take: a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** A time in milliseconds from `500ms`, `30s`, `1.5m`, `1h`. A bare number is refused: it could mean either. */
export function parseDurationMs(text: string, minMs: number): number {
  const parts = /^(\d+(?:\.\d+)?) ?(ms|s|m|min|h)$/.exec(text);
  const unitMs = TIME_UNITS_MS[parts?.[2] ?? ''];
  if (parts === null || unitMs === undefined) {
    throw new BadValue('Expected a number with a unit, for example 500ms, 30s or 2m.');
  }
  const ms = Math.round(Number(parts[1]) * unitMs);
  if (ms < minMs) throw new BadValue(`At least ${minMs} ms.`);
  if (ms > MAX_TIMER_MS) throw new BadValue('At most 24 days.');
  return ms;
}

/** Yes or no, as environment variables say it. */
export function parseSwitch(text: string): boolean {
  if (/^(?:1|true|yes|on)$/i.test(text)) return true;
  if (/^(?:0|false|no|off)$/i.test(text)) return false;
  throw new BadValue('Expected true or false.');
}

/** A whole number from 1 to `highest`. */
export function parseCount(text: string, highest: number): number {
  const count = /^\d+$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > highest) throw new BadValue(`Expected a number from 1 to ${highest}.`);
  return count;
}
