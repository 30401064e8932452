// Plain text with howdah's engine and a handler in TypeScript: the connection driver, the stream handlers and the request
// handler that every route goes through. Without a log of requests, as its peers have none.
import { HttpServer } from '../../src/server/http-server.ts';
import { Listener } from '../../src/transport/listener.ts';
import type { WholeResponse } from '../../src/web/exchange.ts';
import { requestHandler } from '../../src/web/request-handler.ts';
import { announceReady, benchPort } from './announce.ts';

const LISTENER_ID = 1;
const DRAIN_MS = 1000;
const BODY = 'Hello, World!';

const observer = { observe: () => undefined };
const server = new HttpServer(
  {
    handlers: [
      requestHandler((exchange) => {
        const response: WholeResponse = {
          status: 200,
          fields: ['content-type', 'text/plain; charset=utf-8'],
          body: BODY,
        };
        exchange.respond(response);
      }),
    ],
    observer,
    observeRequests: false,
  },
  // Its peers do not close a connection after a number of requests.
  { maxKeepalive: Infinity },
);
const listener = await Listener.open(
  { address: '127.0.0.1', port: benchPort() },
  (socket) => server.accept(socket, LISTENER_ID),
  observer,
);
announceReady(async () => {
  await listener.suspend();
  await server.drain(DRAIN_MS);
});
