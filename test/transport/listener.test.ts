// Listening sockets: opened, suspended and resumed, drained, their limits changed and their connections waited for.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Listener } from '../../src/transport/listener.ts';
import type { Exchange } from '../../src/web/exchange.ts';
import { get, RawClient, startHttp } from '../support/http-fixture.ts';

const ok = { status: 200, fields: [], body: 'ok' };

test('port 0 finds a free port, and the url says which', async () => {
  await using http = await startHttp((exchange) => exchange.respond(ok));
  assert.ok(http.listener.port > 0);
  assert.equal(http.listener.url, `http://127.0.0.1:${http.listener.port}`);
});

test('an address in use is an error with the system’s code', async () => {
  await using http = await startHttp((exchange) => exchange.respond(ok));
  const open = Listener.open({ address: '127.0.0.1', port: http.port }, () => {}, { observe: () => {} });
  await assert.rejects(open, { code: 'EADDRINUSE' });
});

test('IPv6 addresses are listened on, and stand in brackets in the url', async (t) => {
  await using http = await startHttp((exchange) => exchange.respond(ok), {
    listener: { address: '::1' },
  }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRNOTAVAIL' && error.code !== 'EAFNOSUPPORT') throw error;
    return null;
  });
  if (http === null) {
    t.skip('this machine has no IPv6');
    return;
  }
  assert.equal(http.listener.url, `http://[::1]:${http.port}`);
  const client = await RawClient.connect(http.port, '::1');
  client.send(get());
  await client.untilText('ok');
  client.socket.destroy();
});

test('a connection beyond maxConnections waits until another ends', async () => {
  await using http = await startHttp((exchange) => exchange.respond(ok), { listener: { maxConnections: 1 } });
  const first = await http.connect();
  first.send(get());
  await first.untilText('ok');
  const second = await http.connect();
  second.send(get());
  first.send(get());
  await first.untilText('ok', 2);
  assert.equal(second.text, '');
  assert.equal(http.listener.connections, 1);
  first.socket.destroy();
  await second.untilText('ok');
});

test('a connection beyond those that may wait is closed, and observed', async () => {
  const listener = { maxConnections: 1, maxWaiting: 1 };
  await using http = await startHttp((exchange) => exchange.respond(ok), { listener });
  const first = await http.connect();
  first.send(get());
  await first.untilText('ok');
  await http.connect();
  const third = await http.connect();
  assert.equal(await third.untilEnd(), '');
  assert.match((await http.observed('accept-failed')).reason, /1 connections are served and 1 wait/);
});

test('a suspended listener refuses, and a resumed one serves on the same port', async () => {
  await using http = await startHttp((exchange) => exchange.respond(ok));
  const open = await http.connect();
  const { port } = http;
  await http.listener.suspend();
  await assert.rejects(RawClient.connect(port), { code: 'ECONNREFUSED' });
  open.send(get());
  await open.untilText('ok');
  await http.listener.resume();
  assert.equal(http.listener.port, port);
  const again = await http.connect();
  again.send(get());
  await again.untilText('ok');
});

test('a raised maxConnections lets those in that wait, a lowered one keeps those that are served', async () => {
  await using http = await startHttp((exchange) => exchange.respond(ok), { listener: { maxConnections: 1 } });
  const first = await http.connect();
  const second = await http.connect();
  const third = await http.connect();
  for (const client of [first, second, third]) client.send(get());
  await first.untilText('ok');
  http.listener.change({ maxConnections: 2 });
  await second.untilText('ok');
  assert.equal(http.listener.connections, 2);
  http.listener.change({ maxConnections: 1 });
  assert.equal(http.listener.limits.maxConnections, 1);
  first.send(get());
  second.send(get());
  await first.untilText('ok', 2);
  await second.untilText('ok', 2);
  first.socket.destroy();
  await http.listener.untilConnections((connections) => connections === 1);
  assert.equal(third.text, '');
  second.socket.destroy();
  await third.untilText('ok');
});

test('a number of connections can be waited for, and is told of at an alarm, once in its cooldown', async () => {
  const alarms = [{ connections: 2 }, { connections: 3, cooldownMs: 0 }];
  await using http = await startHttp((exchange) => exchange.respond(ok), { listener: { alarms } });
  const told = (): number[][] =>
    http.observations.flatMap((seen) =>
      seen.kind === 'connections-high' ? [[seen.connections, seen.alarm]] : [],
    );
  const first = await http.connect();
  await http.listener.untilConnections((connections) => connections === 1);
  assert.deepEqual(told(), []);
  await http.connect();
  const third = await http.connect();
  await http.listener.untilConnections((connections) => connections >= 3);
  assert.deepEqual(told(), [
    [2, 2],
    [3, 3],
  ]);
  for (const client of [first, third]) client.socket.destroy();
  await http.listener.untilConnections((connections) => connections === 1);
  await http.connect();
  await http.connect();
  await http.listener.untilConnections((connections) => connections === 3);
  assert.deepEqual(told().slice(2), [[3, 3]]);
  http.listener.change({ alarms: [{ connections: 4 }] });
  await http.connect();
  await http.listener.untilConnections((connections) => connections === 4);
  assert.deepEqual(told().slice(3), [[4, 4]]);
});

test('a listener is drained when the last of its connections has ended', async () => {
  await using http = await startHttp((exchange) => exchange.respond(ok));
  const client = await http.connect();
  client.send(get());
  await client.untilText('ok');
  assert.equal(http.listener.accepting, true);
  let drained = false;
  const draining = http.listener.drain().then(() => (drained = true));
  client.send(get());
  await client.untilText('ok', 2);
  assert.deepEqual([drained, http.listener.accepting], [false, false]);
  client.socket.destroy();
  await draining;
});

test('connections that the kernel has taken when a listener closes are served', async () => {
  await using http = await startHttp((exchange) => exchange.respond(ok));
  const { port } = http;
  // Within this turn of the event loop nobody accepts them.
  const clients = Array.from({ length: 40 }, () => connect(port, '127.0.0.1'));
  for (const socket of clients) socket.write(get());
  await new Promise<void>((resolve) => process.nextTick(resolve));
  const suspended = http.listener.suspend();
  assert.equal(http.listener.accepting, false);
  for (const socket of clients) {
    const [answer] = (await once(socket, 'data')) as [Buffer];
    assert.match(answer.toString('latin1'), /^HTTP\/1\.1 200/);
    socket.destroy();
  }
  await suspended;
  await assert.rejects(RawClient.connect(port), { code: 'ECONNREFUSED' });
});

test('a listener that is resumed while it closes accepts again', async () => {
  await using http = await startHttp((exchange) => exchange.respond(ok));
  const suspended = http.listener.suspend();
  await Promise.all([http.listener.resume(), suspended]);
  const client = await http.connect();
  client.send(get());
  await client.untilText('ok');
});

test('connections that wait beyond maxConnections are served when the listener closes', async () => {
  await using http = await startHttp((exchange) => exchange.respond(ok), { listener: { maxConnections: 1 } });
  const first = await http.connect();
  first.send(get());
  await first.untilText('ok');
  const waiting = await Promise.all([http.connect(), http.connect()]);
  for (const client of waiting) client.send(get());
  // They are accepted, and wait: what comes behind them is answered.
  first.send(get());
  await first.untilText('ok', 2);
  assert.equal(http.listener.connections, 1);
  await http.listener.suspend();
  for (const client of waiting) await client.untilText('ok');
});

const directory = mkdtempSync(join(tmpdir(), 'howdah-listener-'));
after(() => rmSync(directory, { recursive: true }));

/** What a client of a UNIX socket is answered. */
async function saidOn(path: string): Promise<string> {
  const socket = connect({ path });
  socket.write(get());
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return answer.toString('latin1');
}

test('a UNIX socket is listened on; its peers have no address', async () => {
  const path = join(directory, 'http.sock');
  const handle = (exchange: Exchange): void => {
    const { address, port } = exchange.peer;
    exchange.respond({ status: 200, fields: [], body: `[${address}] ${port}` });
  };
  await using http = await startHttp(handle, { listener: { path } });
  assert.equal(http.listener.url, `unix:${path}`);
  assert.match(await saidOn(path), /^HTTP\/1\.1 200 [^]*\[\] 0$/);
  await http.listener.suspend();
  await assert.rejects(saidOn(path), { code: /ENOENT|ECONNREFUSED/ });
  await http.listener.resume();
  assert.match(await saidOn(path), /200/);
});

test('the file of a UNIX socket that a server left behind is replaced; one in use, or another file, is not', async () => {
  const path = join(directory, 'stale.sock');
  const observer = { observe: () => {} };
  const open = (): Promise<Listener> => Listener.open({ address: '', port: 0, path }, () => {}, observer);
  const first = await open();
  await assert.rejects(open(), { code: 'EADDRINUSE' });
  await first.suspend();
  // A socket file that nobody accepts on: made, and moved back after its server has removed its own.
  const other = createServer().listen(`${path}.other`);
  await once(other, 'listening');
  renameSync(`${path}.other`, path);
  other.close();
  const second = await open();
  await second.suspend();
  writeFileSync(path, 'a file');
  await assert.rejects(open(), { code: 'EADDRINUSE' });
  assert.equal(readFileSync(path, 'utf8'), 'a file');
});
