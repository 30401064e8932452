// A fetch-style handler in TypeScript, among BENCH_ROUTES routes, with everything between it and the socket but a database: the
// catalog has no rows.
import { Catalog } from '../../src/catalog/catalog.ts';
import { emptyRows } from '../../src/catalog/snapshot.ts';
import { HttpServer } from '../../src/server/http-server.ts';
import { Listener } from '../../src/transport/listener.ts';
import { Application } from '../../src/web/application.ts';
import type { Events } from '../../src/web/events.ts';
import { requestHandler } from '../../src/web/request-handler.ts';
import { route } from '../../src/web/route.ts';
import type { SqlClient } from '../../src/web/sql-client.ts';
import { announceReady, benchPort } from './announce.ts';
import { jsonValue, TEXT, TEXT_TYPE } from './answers.ts';

const LISTENER_ID = 1;
const DRAIN_MS = 1000;
const MAX_BODY_BYTES = 1_000_000;
const HANDLER_TIMEOUT_MS = 30_000;

const observer = { observe: () => undefined };
const notHere = (): never => {
  throw new Error('there is no database here');
};
const catalog = new Catalog({
  loadRows: () => Promise.resolve({ ...emptyRows(), epoch: '1' }),
  dispatcher: { dispatch: (call) => call.complete({ kind: 'no-row' }) },
  observer,
  proxy: notHere,
  file: notHere,
  maxBodyBytes: MAX_BODY_BYTES,
  handlerTimeoutMs: HANDLER_TIMEOUT_MS,
  dev: false,
});
const headers = { 'content-type': TEXT_TYPE };
const others = Number(process.env['BENCH_ROUTES'] ?? '4') - 4;
const application = new Application(
  {
    routes: [
      route('GET /', () => new Response(TEXT, { headers })),
      route('POST /', async (request) => new Response(await request.bytes(), { headers })),
      route('GET /json', () => Response.json(jsonValue())),
      route(
        'GET /users/:id/notes/:note',
        (_, { bindings }) => new Response(`${bindings.id} ${bindings.note}`, { headers }),
      ),
      ...Array.from({ length: others }, (_, i) =>
        route(`GET /collection-${i}/:id`, () => new Response(String(i), { headers })),
      ),
    ],
  },
  {
    db: notHere as unknown as SqlClient,
    events: notHere as unknown as Events,
    observer,
    handlerTimeoutMs: HANDLER_TIMEOUT_MS,
    maxBodyBytes: MAX_BODY_BYTES,
    dev: false,
  },
);
await catalog.refresh();
catalog.setApplication({ application, sqlFallback: false });
const server = new HttpServer(
  { handlers: [requestHandler(catalog.handle)], observer, observeRequests: false },
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
