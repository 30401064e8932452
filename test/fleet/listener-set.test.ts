import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { test } from 'node:test';
import type { ListenerRow } from '../../src/catalog/catalog-rows.ts';
import { ListenerSet, openHere } from '../../src/fleet/listener-set.ts';
import type { Observation } from '../../src/observe/observation.ts';
import { RawClient } from '../support/http-fixture.ts';

function row(id: number, port = 0, more: Partial<ListenerRow> = {}): ListenerRow {
  return { id, address: '127.0.0.1', port, effectivePort: 0, protocol: 'http', ...more };
}

/** A set whose connections are answered with the id of their listener. */
function makeSet() {
  const observations: Observation[] = [];
  const sockets: Socket[] = [];
  const observer = { observe: (observation: Observation) => void observations.push(observation) };
  const set = new ListenerSet(
    openHere((socket, id) => {
      sockets.push(socket);
      socket.on('error', () => {});
      socket.write(`listener ${id}`);
    }, observer),
    observer,
  );
  const apply = async (rows: readonly ListenerRow[], whole = false) => (await set.apply(rows, whole)).results;
  return {
    set,
    apply,
    observations,
    sockets,
    async [Symbol.asyncDispose]() {
      await set.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function greeting(port: number | null | undefined): Promise<string> {
  const client = await RawClient.connect(port ?? 0);
  const text = await client.untilText('listener ');
  client.socket.destroy();
  return text;
}

test('each row gets a socket of its own, also with port 0', async () => {
  await using made = makeSet();
  const [first, second] = await made.apply([row(1), row(2)]);
  assert.equal(await greeting(first?.port), 'listener 1');
  assert.equal(await greeting(second?.port), 'listener 2');
});

test('a row that asks for the port that it had got keeps its socket', async () => {
  await using made = makeSet();
  const [before] = await made.apply([row(1)]);
  const port = before?.port ?? 0;
  const client = await RawClient.connect(port);
  const [after] = await made.apply([row(1, port, { effectivePort: port })]);
  assert.deepEqual([after?.port, after?.failures], [port, []]);
  assert.equal(await greeting(port), 'listener 1');
  await made.apply([row(1, port, { effectivePort: port })]);
  assert.equal(await greeting(port), 'listener 1');
  client.socket.destroy();
});

test('a row with port 0 gets the port that it had, and without a word another one where that is taken', async () => {
  await using made = makeSet();
  const [first] = await made.apply([row(1)]);
  const port = first?.port ?? 0;
  await made.set.close();
  const [again] = await made.apply([row(1, 0, { effectivePort: port })]);
  assert.equal(again?.port, port);
  const [, other] = await made.apply([
    row(1, 0, { effectivePort: port }),
    row(2, 0, { effectivePort: port }),
  ]);
  assert.notEqual(other?.port, port);
  assert.deepEqual(other?.failures, []);
  assert.ok(!made.observations.some(({ kind }) => kind === 'listener-failed'));
});

test('an unchanged row keeps its socket, port 0 included', async () => {
  await using made = makeSet();
  const [before] = await made.apply([row(1)]);
  const client = await RawClient.connect(before?.port ?? 0);
  const [after] = await made.apply([row(1), row(2)]);
  assert.equal(after?.port, before?.port);
  assert.equal(made.observations.filter((o) => o.kind === 'listener-closed').length, 0);
  assert.equal(client.ended, false);
  client.socket.destroy();
});

test('a row that is gone is refused, and its open connections go on', async () => {
  await using made = makeSet();
  const [first] = await made.apply([row(1)]);
  const client = await RawClient.connect(first?.port ?? 0);
  await client.untilText('listener 1');
  await made.apply([]);
  await assert.rejects(RawClient.connect(first?.port ?? 0), { code: 'ECONNREFUSED' });
  made.sockets[0]?.write(' still here');
  await client.untilText('still here');
  client.socket.destroy();
});

test('a port in use falls back to the effective port it had, then to any (omni_httpd.md §5.3)', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const spare = createServer().listen(0, '127.0.0.1');
  await once(spare, 'listening');
  const { port: sparePort } = spare.address() as AddressInfo;
  await using made = makeSet();
  const [any] = await made.apply([row(1, port)]);
  assert.ok(any?.port !== null && any?.port !== port);
  assert.equal(any?.failures[0]?.code, 'EADDRINUSE');
  spare.close();
  await once(spare, 'close');
  const [, known] = await made.apply([row(1, port), row(2, port, { effectivePort: sparePort })]);
  assert.equal(known?.port, sparePort);
  const failed = made.observations.find((o) => o.kind === 'listener-failed');
  assert.match(String(failed?.kind === 'listener-failed' && failed.reason), /EADDRINUSE/);
  taken.close();
});

test('an address that is not here fails with its reason, and the other rows are served', async () => {
  await using made = makeSet();
  const [bad, good] = await made.apply([row(1, 0, { address: '192.0.2.1' }), row(2)]);
  assert.equal(bad?.port, null);
  assert.equal(bad?.failures[0]?.code, 'EADDRNOTAVAIL');
  assert.equal(await greeting(good?.port), 'listener 2');
});

test('a row that changes its address on the same port moves there', async () => {
  await using made = makeSet();
  const [first] = await made.apply([row(1)]);
  const port = first?.port ?? 0;
  await made.apply([row(1, port)]);
  const [moved] = await made.apply([row(1, port, { address: '0.0.0.0' })]);
  assert.equal(moved?.port, port);
  assert.equal(await greeting(port), 'listener 1');
});

test('a change that cannot be made as a whole leaves everything as it was, and says why', async () => {
  await using made = makeSet();
  const [kept, moving] = await made.apply([row(1), row(2)]);
  const port = moving?.port ?? 0;
  await made.apply([row(1), row(2, port)], true);
  const changed = [row(2, port, { address: '0.0.0.0' }), row(3), row(4, 0, { address: '192.0.2.1' })];
  const { refused, results } = await made.set.apply(changed, true);
  assert.equal(refused, true);
  assert.equal(results[2]?.failures[0]?.code, 'EADDRNOTAVAIL');
  assert.equal(await greeting(kept?.port), 'listener 1');
  assert.equal(await greeting(port), 'listener 2');
  await assert.rejects(RawClient.connect(results[1]?.port ?? 0), { code: 'ECONNREFUSED' });
});

test('a row that was not served before does not stand in the way of a change of another', async () => {
  await using made = makeSet();
  const bad = row(1, 0, { address: '192.0.2.1' });
  await made.apply([bad]);
  const { refused, results } = await made.set.apply([bad, row(2)], true);
  assert.equal(refused, false);
  assert.equal(await greeting(results[1]?.port), 'listener 2');
});
