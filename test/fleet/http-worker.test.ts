// When a worker that ends says that it serves nothing any more.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Database } from '../../src/database/database.ts';
import { HttpWorker } from '../../src/fleet/http-worker.ts';

/** Takes what it is asked, and never answers. */
const silent: Pick<Database, 'dispatch'> = { dispatch: () => undefined };

test('nothing is taken any more from when the last connection has ended, not only when all is put in order', async () => {
  const worker = new HttpWorker({
    database: silent as Database,
    observer: { observe: () => undefined },
    observeRequests: false,
    dev: false,
    compress: false,
    decompress: false,
    maxBodyBytes: 1,
    maxResultBytes: 1,
    handlerTimeoutMs: 1,
    eventRetentionMs: 1,
    allowedDirectories: [],
    applicationModule: null,
  });
  const order: string[] = [];
  const { promise: inOrder, resolve: putInOrder } = Promise.withResolvers<void>();
  worker.webSockets.close = () => {
    order.push('WebSockets');
    return inOrder;
  };
  const served = Promise.withResolvers<void>();
  const closed = worker.close(1000, Promise.resolve(), () => {
    order.push('served');
    served.resolve();
  });
  await served.promise;
  putInOrder();
  await closed;
  assert.deepEqual(order, ['served', 'WebSockets']);
});
