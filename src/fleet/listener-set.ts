// The open sockets for the rows of omni_httpd.listeners: opens what is missing, keeps what is unchanged, closes what no
// row asks for any more (omni_httpd.md §5.3). Reads and writes no database.
import type { Socket } from 'node:net';
import type { ListenerRow } from '../catalog/catalog-rows.ts';
import { HowdahError } from '../errors.ts';
import type { Observer } from '../observe/observation.ts';
import type { ProxyHeader } from '../transport/listener.ts';
import { AllowedPeers } from '../transport/allowed-peers.ts';
import type { CertificateSet } from '../transport/certificate-set.ts';
import { Listener, type ListenerOptions } from '../transport/listener.ts';
import type { SocketHandle } from '../transport/socket-handle.ts';
import type { TlsOptions } from '../transport/tls-acceptor.ts';
import { NO_CERTIFICATE } from './certificates.ts';

export interface AppliedListeners {
  /** One for each row; where everything was refused, what it would have been. */
  readonly results: readonly ListenerResult[];
  readonly refused: boolean;
}

/** An open socket, in this process or shared by others. */
export type RowListener = Pick<Listener, 'url' | 'port' | 'useCertificates' | 'suspend' | 'drain'>;

/** Opens a socket for a row; rejects with the system's error. */
export type OpenListener = (row: ListenerRow, options: ListenerOptions) => Promise<RowListener>;

interface OpenRow {
  readonly row: ListenerRow;
  readonly listener: RowListener;
}

/** The port that a row is served on. */
export interface NodePort {
  readonly listener: number;
  readonly port: number;
}

/** What became of a row: the port it is served on, or why it is not. */
export interface ListenerResult {
  readonly id: number;
  /** Host and port that the row asks for. */
  readonly address: string;
  readonly port: number | null;
  /** What was tried and failed, in order; empty where the first try succeeded. */
  readonly failures: readonly NodeJS.ErrnoException[];
}

/** Sockets that this process accepts from; `inherited` are open already. */
export function openHere(
  accept: (socket: Socket, listenerId: number, header: ProxyHeader | null) => void,
  observer: Observer,
  inherited: (address: string, port: number) => SocketHandle | undefined = () => undefined,
  proxyFrom: readonly string[] = [],
): OpenListener {
  const proxy = proxyOptions(proxyFrom);
  return (row, options) => {
    const { address, port, path } = options;
    const handle = path === undefined ? inherited(address, port === 0 ? row.effectivePort : port) : undefined;
    return Listener.open(
      { ...options, ...proxy, ...(handle === undefined ? {} : { handle, isShared: true }) },
      (socket, header) => accept(socket, row.id, header),
      observer,
    );
  };
}

/** For listeners whose peers in `proxyFrom` send PROXY protocol headers. */
export function proxyOptions(proxyFrom: readonly string[] = []): Pick<ListenerOptions, 'proxy'> {
  return proxyFrom.length === 0 ? {} : { proxy: { allowed: new AllowedPeers(proxyFrom) } };
}

/** What requests over a UNIX socket give as their listener: rows have addresses, and so it is none of them. */
const UNIX_LISTENER: ListenerRow = { id: 0, address: '', port: 0, protocol: 'http', effectivePort: 0 };

export class ListenerSet {
  readonly #openListener: OpenListener;
  readonly #observer: Observer;
  readonly #clientCertificates: TlsOptions['clientCertificates'];
  #certificates: CertificateSet | null = null;
  #open = new Map<number, OpenRow>();
  readonly #unixPath: string | null;
  #unix: RowListener | null = null;
  #unixFailure: string | null = null;
  /** Rows of the configuration in force that are not served. */
  #failed = new Map<number, ListenerRow>();
  /** Of listeners that are closed, as long as they have connections. */
  readonly #draining = new Set<Promise<void>>();

  constructor(
    openListener: OpenListener,
    observer: Observer,
    clientCertificates: TlsOptions['clientCertificates'] = 'none',
    unixPath: string | null = null,
  ) {
    this.#unixPath = unixPath;
    this.#openListener = openListener;
    this.#observer = observer;
    this.#clientCertificates = clientCertificates;
  }

  /** For handshakes from now on, on all listeners; open connections go on. */
  useCertificates(certificates: CertificateSet | null): void {
    this.#certificates = certificates;
    if (certificates === null) return;
    for (const { listener } of this.#open.values()) listener.useCertificates(certificates);
  }

  /** Resolves when the connections of those that are closed have ended, handshakes included. */
  async connectionsEnded(): Promise<void> {
    await Promise.all(this.#draining);
  }

  /** Of each row that is served. */
  get ports(): NodePort[] {
    return [...this.#open].map(([id, { listener }]) => ({ listener: id, port: listener.port }));
  }

  get urls(): string[] {
    const rows = [...this.#open.values()].map(({ listener }) => listener.url);
    return this.#unix === null ? rows : [...rows, this.#unix.url];
  }

  /** Throws a HowdahError where the UNIX socket was to be opened and could not be. */
  assertUnixServed(): void {
    if (this.#unixFailure === null) return;
    throw new HowdahError('HOWDAH_ADDRESS_UNUSABLE', `unix:${this.#unixPath}: ${this.#unixFailure}`);
  }

  /** The UNIX socket is no row's, and opened with the first rows that are applied (again). */
  async #openUnix(): Promise<void> {
    const path = this.#unixPath;
    if (path === null || this.#unix !== null) return;
    try {
      this.#unix = await this.#openListener(UNIX_LISTENER, { address: '', port: 0, path });
      this.#unixFailure = null;
      this.#observer.observe({ kind: 'listener-opened', id: UNIX_LISTENER.id, url: this.#unix.url });
    } catch (error) {
      this.#unixFailure = (error as Error).message;
      this.#observer.observe({
        kind: 'listener-failed',
        id: UNIX_LISTENER.id,
        address: `unix:${path}`,
        reason: this.#unixFailure,
      });
    }
  }

  /**
   * Brings the sockets in line with `rows`: new ones accept before old ones are closed. Never rejects. `whole`: a new or
   * changed row that cannot be served leaves everything as it was, and `refused` is true.
   */
  async apply(rows: readonly ListenerRow[], whole = false): Promise<AppliedListeners> {
    const before = this.#open;
    const after = new Map<number, OpenRow>();
    const opened: OpenRow[] = [];
    const moved: OpenRow[] = [];
    const failed = new Map<number, ListenerRow>();
    const results: ListenerResult[] = [];
    let refused = false;
    await this.#openUnix();
    for (const row of rows) {
      const kept = before.get(row.id);
      // Also where it now asks for the port that it had got.
      if (
        kept !== undefined &&
        (isSame(kept.row, row) || isSame({ ...kept.row, port: kept.listener.port }, row))
      ) {
        after.set(row.id, { ...kept, row });
        results.push({ id: row.id, address: addressOf(row), port: kept.listener.port, failures: [] });
        continue;
      }
      // A row that moves to another address or protocol of the same port needs its old socket out of the way.
      if (kept !== undefined && kept.row.port === row.port) {
        await this.#close(kept);
        before.delete(row.id);
        moved.push(kept);
      }
      const result = await this.#openRow(row, after);
      results.push(result);
      const now = after.get(row.id);
      if (now !== undefined) {
        opened.push(now);
        continue;
      }
      failed.set(row.id, row);
      const known = this.#failed.get(row.id);
      refused ||= whole && (known === undefined || !isSame(known, row));
    }
    if (refused) {
      for (const row of opened) await this.#close(row);
      for (const { row, listener } of moved)
        await this.#openRow({ ...row, effectivePort: listener.port }, before);
      return { results, refused };
    }
    this.#open = after;
    this.#failed = failed;
    const gone = [...before].filter(([id, { listener }]) => after.get(id)?.listener !== listener);
    await Promise.all(gone.map(([, old]) => this.#close(old)));
    return { results, refused };
  }

  /** Stops accepting on all; connections go on. */
  async close(): Promise<void> {
    const open = this.#open;
    this.#open = new Map();
    const unix = this.#unix;
    this.#unix = null;
    const rows = [...open.values(), ...(unix === null ? [] : [{ row: UNIX_LISTENER, listener: unix }])];
    await Promise.all(rows.map((row) => this.#close(row)));
  }

  /** The port asked for; where that is in use one that it had, then any. */
  async #openRow(row: ListenerRow, into: Map<number, OpenRow>): Promise<ListenerResult> {
    const failures: NodeJS.ErrnoException[] = [];
    const failed: ListenerResult = { id: row.id, address: addressOf(row), port: null, failures };
    const tls = this.#tlsOptions(row);
    if (tls === null) {
      failures.push(new Error(NO_CERTIFICATE));
      this.#observeFailure(row, row.port, NO_CERTIFICATE);
      return failed;
    }
    const before = [row.effectivePort, ...(row.rememberedPorts ?? [])].filter((port) => port !== 0);
    // Where any port will do, the one that it had is best: after a stop, clients find it again.
    const isAny = row.port === 0;
    const ports = new Set(isAny ? [...before, 0] : [row.port, ...before, 0]);
    for (const port of ports) {
      try {
        const listener = await this.#openListener(row, { address: row.address, port, ...tls });
        into.set(row.id, { row, listener });
        this.#observer.observe({ kind: 'listener-opened', id: row.id, url: listener.url });
        return { ...failed, port: listener.port };
      } catch (error) {
        const failure = error as NodeJS.ErrnoException;
        // Nobody has asked for one that is remembered.
        if (port === row.port || port === 0 || failure.code !== 'EADDRINUSE') {
          failures.push(failure);
          this.#observeFailure(row, port, failure.message);
        }
        // Another port helps only where this one is taken.
        if (failure.code !== 'EADDRINUSE') break;
      }
    }
    return failed;
  }

  /** null: the row needs a certificate, and there is none. */
  #tlsOptions({ protocol }: ListenerRow): Pick<ListenerOptions, 'tls'> | null {
    if (protocol === 'http') return {};
    const certificates = this.#certificates;
    const clientCertificates = this.#clientCertificates ?? 'none';
    return certificates === null ? null : { tls: { certificates, clientCertificates } };
  }

  #observeFailure(row: ListenerRow, port: number, reason: string): void {
    this.#observer.observe({
      kind: 'listener-failed',
      id: row.id,
      address: `${row.address}:${port}`,
      reason,
    });
  }

  async #close({ row, listener }: OpenRow): Promise<void> {
    const { url } = listener;
    const drained = listener.drain().finally(() => this.#draining.delete(drained));
    this.#draining.add(drained);
    // It accepts no more then; whoever awaits the close counts on nothing else.
    await listener.suspend();
    this.#observer.observe({ kind: 'listener-closed', id: row.id, url });
  }
}

function isSame(a: ListenerRow, b: ListenerRow): boolean {
  return a.address === b.address && a.port === b.port && a.protocol === b.protocol;
}

function addressOf({ address, port }: ListenerRow): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}
