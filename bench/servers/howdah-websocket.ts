// WebSockets by howdah's engine with a handler in TypeScript: sends back what it gets; what comes on the connection for /publish goes to all
// the others. BENCH_DEFLATE=1: with permessage-deflate, where the client offers it.
import { HttpServer } from '../../src/server/http-server.ts';
import {
  prepareBinary,
  prepareText,
  type WebSocketConnection,
} from '../../src/server/websocket-connection.ts';
import { Listener } from '../../src/transport/listener.ts';
import { requestHandler } from '../../src/web/request-handler.ts';
import { acceptWebSocket } from '../../src/web/websocket.ts';
import { announceReady, benchPort } from './announce.ts';

const DRAIN_MS = 1000;
const observer = { observe: () => undefined };
const audience = new Set<WebSocketConnection>();
const options = process.env['BENCH_DEFLATE'] === '1' ? {} : { deflatePolicy: null };

const echo = {
  open: (socket: WebSocketConnection) => void audience.add(socket),
  message: (socket: WebSocketConnection, message: string | Buffer) => void socket.send(message),
  close: (socket: WebSocketConnection) => void audience.delete(socket),
};
const publisher = {
  message(_socket: WebSocketConnection, message: string | Buffer): void {
    const prepared = typeof message === 'string' ? prepareText(message) : prepareBinary(message);
    for (const socket of audience) socket.sendPrepared(prepared);
  },
};
const server = new HttpServer({
  handlers: [
    requestHandler((exchange) => {
      const handler = exchange.head.path === '/publish' ? publisher : echo;
      if (!acceptWebSocket(exchange, handler, options)) exchange.fail(404);
    }),
  ],
  observer,
  observeRequests: false,
});
const listener = await Listener.open(
  { address: '127.0.0.1', port: benchPort() },
  (socket) => server.accept(socket, 1),
  observer,
);
announceReady(async () => {
  await listener.suspend();
  await server.drain(DRAIN_MS);
});
