// Asks a server to cancel what one of its backends runs (PostgreSQL protocol, "Canceling Requests in Progress"): a connection of its
// own that carries the request and is closed without an answer. Whether anything was cancelled shows elsewhere.
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { writeCancelRequest } from '../../protocol/postgres/frontend-messages.ts';
import { STARTUP } from '../../protocol/postgres/message-types.ts';
import { MessageWriter } from '../../protocol/postgres/message-writer.ts';
import { socketPath } from './connection-string.ts';
import type { BackendIdentity } from './server-link.ts';

/** A server that does not take it in this time does not do so at all. */
const CANCEL_TIMEOUT_MS = 5000;

const TLS_ACCEPTED = 0x53;

/** Resolves when the server has taken the request and closed the connection; rejects where it could not be sent. */
export function requestCancel(backend: BackendIdentity): Promise<void> {
  return new Promise((resolve, reject) => {
    const { host, port } = backend.host;
    const socket = host.startsWith('/') ? connect(socketPath(host, port)) : connect(port, host);
    const sendOver = (stream: Socket): void => {
      stream.write(cancelMessage(backend));
      // Its end is the answer; a server behind TLS may just cut it off.
      stream.on('error', () => resolve());
      stream.on('close', () => resolve());
      stream.resume();
    };
    socket.setTimeout(CANCEL_TIMEOUT_MS, () => socket.destroy(new Error('the server does not answer')));
    socket.once('error', reject);
    socket.once('connect', () => {
      if (backend.tls === false) {
        sendOver(socket);
        return;
      }
      socket.write(tlsRequest());
      socket.once('data', (answer: Buffer) => {
        if (answer[0] !== TLS_ACCEPTED) {
          socket.destroy(new Error('the server refuses TLS'));
          return;
        }
        const secure = connectTls({
          ...backend.tls,
          socket,
          ...(isIP(host) === 0 ? { servername: host } : { host }),
        });
        secure.once('error', reject);
        secure.once('secureConnect', () => sendOver(secure));
      });
    });
    socket.once('close', () => reject(new Error('the connection for the cancellation was closed')));
  });
}

function cancelMessage({ processId, secretKey }: BackendIdentity): Buffer {
  const key = Buffer.alloc(4);
  key.writeInt32BE(secretKey | 0);
  const writer = new MessageWriter();
  writeCancelRequest(writer, processId, key);
  return Buffer.from(writer.take());
}

function tlsRequest(): Buffer {
  const message = Buffer.alloc(8);
  message.writeInt32BE(8, 0);
  message.writeInt32BE(STARTUP.sslRequest, 4);
  return message;
}
