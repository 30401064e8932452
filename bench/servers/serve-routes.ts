// Routes in TypeScript on howdah's engine, with everything between them and the socket but a database: the catalog has no rows.
import { Catalog } from '../../src/catalog/catalog.ts';
import { emptyRows } from '../../src/catalog/snapshot.ts';
import { HttpServer } from '../../src/server/http-server.ts';
import { Listener } from '../../src/transport/listener.ts';
import { Application } from '../../src/web/application.ts';
import type { Events } from '../../src/web/events.ts';
import { requestHandler } from '../../src/web/request-handler.ts';
import type { Route } from '../../src/web/route.ts';
import type { SqlClient } from '../../src/web/sql-client.ts';
import { benchPort } from './announce.ts';

const LISTENER_ID = 1;
const DRAIN_MS = 1000;
const MAX_BODY_BYTES = 1_000_000;
const MAX_RESULT_BYTES = 1_000_000;
const HANDLER_TIMEOUT_MS = 30_000;

const observer = { observe: () => undefined };
const notHere = (): never => {
  throw new Error('there is no database here');
};

/** Serves them on the harness's port; gives what ends that. */
export async function serveRoutes(routes: readonly Route[]): Promise<() => Promise<void>> {
  const catalog = new Catalog({
    loadRows: () => Promise.resolve({ ...emptyRows(), epoch: '1' }),
    dispatcher: { dispatch: (call) => call.complete({ kind: 'no-row' }) },
    observer,
    proxy: notHere,
    file: notHere,
    maxBodyBytes: MAX_BODY_BYTES,
    maxResultBytes: MAX_RESULT_BYTES,
    handlerTimeoutMs: HANDLER_TIMEOUT_MS,
    dev: false,
  });
  const application = new Application(
    { routes },
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
  return async () => {
    await listener.suspend();
    await server.drain(DRAIN_MS);
  };
}
