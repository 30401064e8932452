// Ends a connection such that the client can tell that what it got is not whole.
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/**
 * Resets the TCP connection. Over TLS, the connection ends without close_notify, which says the same (RFC 9112 §9.8); there
 * is no resetting a socket that TLS has taken over.
 */
export function resetSocket(socket: Socket): void {
  if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}
