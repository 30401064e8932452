// What the server knows of each of its connections, whatever it speaks, and what a connection knows of its server.
import type { Socket } from 'node:net';
import type { H2cUpgrade } from './h2c-upgrade.ts';
import type { ServerClock, Timed } from './server-clock.ts';
import type { ServerOptions } from './server-options.ts';
import type { ConnectionInfo } from './stream-handler.ts';
import type { StreamContext } from './stream.ts';

export interface Connection extends Timed {
  readonly info: ConnectionInfo;
  /** What is spoken on it: `HTTP/1`, `HTTP/2`, or what it was switched to. */
  readonly protocol: string;
  /** Finishes the requests that are under way, takes no further ones, and closes. */
  drain(): void;
  /** Ends at once. */
  destroy(): void;
}

export interface ConnectionHost {
  readonly options: ServerOptions;
  readonly clock: ServerClock;
  readonly streams: StreamContext;
  /** Connections finish the request they are in and take no further one. */
  readonly draining: boolean;
  /** The connection's socket has closed, or is another connection's now. */
  forget(connection: Connection): void;
  /** Speaks HTTP/2 on a socket from now on. `first`: what was read from it already; `upgrade`: the request that asked. */
  acceptHttp2(socket: Socket, info: ConnectionInfo, first: Buffer | null, upgrade: H2cUpgrade | null): void;
  /** A socket that was another connection's is this one's now. To be called before that one is forgotten. */
  adopt(connection: Connection): void;
}
