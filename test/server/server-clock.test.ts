// When deadlines are looked at.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import { ServerClock } from '../../src/server/server-clock.ts';

test('what has come while the process was kept from running is read before the deadlines are looked at', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [socket] = await accepted;
  t.after(() => {
    client.destroy();
    socket.destroy();
    server.close();
  });
  const seen: string[] = [];
  socket.on('data', () => seen.push('request'));
  const clock = new ServerClock(1);
  const looked = new Promise<void>((resolve) =>
    clock.add({
      checkDeadlines() {
        seen.push('deadlines');
        resolve();
      },
    }),
  );
  await new Promise((resolve) => client.write('GET / HTTP/1.1\r\n', resolve));
  // As on a machine that is full, or when a virtual one is halted.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
  await looked;
  clock.stop();
  assert.deepEqual(seen.slice(0, 2), ['request', 'deadlines']);
});
