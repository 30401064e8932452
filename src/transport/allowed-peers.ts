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
    if (text === UNIX) {
      this.#unix = true;
      return;
    }
    const [address = '', bits, ...others] = text.split('/');
    const version = isIP(address);
    const longest = version === 6 ? 128 : 32;
    const prefix = bits === undefined ? longest : /^\d{1,3}$/.test(bits) ? Number(bits) : -1;
    if (version === 0 || address.includes('%') || others.length > 0 || prefix < 0 || prefix > longest) {
      throw new Error(`neither an address, nor a network (10.0.0.0/8), nor unix: ${JSON.stringify(text)}`);
    }
    this.#addresses.addSubnet(address, prefix, version === 6 ? 'ipv6' : 'ipv4');
  }
}
