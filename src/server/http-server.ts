// What all connections of an HTTP server share, and the set of them: takes sockets, drains, closes. Not the listening
// sockets (transport/), and not what is said on a connection (http1-connection.ts).
import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';
import { assertOptions } from '../protocol/http2/options.ts';
import type { ProxyHeader } from '../protocol/proxy/header.ts';
import type { Connection, ConnectionHost } from './connection.ts';
import type { H2cUpgrade } from './h2c-upgrade.ts';
import { Http1Connection } from './http1-connection.ts';
import { Http2Driver } from './http2-driver.ts';
import { ServerClock } from './server-clock.ts';
import { DEFAULT_SERVER_OPTIONS, type ServerOptions } from './server-options.ts';
import { SocketInfo } from './socket-info.ts';
import type { StreamContext } from './stream.ts';
import type { ConnectionInfo } from './stream-handler.ts';

/** Deadlines are met at most this late, and within a quarter of the shortest timeout. */
const MAX_CHECK_INTERVAL_MS = 500;

export class HttpServer implements ConnectionHost {
  readonly options: ServerOptions;
  readonly streams: StreamContext;
  readonly clock: ServerClock;
  /** With the time since when. */
  readonly #connections = new Map<Connection, number>();
  #draining = false;
  /** What comes now is ended at once, like what is there. */
  #ending = false;
  #whenEmpty: (() => void) | null = null;

  constructor(streams: StreamContext, options: Partial<ServerOptions> = {}) {
    this.streams = streams;
    this.options = { ...DEFAULT_SERVER_OPTIONS, ...options };
    assertOptions(this.options.http2);
    const { requestTimeoutMs, idleTimeoutMs, lingerTimeoutMs, bodyGraceMs } = this.options;
    const shortest = Math.min(requestTimeoutMs, idleTimeoutMs, lingerTimeoutMs, bodyGraceMs);
    this.clock = new ServerClock(Math.min(MAX_CHECK_INTERVAL_MS, shortest / 4));
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** The connections that have been open longest, at most `limit`, with the time (ms since the epoch) since when. */
  *openConnections(limit: number): Generator<{ readonly connection: Connection; readonly sinceMs: number }> {
    let left = limit;
    for (const [connection, sinceMs] of this.#connections) {
      if (left-- <= 0) return;
      yield { connection, sinceMs };
    }
  }

  /** Connections finish the request they are in and take no further one. */
  get draining(): boolean {
    return this.#draining;
  }

  /**
   * Speaks HTTP on an accepted socket: over TLS, what ALPN has agreed on; without that, HTTP/1 until the client says that
   * it is HTTP/2. `header`: what a proxy has said of the connection before.
   */
  accept(socket: Socket, listenerId: number, header: ProxyHeader | null = null): void {
    const secure = socket instanceof TLSSocket;
    const info = new SocketInfo(socket, listenerId, secure ? 'https' : 'http', header);
    if (secure && socket.alpnProtocol === 'h2') this.acceptHttp2(socket, info, null, null);
    else this.adopt(new Http1Connection(this, socket, info));
  }

  /** Speaks HTTP/2 on a socket. `first`: what was read from it already; `upgrade`: the request that asked for it. */
  acceptHttp2(socket: Socket, info: ConnectionInfo, first: Buffer | null, upgrade: H2cUpgrade | null): void {
    this.adopt(new Http2Driver(this, socket, info, first, upgrade));
  }

  adopt(connection: Connection): void {
    this.#connections.set(connection, this.clock.nowMs);
    this.clock.add(connection);
    if (this.#ending) connection.drain();
  }

  /** Called by a connection whose socket has closed. */
  forget(connection: Connection): void {
    this.#connections.delete(connection);
    this.clock.remove(connection);
    if (this.#connections.size === 0) this.#whenEmpty?.();
  }

  /**
   * Lets requests finish until `deadlineMs` from now, then ends what is left. Resolves when no connection is open, and none
   * comes any more: `accepted` resolves when all that were accepted have ended, those included that are not here yet.
   */
  async drain(deadlineMs: number, accepted: Promise<unknown> = Promise.resolve()): Promise<void> {
    this.#draining = true;
    await this.closeConnections(deadlineMs, accepted);
    this.clock.stop();
  }

  /** The same for the connections that are open now; others may come later. */
  async closeConnections(deadlineMs: number, accepted: Promise<unknown> = Promise.resolve()): Promise<void> {
    const expired = Promise.withResolvers<void>();
    const deadline = setTimeout(() => {
      expired.resolve();
      for (const connection of this.#connections.keys()) connection.destroy();
    }, deadlineMs);
    // One whole turn: a request that has arrived is read before its connection is taken for an idle one.
    await turn();
    await turn();
    this.#ending = true;
    for (const connection of this.#connections.keys()) connection.drain();
    await Promise.race([accepted, expired.promise]);
    if (this.#connections.size > 0) {
      await new Promise<void>((resolve) => {
        this.#whenEmpty = resolve;
      });
    }
    clearTimeout(deadline);
    this.#ending = false;
  }
}
