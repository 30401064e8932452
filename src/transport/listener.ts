// A listening socket: opens, accepts, counts and bounds its connections. What is spoken on them is not its business.
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Observer } from '../observe/observation.ts';
import type { ProxyHeader } from '../protocol/proxy/header.ts';
import type { CertificateSet } from './certificate-set.ts';
import { closeBehind } from './backlog.ts';
import { ConnectionCount, type AlarmOptions } from './connection-count.ts';
import { ProxyAcceptor, type ProxyOptions } from './proxy-acceptor.ts';
import type { SocketHandle } from './socket-handle.ts';
import { removeStaleSocket } from './stale-socket.ts';
import { TlsAcceptor, type TlsOptions } from './tls-acceptor.ts';

/** What can be changed while a listener is open. */
export interface ListenerLimits {
  /** Connections served at once; more are accepted but wait unread until one ends. */
  readonly maxConnections?: number;
  /** Connections that may wait so; beyond that the newest is closed at once. */
  readonly maxWaiting?: number;
  /** Numbers of connections that are told of when they are reached (`connections-high`). */
  readonly alarms?: readonly AlarmOptions[];
}

export interface ListenerOptions extends ListenerLimits {
  /** IPv4 or IPv6 address; of a UNIX socket `path`, and this is not looked at. */
  readonly address: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Path of a UNIX socket, in place of address and port. One that its server left behind is replaced. */
  readonly path?: string;
  /** Length of the kernel's queue of connections not accepted yet. */
  readonly backlog?: number;
  /** With it, some peers begin with a PROXY protocol header, which is read before TLS. */
  readonly proxy?: ProxyOptions;
  /** With it, what is accepted is a TLSSocket whose handshake is done. */
  readonly tls?: TlsOptions;
  /** A bound socket to listen on, which is not opened again once it was suspended. */
  readonly handle?: SocketHandle;
  /** Whether another program may accept from it too, now or later. Default false. */
  readonly isShared?: boolean;
  /** Whether somebody else serves a connection that was just accepted and not read; then it is theirs. */
  readonly handOver?: (socket: Socket) => boolean;
}

/** What a proxy says of a connection, for those who take connections. */
export type { ProxyHeader };

/** Takes a connection; `header` is what its proxy has said of it. */
export type Accept = (socket: Socket, header: ProxyHeader | null) => void;

/** Ten thousand idle connections are ordinary; what is beyond this is a flood, or wants a larger number. */
const DEFAULT_MAX_CONNECTIONS = 16_384;
/** Ranch's default backlog. */
const DEFAULT_MAX_WAITING = 1024;
const DEFAULT_BACKLOG = 1024;

const LISTENER = Symbol('listener');
const RELEASE = Symbol('release');

type ServedSocket = Socket & { [LISTENER]?: Listener };

/** One function for all: a connection that does nothing is to cost little. */
function release(this: ServedSocket): void {
  this[LISTENER]?.[RELEASE]();
}

export class Listener {
  readonly #server: Server;
  readonly #options: ListenerOptions;
  readonly #observer: Observer;
  readonly #accept: Accept;
  readonly #counted: (change: 1 | -1) => void;
  readonly #tls: TlsAcceptor | null;
  readonly #proxy: ProxyAcceptor | null;
  readonly #waiting: Socket[] = [];
  readonly #count: ConnectionCount;
  #limits: ListenerLimits;
  #port = 0;
  #open = false;
  /** Of all times. */
  #accepted = 0;
  #closing: Promise<void> = Promise.resolve();

  private constructor(
    options: ListenerOptions,
    accept: Accept,
    observer: Observer,
    counted: (change: 1 | -1) => void,
  ) {
    this.#options = options;
    this.#limits = options;
    this.#counted = counted;
    this.#count = new ConnectionCount((connections, alarm) => {
      observer.observe({ kind: 'connections-high', url: this.url, connections, alarm: alarm.connections });
    });
    this.#count.useAlarms(options.alarms ?? []);
    this.#accept = accept;
    this.#observer = observer;
    this.#tls =
      options.tls === undefined
        ? null
        : new TlsAcceptor(options.tls, accept, (reason) => {
            observer.observe({ kind: 'handshake-failed', url: this.url, reason });
          });
    this.#proxy =
      options.proxy === undefined
        ? null
        : new ProxyAcceptor(options.proxy, this.#begin, (reason) => {
            observer.observe({ kind: 'proxy-header-refused', url: this.url, reason });
          });
    // A client may close its side and still read the answer; unread sockets wait without being read.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (socket) => {
      this.#accepted += 1;
      if (!this.#open || options.handOver?.(socket) !== true) this.admit(socket);
    });
  }

  /**
   * Opens the socket; rejects with the system's error (EADDRINUSE, EACCES, EADDRNOTAVAIL …). `counted` hears of each
   * connection that begins or ends to be served.
   */
  static async open(
    options: ListenerOptions,
    accept: Accept,
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
    const { address, tls, path } = this.#options;
    if (path !== undefined) return `unix:${path}`;
    return `${tls === undefined ? 'http' : 'https'}://${address.includes(':') ? `[${address}]` : address}:${this.#port}`;
  }

  /** Connections that are being served. */
  get connections(): number {
    return this.#count.value;
  }

  /** Whether it accepts: not before it is open, nor while it is suspended. */
  get accepting(): boolean {
    return this.#open;
  }

  /** Limits in force. */
  get limits(): ListenerLimits {
    const {
      maxConnections = DEFAULT_MAX_CONNECTIONS,
      maxWaiting = DEFAULT_MAX_WAITING,
      alarms = [],
    } = this.#limits;
    return { maxConnections, maxWaiting, alarms };
  }

  /**
   * Changes limits; those that are not given stay. More connections than a lowered maxConnections are kept until they end;
   * a raised one lets those in that wait.
   */
  change(limits: ListenerLimits): void {
    this.#limits = { ...this.#limits, ...limits };
    if (limits.alarms !== undefined) this.#count.useAlarms(limits.alarms);
    this.#serveWaiting();
  }

  /** Resolves as soon as `reached` says so of the number of connections that are being served. */
  untilConnections(reached: (connections: number) => boolean): Promise<void> {
    return this.#count.until(reached);
  }

  /** Stops accepting, and resolves when the last of its connections has ended. Ending them is their owner's. */
  async drain(): Promise<void> {
    await this.suspend();
    await this.#count.until((connections) => connections === 0);
  }

  /** For handshakes that begin from now on. Does nothing on a listener without TLS. */
  useCertificates(certificates: CertificateSet): void {
    this.#tls?.useCertificates(certificates);
  }

  /**
   * Stops accepting: new connections are refused by the system when it resolves. Those that are open go on, and those that have waited
   * for one of them to end are served beside them: it may end too late for them. `shared`: others accept from the same socket, and
   * go on.
   */
  async suspend(shared = false): Promise<void> {
    if (this.#open) {
      this.#open = false;
      for (const socket of this.#waiting.splice(0)) if (!socket.destroyed) this.#serve(socket);
      // The server counts as closed only when its connections have ended, which is not waited for here.
      this.#closing = closeBehind(this.#server, {
        size: this.#options.backlog ?? DEFAULT_BACKLOG,
        accepted: () => this.#accepted,
        shared: shared || this.#options.isShared === true || this.#options.path !== undefined,
      });
    }
    await this.#closing;
  }

  /** Accepts (again), on the same port. */
  async resume(): Promise<void> {
    if (this.#open) return;
    await this.#closing;
    const { path } = this.#options;
    try {
      await this.#listen();
    } catch (error) {
      const stale = (error as NodeJS.ErrnoException).code === 'EADDRINUSE' && path !== undefined;
      if (!stale || !(await removeStaleSocket(path))) throw error;
      await this.#listen();
    }
    if (path === undefined) this.#port = (this.#server.address() as AddressInfo).port;
    this.#open = true;
    // Accepting fails for want of file descriptors or because the client was gone: the next one may succeed.
    this.#server.removeAllListeners('error');
    this.#server.on('error', (error) => {
      this.#observer.observe({ kind: 'accept-failed', url: this.url, reason: error.message });
    });
  }

  async #listen(): Promise<void> {
    const { address, port, path, backlog = DEFAULT_BACKLOG, handle } = this.#options;
    const where = path === undefined ? { host: address, port: this.#port || port } : { path };
    await new Promise<void>((resolve, reject) => {
      const opened = (): void => {
        this.#server.off('error', reject);
        resolve();
      };
      this.#server.once('error', reject);
      if (handle === undefined) this.#server.listen({ ...where, backlog }, opened);
      else this.#server.listen(handle, backlog, opened);
    });
  }

  /** Serves a connection as soon as there is room for it, or at once where no more are to come. It must not have been read from. */
  admit(socket: Socket): void {
    const { maxConnections = DEFAULT_MAX_CONNECTIONS, maxWaiting = DEFAULT_MAX_WAITING } = this.#limits;
    if (!this.#open || this.#count.value < maxConnections) {
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
    this.#count.add();
    this.#counted(1);
    (socket as ServedSocket)[LISTENER] = this;
    socket.on('close', release);
    if (this.#proxy === null) this.#begin(socket, null);
    else this.#proxy.accept(socket);
  }

  /** A connection has ended. */
  [RELEASE](): void {
    this.#count.remove();
    this.#counted(-1);
    this.#serveWaiting();
  }

  #serveWaiting(): void {
    const { maxConnections = DEFAULT_MAX_CONNECTIONS } = this.#limits;
    while (this.#count.value < maxConnections) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      if (!next.destroyed) this.#serve(next);
    }
  }

  /** What comes now is the client's, TLS or not. */
  readonly #begin = (socket: Socket, header: ProxyHeader | null): void => {
    if (this.#tls !== null) {
      this.#tls.accept(socket, header);
      return;
    }
    this.#accept(socket, header);
    socket.resume();
  };
}
