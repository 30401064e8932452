import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Listener } from '../../src/transport/listener.ts';
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
