// Addresses of a socket, asked of the system only when somebody wants them.
import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { ConnectionInfo } from './stream-handler.ts';

const IPV4_MAPPED = '::ffff:';

export class SocketInfo implements ConnectionInfo {
  readonly scheme: 'http' | 'https';
  readonly listenerId: number;
  readonly proxy = null;
  readonly #socket: Socket;
  #peerAddress: string | null = null;
  #peerPort = 0;

  constructor(socket: Socket, listenerId: number, scheme: 'http' | 'https') {
    this.#socket = socket;
    this.listenerId = listenerId;
    this.scheme = scheme;
  }

  get peerAddress(): string {
    if (this.#peerAddress === null) {
      this.#peerAddress = plainAddress(this.#socket.remoteAddress);
      this.#peerPort = this.#socket.remotePort ?? 0;
    }
    return this.#peerAddress;
  }

  get peerPort(): number {
    return this.peerAddress === '' ? 0 : this.#peerPort;
  }

  get localAddress(): string {
    return plainAddress(this.#socket.localAddress);
  }

  get localPort(): number {
    return this.#socket.localPort ?? 0;
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
