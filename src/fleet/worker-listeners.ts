// The listeners of a worker process: accepts from the sockets that the master has bound, and gives a connection to a sibling that
// has fewer. What is spoken on them is not its business.
import type { Socket } from 'node:net';
import type { Observer } from '../observe/observation.ts';
import type { ProxyHeader } from '../transport/listener.ts';
import { parseCertificate } from '../transport/certificate.ts';
import { CertificateSet } from '../transport/certificate-set.ts';
import { Listener } from '../transport/listener.ts';
import { handleOf, socketFrom, type SocketHandle } from '../transport/socket-handle.ts';
import { TicketKeys } from '../transport/ticket-keys.ts';
import { proxyOptions } from './listener-set.ts';
import type { CertificateTexts, SharedListener } from './worker-messages.ts';

export interface WorkerListenersOptions {
  readonly observer: Observer;
  /** Peers whose connections begin with a PROXY protocol header. */
  readonly proxyFrom?: readonly string[];
  accept(socket: Socket, listenerId: number, header: ProxyHeader | null): void;
  /** The number of connections is another. */
  changed(): void;
  /** Who should serve a connection that was just accepted; null: this worker. */
  elsewhere(): number | null;
  /** `sent` is called when the handle may be closed here. */
  handOver(key: number, to: number, handle: SocketHandle, sent: () => void): void;
}

/** For so long a listener that was closed is known: what a sibling has handed over before may still be on its way here. */
const HANDED_OVER_MS = 10_000;

/** Why a listener does not accept. */
interface Failure {
  readonly code: string;
  readonly message: string;
}

export class WorkerListeners {
  readonly #options: WorkerListenersOptions;
  readonly #open = new Map<number, Listener>();
  /** Those that are about to be open. */
  readonly #opening = new Map<number, Promise<Failure | null>>();
  /** Also those that have stopped listening, until their connections have ended. */
  #connections = 0;
  #certificates: CertificateSet | null = null;
  readonly #ticketKeys = new TicketKeys();
  /** Connections that are on their way to another worker. */
  #leaving = 0;
  #allSent: (() => void)[] = [];
  #whenEnded: (() => void)[] = [];

  constructor(options: WorkerListenersOptions) {
    this.#options = options;
  }

  /** Connections that are being served. */
  get connections(): number {
    return this.#connections;
  }

  useCertificates({ certificates, clientAuthorities, ticketSecret }: CertificateTexts): void {
    this.#ticketKeys.use(ticketSecret);
    // The master has checked them.
    const [first, ...others] = certificates.map((text) => parseCertificate(text));
    if (first === undefined) return;
    const set = new CertificateSet([first, ...others], clientAuthorities);
    this.#certificates = set;
    for (const listener of this.#open.values()) listener.useCertificates(set);
  }

  /** null: it accepts; otherwise why it does not. */
  listen(listener: SharedListener, handle: SocketHandle): Promise<Failure | null> {
    const opening = this.#listen(listener, handle).finally(() => this.#opening.delete(listener.key));
    this.#opening.set(listener.key, opening);
    return opening;
  }

  async #listen(
    { key, row, path, clientCertificates }: SharedListener,
    handle: SocketHandle,
  ): Promise<Failure | null> {
    const { observer } = this.#options;
    const certificates = this.#certificates;
    try {
      if (clientCertificates !== null && certificates === null) throw new Error('there is no certificate');
      const listener = await Listener.open(
        {
          address: row.address,
          port: row.port,
          handle,
          ...(path === null ? {} : { path }),
          ...proxyOptions(this.#options.proxyFrom),
          handOver: (socket) => this.#handOver(key, socket),
          ...(clientCertificates === null || certificates === null
            ? {}
            : {
                tls: {
                  certificates,
                  clientCertificates: clientCertificates ?? 'none',
                  ticketKeys: this.#ticketKeys,
                },
              }),
        },
        (socket, header) => this.#options.accept(socket, row.id, header),
        observer,
        (change) => {
          this.#connections += change;
          if (this.#connections === 0) for (const resolve of this.#whenEnded.splice(0)) resolve();
          this.#options.changed();
        },
      );
      this.#open.set(key, listener);
      return null;
    } catch (error) {
      const { code = 'UNKNOWN', message } = error as NodeJS.ErrnoException;
      return { code, message };
    }
  }

  /** Resolves when a listener that is about to be open is, or cannot be. */
  async opened(key: number): Promise<void> {
    await this.#opening.get(key);
  }

  /** Serves a connection that another worker has accepted; false: the listener is not known here. */
  take(key: number, handle: SocketHandle): boolean {
    const listener = this.#open.get(key);
    if (listener === undefined) return false;
    listener.admit(socketFrom(handle));
    return true;
  }

  /** `shared`: another program accepts from the socket, or will. */
  async stop(key: number, shared: boolean): Promise<void> {
    const listener = this.#open.get(key);
    if (listener === undefined) return;
    setTimeout(() => {
      if (this.#open.get(key) === listener) this.#open.delete(key);
    }, HANDED_OVER_MS).unref();
    await listener.suspend(shared);
  }

  /** The other workers go on. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.#open.values(), (listener) => listener.suspend(true)));
  }

  /** Resolves when no connection is served, those whose handshake goes on included. */
  ended(): Promise<void> {
    if (this.#connections === 0) return Promise.resolve();
    return new Promise((resolve) => void this.#whenEnded.push(resolve));
  }

  /** Resolves when no connection is on its way out: only then nothing is lost where this process ends. */
  handedOver(): Promise<void> {
    if (this.#leaving === 0) return Promise.resolve();
    return new Promise((resolve) => void this.#allSent.push(resolve));
  }

  #handOver(key: number, socket: Socket): boolean {
    const to = this.#options.elsewhere();
    const handle = to === null ? null : handleOf(socket);
    if (to === null || handle === null) return false;
    socket.on('error', () => {});
    this.#leaving += 1;
    this.#options.handOver(key, to, handle, () => this.#sent(socket));
    return true;
  }

  #sent(socket: Socket): void {
    socket.destroy();
    this.#leaving -= 1;
    if (this.#leaving === 0) for (const resolve of this.#allSent.splice(0)) resolve();
  }
}
