// The listening sockets of a fleet: bound by the master, which never accepts from them, and given to each worker, which does. They
// stay open while workers come and go, so that a connection that nobody has accepted yet waits for the next one.
import type { ListenerRow } from '../catalog/catalog-rows.ts';
import type { CertificateSet } from '../transport/certificate-set.ts';
import type { ListenerOptions } from '../transport/listener.ts';
import {
  bindSocket,
  bindUnixSocket,
  type BoundSocket,
  type SocketHandle,
} from '../transport/socket-handle.ts';
import { removeStaleSocket } from '../transport/stale-socket.ts';
import type { RowListener } from './listener-set.ts';
import type { WorkerChild } from './worker-child.ts';
import type { CertificateTexts, SharedListener } from './worker-messages.ts';

interface OpenSocket {
  readonly listener: SharedListener;
  readonly url: string;
  readonly handle: SocketHandle;
}

export class SharedListeners {
  readonly #sockets = new Map<number, OpenSocket>();
  /** Workers that have all sockets, or are about to. */
  readonly #equipped = new Set<WorkerChild>();
  readonly #inherited: (address: string, port: number) => BoundSocket | null;
  #certificates: CertificateSet | null = null;
  #nextKey = 1;

  /** `inherited`: sockets that were open before this process. */
  constructor(inherited: (address: string, port: number) => BoundSocket | null = () => null) {
    this.#inherited = inherited;
  }

  get sockets(): readonly OpenSocket[] {
    return [...this.#sockets.values()];
  }

  /** Opens a socket in all workers. Rejects with the system's error. */
  async open(row: ListenerRow, { address, port, path, tls }: ListenerOptions): Promise<RowListener> {
    const bound = path === undefined ? this.#bind(row, address, port) : await bindPath(path);
    const key = this.#nextKey++;
    const host = address.includes(':') ? `[${address}]` : address;
    const socket: OpenSocket = {
      listener: {
        key,
        row,
        port: bound.port,
        path: path ?? null,
        clientCertificates: tls === undefined ? null : (tls.clientCertificates ?? 'none'),
      },
      url:
        path === undefined
          ? `${tls === undefined ? 'http' : 'https'}://${host}:${bound.port}`
          : `unix:${path}`,
      handle: bound.handle,
    };
    if (tls !== undefined) this.useCertificates(tls.certificates);
    this.#sockets.set(key, socket);
    try {
      await Promise.all(
        Array.from(this.#equipped, (worker) => worker.listen(socket.listener, socket.handle)),
      );
    } catch (error) {
      this.#close(key);
      throw error;
    }
    return {
      url: socket.url,
      port: bound.port,
      useCertificates: (certificates) => this.useCertificates(certificates),
      suspend: () => {
        this.#close(key);
        return Promise.resolve();
      },
    };
  }

  /** For all https listeners; each set is told once. */
  useCertificates(certificates: CertificateSet): void {
    if (this.#certificates === certificates) return;
    this.#certificates = certificates;
    for (const worker of this.#equipped) worker.useCertificates(textsOf(certificates));
  }

  /** Has a new worker accept. Resolves when it does. Rejects with the system's error. */
  async equip(worker: WorkerChild): Promise<void> {
    this.#equipped.add(worker);
    if (this.#certificates !== null) worker.useCertificates(textsOf(this.#certificates));
    void worker.ended.then(() => this.#equipped.delete(worker));
    await Promise.all(this.sockets.map(({ listener, handle }) => worker.listen(listener, handle)));
  }

  /** Where any port was asked for, the one that it had is meant. */
  #bind(row: ListenerRow, address: string, port: number): BoundSocket {
    const isAsked = port !== 0 && port === row.port;
    const known = isAsked ? [port] : [row.effectivePort, ...(row.rememberedPorts ?? [])];
    for (const mine of known) {
      const socket = this.#inherited(address, mine);
      if (socket !== null) return socket;
    }
    return bindSocket(address, port);
  }

  #close(key: number): void {
    const socket = this.#sockets.get(key);
    if (socket === undefined) return;
    this.#sockets.delete(key);
    for (const worker of this.#equipped) worker.stopListening(key);
    socket.handle.close();
  }
}

/** Binds a UNIX socket; one that its server left behind is replaced. Rejects with the system's error. */
async function bindPath(path: string): Promise<BoundSocket> {
  try {
    return bindUnixSocket(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || !(await removeStaleSocket(path)))
      throw error;
    return bindUnixSocket(path);
  }
}

function textsOf({ certificates, clientAuthorities }: CertificateSet): CertificateTexts {
  return {
    certificates: certificates.map(({ certificate, privateKey, hostNames }) => ({
      certificate,
      privateKey,
      hostNames,
    })),
    clientAuthorities,
  };
}
