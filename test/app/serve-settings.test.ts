// serve() within a program takes the settings of the command: those that open something, each asked from outside.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { application, route, serve } from '../../src/index.ts';

test('serve() listens on a UNIX socket, admits an admin, and believes the proxies that it is told of', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'howdah-serve-'));
  const socketPath = join(directory, 'http.sock');
  const app = application({
    sqlFallback: true,
    routes: [route('GET /', (_, { peer, proxy }) => new Response(`${peer.address} ${proxy !== null}`))],
  });
  const server = await serve(app, {
    memory: true,
    listen: { host: '127.0.0.1', port: 0 },
    unixListen: socketPath,
    adminListen: { host: '127.0.0.1', port: 0 },
    proxyFrom: ['unix'],
    noInit: true,
  });
  try {
    const [listener] = server.listeners;
    assert.equal(await (await fetch(listener?.url ?? '')).text(), '127.0.0.1 false');
    assert.equal((await fetch(`${server.adminUrl}/readyz`)).status, 200);
    // Who comes by that socket is a proxy, and has to say so.
    const socket = connect(socketPath);
    await once(socket, 'connect');
    socket.write('PROXY TCP4 192.0.2.7 192.0.2.1 5555 80\r\n');
    const asked = request({ createConnection: () => socket, path: '/', headers: { host: 'h' } }).end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    let text = '';
    for await (const chunk of response) text += String(chunk);
    assert.equal(text, '192.0.2.7 true');
    socket.destroy();
    assert.notEqual((await fetch(`${listener?.url}/other`)).status, 200, 'there is no welcome page');
  } finally {
    await server.close(1000);
    rmSync(directory, { recursive: true, force: true });
  }
});
