// A listening socket: opens, accepts, counts and bounds its connections. What is spoken on them is not its business.
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Observer } from '../observe/observation.ts';
import type { CertificateSet } from './certificate-set.ts';
import type { SocketHandle } from './socket-handle.ts';
import { TlsAcceptor, type TlsOptions } from './tls-acceptor.ts';

export interface ListenerOptions {
  /** IPv4 or IPv6 address. */
  readonly address: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Connections served at once; more are accepted but wait unread until one ends. */
  readonly maxConnections?: number;
  /** Connections that may wait so; beyond that the newest is closed at once. */
  readonly maxWaiting?: number;
  /** Length of the kernel's queue of connections not accepted yet. */
  readonly backlog?: number;
  /** With it, what is accepted is a TLSSocket whose handshake is done. */
  readonly tls?: TlsOptions;
  /** A bound socket to listen on, which is not opened again once it was suspended. */
  readonly handle?: SocketHandle;
  /** Whether somebody else serves a connection that was just accepted and not read; then it is theirs. */
  readonly handOver?: (socket: Socket) => boolean;
}

/** Ten thousand idle connections are ordinary; what is beyond this is a flood, or wants a larger number. */
const DEFAULT_MAX_CONNECTIONS = 16_384;
/** Ranch's default backlog. */
const DEFAULT_MAX_WAITING = 1024;
const DEFAULT_BACKLOG = 1024;

export class Listener {
  readonly #server: Server;
  readonly #options: ListenerOptions;
  readonly #observer: Observer;
  readonly #accept: (socket: Socket) => void;
  readonly #counted: (change: 1 | -1) => void;
  readonly #tls: TlsAcceptor | null;
  readonly #waiting: Socket[] = [];
  #connections = 0;
  #port = 0;
  #open = false;

  private constructor(
    options: ListenerOptions,
    accept: (socket: Socket) => void,
    observer: Observer,
    counted: (change: 1 | -1) => void,
  ) {
    this.#options = options;
    this.#counted = counted;
    this.#accept = accept;
    this.#observer = observer;
    this.#tls =
      options.tls === undefined
        ? null
        : new TlsAcceptor(options.tls, accept, (reason) => {
            observer.observe({ kind: 'handshake-failed', url: this.url, reason });
          });
    // A client may close its side and still read the answer; unread sockets wait without being read.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (socket) => {
      if (options.handOver?.(socket) !== true) this.admit(socket);
    });
  }

  /**
   * Opens the socket; rejects with the system's error (EADDRINUSE, EACCES, EADDRNOTAVAIL …). `counted` hears of each
   * connection that begins or ends to be served.
   */
  static async open(
    options: ListenerOptions,
    accept: (socket: Socket) => void,
    observer: Observer,
    counted: (change: 1 | -1) => void = () => undefined,
  ): Promise<Listener> {
    const listener = new Listener(options, accept, observer, counted);
    await listener.resume();
    return listener;
  }

  /** The port that was found, also when 0 was asked for. */
  get port(): number {
    return this.#port;
  }

  get address(): string {
    return this.#options.address;
  }

  get url(): string {
    const { address, tls } = this.#options;
    return `${tls === undefined ? 'http' : 'https'}://${address.includes(':') ? `[${address}]` : address}:${this.#port}`;
  }

  /** Connections that are being served. */
  get connections(): number {
    return this.#connections;
  }

  /** For handshakes that begin from now on. Does nothing on a listener without TLS. */
  useCertificates(certificates: CertificateSet): void {
    this.#tls?.useCertificates(certificates);
  }

  /** Stops accepting: new connections are refused by the system. Those that are open go on. */
  async suspend(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    // The server counts as closed only when its connections have ended, which is not waited for here.
    this.#server.close();
    for (const socket of this.#waiting.splice(0)) socket.destroy();
    await Promise.resolve();
  }

  /** Accepts (again), on the same port. */
  async resume(): Promise<void> {
    if (this.#open) return;
    const { address, port, backlog = DEFAULT_BACKLOG, handle } = this.#options;
    await new Promise<void>((resolve, reject) => {
      const opened = (): void => {
        this.#server.off('error', reject);
        resolve();
      };
      this.#server.once('error', reject);
      if (handle === undefined) {
        this.#server.listen({ host: address, port: this.#port || port, backlog }, opened);
      } else {
        this.#server.listen(handle, backlog, opened);
      }
    });
    this.#port = (this.#server.address() as AddressInfo).port;
    this.#open = true;
    // Accepting fails for want of file descriptors or because the client was gone: the next one may succeed.
    this.#server.removeAllListeners('error');
    this.#server.on('error', (error) => {
      this.#observer.observe({ kind: 'accept-failed', url: this.url, reason: error.message });
    });
  }

  /** Serves a connection as soon as there is room for it. It must not have been read from. */
  admit(socket: Socket): void {
    const { maxConnections = DEFAULT_MAX_CONNECTIONS, maxWaiting = DEFAULT_MAX_WAITING } = this.#options;
    if (this.#connections < maxConnections) {
      this.#serve(socket);
    } else if (this.#waiting.length < maxWaiting) {
      socket.once('error', () => socket.destroy());
      this.#waiting.push(socket);
    } else {
      this.#observer.observe({
        kind: 'accept-failed',
        url: this.url,
        reason: `${maxConnections} connections are served and ${maxWaiting} wait`,
      });
      socket.destroy();
    }
  }

  #serve(socket: Socket): void {
    this.#connections += 1;
    this.#counted(1);
    socket.once('close', () => {
      this.#connections -= 1;
      this.#counted(-1);
      let next = this.#waiting.shift();
      while (next?.destroyed === true) next = this.#waiting.shift();
      if (next !== undefined) this.#serve(next);
    });
    if (this.#tls !== null) {
      this.#tls.accept(socket);
      return;
    }
    this.#accept(socket);
    socket.resume();
  }
}
