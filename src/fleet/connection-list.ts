// The connections of a worker, one by one, for howdah.connections.
import type { HttpServer } from '../server/http-server.ts';
import type { ConnectionStatus } from './worker-messages.ts';

/** Of more, those that have been open longest. */
const MAX_CONNECTIONS = 1000;

export function connectionList(http: HttpServer): ConnectionStatus[] {
  return Array.from(http.openConnections(MAX_CONNECTIONS), ({ connection, sinceMs }) => ({
    listener: connection.info.listenerId,
    protocol: connection.protocol,
    peer: connection.info.peerAddress,
    since: new Date(sinceMs).toISOString(),
  }));
}
