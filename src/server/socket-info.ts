// Addresses of a socket, asked of the system only when somebody wants them.
import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { ProxyHeader } from '../protocol/proxy/header.ts';
import type { ConnectionInfo, ProxyInfo } from './stream-handler.ts';

const IPV4_MAPPED = '::ffff:';

export class SocketInfo implements ConnectionInfo {
  readonly scheme: 'http' | 'https';
  readonly listenerId: number;
  readonly #socket: Socket;
  readonly #header: ProxyHeader | null;
  #peerAddress: string | null = null;
  #peerPort = 0;

  /** `header`: what the proxy said that the connection comes through. Its client is the peer then, not the proxy. */
  constructor(
    socket: Socket,
    listenerId: number,
    scheme: 'http' | 'https',
    header: ProxyHeader | null = null,
  ) {
    this.#socket = socket;
    this.#header = header;
    this.listenerId = listenerId;
    this.scheme = scheme;
  }

  get peerAddress(): string {
    if (this.#peerAddress === null) {
      const source = this.#header?.source ?? null;
      this.#peerAddress = plainAddress(source === null ? this.#socket.remoteAddress : source.address);
      this.#peerPort = source === null ? (this.#socket.remotePort ?? 0) : source.port;
    }
    return this.#peerAddress;
  }

  get peerPort(): number {
    return this.peerAddress === '' ? 0 : this.#peerPort;
  }

  get localAddress(): string {
    return plainAddress(this.#header?.destination?.address ?? this.#socket.localAddress);
  }

  get localPort(): number {
    return this.#header?.destination?.port ?? this.#socket.localPort ?? 0;
  }

  get proxy(): ProxyInfo | null {
    const header = this.#header;
    if (header === null) return null;
    const { remoteAddress, remotePort } = this.#socket;
    return { address: plainAddress(remoteAddress), port: remotePort ?? 0, tlvs: header.tlvs };
  }

  get clientCertificate(): X509Certificate | null {
    const socket = this.#socket;
    if (!(socket instanceof TLSSocket) || !socket.authorized) return null;
    return socket.getPeerX509Certificate() ?? null;
  }
}

/** An IPv4 client of a dual-stack socket shows as IPv4. */
function plainAddress(address: string | undefined): string {
  if (address === undefined) return '';
  return address.startsWith(IPV4_MAPPED) ? address.slice(IPV4_MAPPED.length) : address;
}
