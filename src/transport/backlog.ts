// The connections that the kernel has taken for a listening socket and nobody has accepted: what becomes of them when it closes. A
// close resets them, with the requests that they have brought.
import { connect, type Server } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { isConnected, limitBacklog } from './socket-handle.ts';

/** What the kernel has is accepted within this time, however many come behind it. */
const MAX_CLOSING_MS = 1000;

export interface Backlog {
  /** How many it may hold. */
  readonly size: number;
  /** Connections that were accepted so far. */
  readonly accepted: () => number;
  /** Others accept from the same socket, and go on; or their clients cannot be made to wait (UNIX sockets). */
  readonly shared: boolean;
}

/**
 * Closes a server when it has accepted all that the kernel had. Without `shared`, no client is reset but one whose handshake is
 * going on in this very moment: those that come meanwhile are made to wait, and refused when the socket is closed.
 */
export async function closeBehind(server: Server, backlog: Backlog): Promise<void> {
  const { accepted, size, shared } = backlog;
  const most = accepted() + size + 1;
  const untilMs = performance.now() + MAX_CLOSING_MS;
  // Clients that come again and again would have it take others all the time.
  if (!shared) limitBacklog(server, 0);
  for (;;) {
    const before = accepted();
    // The first may end this turn, before its connections have been looked for.
    await turn();
    await turn();
    const isOver = accepted() >= most || performance.now() >= untilMs;
    if (!isOver && accepted() > before) continue;
    if (isOver || shared) break;
    if (await closeFull(server)) return;
  }
  server.close();
}

/**
 * Takes the one place in the kernel's queue, so that no client can be in it, and closes. False: a client was there first.
 */
async function closeFull(server: Server): Promise<boolean> {
  const address = server.address();
  if (address === null || typeof address === 'string') return false;
  const { port, family, address: host } = address;
  const any = family === 'IPv6' ? '::' : '0.0.0.0';
  const plug = connect({ port, host: host === any ? (family === 'IPv6' ? '::1' : '127.0.0.1') : host });
  plug.on('error', () => {});
  // It connects at the end of what runs now; what comes from the network is looked at later.
  await new Promise<void>((resolve) => process.nextTick(resolve));
  const isFull = isConnected(plug);
  if (isFull) server.close();
  plug.resetAndDestroy();
  return isFull;
}
