// The stack of an SQL error that an application sees.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { application, route, serve, SqlFailure } from '../../src/index.ts';

test('with dev, an SQL error has the place of the statement in its stack, in a transaction too, and no function of howdah before it', async () => {
  const seen: unknown[] = [];
  const keep = (error: unknown): Response => {
    seen.push(error);
    return new Response('failed');
  };
  const app = application({
    routes: [
      route('/tagged', (_request, { db }) =>
        (async function askedHere() {
          await new Promise(setImmediate);
          return Response.json(await db`select * from nowhere`);
        })().catch(keep),
      ),
      route('/transaction', (_request, { db }) =>
        db
          .transaction(async function withinHere(transaction) {
            return Response.json(await transaction.query('select 1 / $1::int', [0]));
          })
          .catch(keep),
      ),
    ],
  });
  const server = await serve(app, { memory: true, dev: true, listen: { host: '127.0.0.1', port: 0 } });
  try {
    await server.inject('/tagged');
    await server.inject('/transaction');
  } finally {
    await server.close(1000);
  }
  const [tagged, inTransaction] = seen;
  assert.ok(tagged instanceof SqlFailure && inTransaction instanceof SqlFailure);
  assert.match(
    tagged.stack ?? '',
    /^SqlFailure: relation "nowhere" does not exist\n +at askedHere .*call-place\.test\.ts:/,
  );
  assert.match(
    inTransaction.stack ?? '',
    /^SqlFailure: division by zero\n +at withinHere .*call-place\.test\.ts:/,
  );
});
