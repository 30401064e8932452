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
import { TICKET_SECRET_LIFETIME_MS, TicketKeys, type TicketSecret } from '../transport/ticket-keys.ts';
import type { RowListener } from './listener-set.ts';
import { SETTLE_MS, within } from './settling.ts';
import type { WorkerChild } from './worker-child.ts';
import type { CertificateTexts, SharedListener } from './worker-messages.ts';

/** How often it is looked whether the secret of the tickets is to be renewed. */
const RENEWAL_CHECK_MS = 3_600_000;

interface OpenSocket {
  readonly listener: SharedListener;
  readonly url: string;
  readonly handle: SocketHandle;
  /** Whether it may be open in another program too: the service manager's, that which this one was started by. */
  readonly isInherited: boolean;
}

export class SharedListeners {
  readonly #sockets = new Map<number, OpenSocket>();
  /** Workers that have all sockets, or are about to. */
  readonly #equipped = new Set<WorkerChild>();
  readonly #inherited: (address: string, port: number) => BoundSocket | null;
  readonly #ticketKeys: TicketKeys;
  readonly #renewal: NodeJS.Timeout;
  readonly #closing = new Map<number, Promise<void>>();
  #certificates: CertificateSet | null = null;
  #nextKey = 1;
  #handedOver = false;

  /** `inherited`: sockets that were open before this process, and the secret of its tickets. */
  constructor(
    inherited: (address: string, port: number) => BoundSocket | null = () => null,
    ticketSecret: TicketSecret | null = null,
  ) {
    this.#inherited = inherited;
    this.#ticketKeys = new TicketKeys(ticketSecret);
    this.#renewal = setInterval(() => this.#renewTicketKeys(), RENEWAL_CHECK_MS).unref();
  }

  get sockets(): readonly OpenSocket[] {
    return [...this.#sockets.values()];
  }

  /** With which the sessions of clients go on in another process. */
  get ticketSecret(): TicketSecret {
    return this.#ticketKeys.secret;
  }

  /** Another program accepts from all of them from now on. */
  handOver(): void {
    this.#handedOver = true;
  }

  /** To be called at the end. */
  stop(): void {
    clearInterval(this.#renewal);
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
      isInherited: bound.isInherited ?? false,
    };
    if (tls !== undefined) this.useCertificates(tls.certificates);
    this.#sockets.set(key, socket);
    try {
      await Promise.all(
        Array.from(this.#equipped, (worker) => worker.listen(socket.listener, socket.handle)),
      );
    } catch (error) {
      await this.#close(key);
      throw error;
    }
    const suspend = (): Promise<void> => this.#close(key);
    return {
      url: socket.url,
      port: bound.port,
      useCertificates: (certificates) => this.useCertificates(certificates),
      suspend,
      // Its connections are the workers'.
      drain: suspend,
    };
  }

  /** For all https listeners; each set is told once. */
  useCertificates(certificates: CertificateSet): void {
    if (this.#certificates === certificates) return;
    this.#certificates = certificates;
    this.#tellCertificates(certificates);
  }

  #tellCertificates(certificates: CertificateSet): void {
    for (const worker of this.#equipped) worker.useCertificates(this.#textsOf(certificates));
  }

  /** Before the workers would do it, each for itself. */
  #renewTicketKeys(): void {
    const renewed = this.#ticketKeys.renew(Date.now(), TICKET_SECRET_LIFETIME_MS / 2);
    if (renewed && this.#certificates !== null) this.#tellCertificates(this.#certificates);
  }

  /** Has a new worker accept. Resolves when it does. Rejects with the system's error. */
  async equip(worker: WorkerChild): Promise<void> {
    this.#equipped.add(worker);
    if (this.#certificates !== null) worker.useCertificates(this.#textsOf(this.#certificates));
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

  #textsOf({ certificates, clientAuthorities }: CertificateSet): CertificateTexts {
    return {
      certificates: certificates.map(({ certificate, privateKey, hostNames }) => ({
        certificate,
        privateKey,
        hostNames,
      })),
      clientAuthorities,
      ticketSecret: this.ticketSecret,
    };
  }

  /**
   * Resolves when no worker accepts from it any more: each has accepted what the kernel had, so that nothing is reset. One that hangs
   * is not waited for.
   */
  #close(key: number): Promise<void> {
    const socket = this.#sockets.get(key);
    if (socket !== undefined) {
      this.#sockets.delete(key);
      // Not the last to close it, as long as there is a worker.
      socket.handle.close();
      const shared = this.#handedOver || socket.isInherited;
      const stopped = Promise.all(Array.from(this.#equipped, (worker) => worker.stopListening(key, shared)));
      const closing = within(stopped, SETTLE_MS).finally(() => this.#closing.delete(key));
      this.#closing.set(key, closing);
    }
    return this.#closing.get(key) ?? Promise.resolve();
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
