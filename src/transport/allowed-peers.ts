// Which peers are believed what they say of others, by the address that their connection comes from.
import { BlockList, isIP, type Socket } from 'node:net';

/** Stands for the peers of a UNIX socket, which have no address. */
const UNIX = 'unix';

export class AllowedPeers {
  readonly #addresses = new BlockList();
  #unix = false;

  /**
   * `texts`: addresses (`192.0.2.7`), networks (`10.0.0.0/8`, `fd00::/8`), and `unix` for all peers of UNIX sockets.
   *
   * @throws Error that names the first text that is none of these
   */
  constructor(texts: readonly string[]) {
    for (const text of texts) this.#add(text);
  }

  has({ remoteAddress }: Socket): boolean {
    if (remoteAddress === undefined) return this.#unix;
    // An IPv4 peer of a dual-stack socket has a mapped address, which is checked against IPv4 networks too.
    return this.#addresses.check(remoteAddress, isIP(remoteAddress) === 6 ? 'ipv6' : 'ipv4');
  }

  #add(text: string): void {
    if (!isPeer(text)) {
      throw new Error(`neither an address, nor a network (10.0.0.0/8), nor unix: ${JSON.stringify(text)}`);
    }
    if (text === UNIX) {
      this.#unix = true;
      return;
    }
    const [address = '', bits] = text.split('/');
    const six = isIP(address) === 6;
    this.#addresses.addSubnet(
      address,
      bits === undefined ? LONGEST_PREFIX[six ? 6 : 4] : Number(bits),
      six ? 'ipv6' : 'ipv4',
    );
  }
}

const LONGEST_PREFIX = { 4: 32, 6: 128 } as const;

/** Whether a text stands for peers, as AllowedPeers takes them. */
export function isPeer(text: string): boolean {
  if (text === UNIX) return true;
  const [address = '', bits, ...others] = text.split('/');
  const version = isIP(address);
  if ((version !== 4 && version !== 6) || address.includes('%') || others.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= LONGEST_PREFIX[version]);
}
