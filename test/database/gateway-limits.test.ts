// What a gateway bounds, and how it begins and ends.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { EmbeddedDatabase } from '../../src/database/embedded/embedded-database.ts';
import { startGateway, type Gateway, type GatewayOptions } from '../../src/database/gateway/gateway.ts';
import { MessageWriter } from '../../src/protocol/postgres/message-writer.ts';
import { writeQuery } from '../../src/protocol/postgres/frontend-messages.ts';
import { client, psql, QUIET, rawConnection, values } from './gateway-clients.ts';
import { call } from './session-subject.ts';
import { openPrepared, temporaryDirectory } from './support/embedded.ts';
describe('limits of the gateway', () => {
  async function open(
    context: TestContext,
    options: GatewayOptions,
    gatewayStatementMs = 60_000,
  ): Promise<{ database: EmbeddedDatabase; gateway: Gateway }> {
    const { database } = await openPrepared(context, { gatewayStatementMs });
    const gateway = await startGateway(database, { host: '127.0.0.1', port: 0 }, QUIET, options);
    context.after(() => gateway.close());
    return { database, gateway };
  }

  it('a client that holds the engine idle in a transaction is rolled back and disconnected', async (context) => {
    const { database, gateway } = await open(context, { gatewayHoldMs: 50 });
    const one = await client(context, gateway);
    const ended = once(one, 'error');
    await one.query('create table held (x int)');
    await one.query('begin');
    await one.query('insert into held values (1)');
    const [error] = (await ended) as [{ code: string }];
    assert.equal(error.code, '25P03');
    assert.deepEqual(await call(database, 'select count(*) from held'), { kind: 'row', columns: ['0'] });
  });

  it('a client that stops in the middle of COPY FROM STDIN is too', async (context) => {
    const { database, gateway } = await open(context, { gatewayHoldMs: 50 });
    await database.exec('create table copied (x int)');
    const raw = await rawConnection(gateway);
    const writer = new MessageWriter();
    writeQuery(writer, 'copy copied from stdin');
    raw.socket.write(writer.take());
    await raw.ended;
    assert.match(raw.received(), /C25P03/);
    assert.deepEqual(await call(database, 'select count(*) from copied'), { kind: 'row', columns: ['0'] });
  });

  it('a statement that runs too long ends with 57014, and the engine starts anew', async (context) => {
    const { database, gateway } = await open(context, {}, 300);
    const one = await client(context, gateway);
    await assert.rejects(one.query('do $$ begin loop end loop; end $$'), { code: '57014' });
    assert.equal((await call(database, 'select 1')).kind, 'row');
    const other = await client(context, gateway);
    assert.deepEqual(await values(other, 'select 2'), [2]);
  });

  it('one client more than allowed is refused with 53300, and a place that was left is free', async (context) => {
    const { gateway } = await open(context, { maxClients: 2 });
    const one = await client(context, gateway);
    await client(context, gateway);
    await assert.rejects(client(context, gateway), { code: '53300' });
    const left = once(one, 'end');
    await one.end();
    await left;
    const late = await client(context, gateway);
    assert.deepEqual(await values(late, 'select 1'), [1]);
  });

  it('an address that is not loopback, or is taken, is an error', async (context) => {
    const { database, gateway } = await open(context, {});
    for (const address of [
      { host: '0.0.0.0', port: 0 },
      { host: '127.0.0.1', port: Number(gateway.address.split(':')[1]) },
    ]) {
      await assert.rejects(startGateway(database, address, QUIET), { code: 'HOWDAH_ADDRESS_UNUSABLE' });
    }
  });

  it('a UNIX socket serves psql, and is taken over where nobody listens to it any more', async (context) => {
    const { database } = await open(context, {});
    const directory = temporaryDirectory();
    context.after(() => directory.remove());
    const path = join(directory.path, '.s.PGSQL.6543');
    const leftBehind = spawn(process.execPath, [
      '-e',
      `require('net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`,
    ]);
    await once(leftBehind.stdout, 'data');
    leftBehind.kill('SIGKILL');
    await once(leftBehind, 'exit');
    const gateway = await startGateway(database, { path }, QUIET);
    assert.deepEqual(await psql(gateway.url, 'select 41 + 1'), { output: '42\n', code: 0 });
    await assert.rejects(startGateway(database, { path }, QUIET), { code: 'HOWDAH_ADDRESS_UNUSABLE' });
    await gateway.close();
  });

  it('closing disconnects clients and rolls their transactions back', async (context) => {
    const { database } = await openPrepared(context);
    const gateway = await startGateway(database, { host: '127.0.0.1', port: 0 }, QUIET);
    const one = await client(context, gateway);
    await one.query('create table open_at_close (x int)');
    await one.query('begin; insert into open_at_close values (1)');
    const ended = once(one, 'error');
    await gateway.close();
    assert.equal(((await ended) as [{ code: string }])[0].code, '57P01');
    assert.deepEqual((await database.query('select count(*) from open_at_close')).rows, [['0']]);
  });
});
