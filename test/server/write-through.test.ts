// Writes that go past the writable stream of a socket: when they do, and that what follows them stays in order.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import { writeThrough } from '../../src/server/write-through.ts';

async function pair(): Promise<{ client: Socket; accepted: Socket; [Symbol.dispose](): void }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [accepted] = (await once(server, 'connection')) as [Socket];
  server.close();
  return {
    client,
    accepted,
    [Symbol.dispose]() {
      client.destroy();
      accepted.destroy();
    },
  };
}

/** The sum of what comes until the other side ends. */
async function readAll(socket: Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
}

/** Writes until libuv has bytes that the kernel did not take; answers what was written. */
function fill(socket: Socket): string {
  let written = '';
  for (let n = 0; ; n += 1) {
    const line = `${n} `.padEnd(16_384, '.');
    if (!writeThrough(socket, Buffer.from(line))) return written;
    written += line;
    assert.ok(written.length < 256 * 1024 * 1024, 'the kernel takes everything');
  }
}

test('the stream is used for the first write of all at the most, and bytes come in order', async (context) => {
  using both = await pair();
  const { client, accepted } = both;
  const received = readAll(client);
  assert.ok(writeThrough(accepted, Buffer.from('first ')));
  const write = context.mock.method(accepted, 'write');
  for (let n = 0; n < 1000; n += 1) assert.ok(writeThrough(accepted, Buffer.from(`${n} `)));
  assert.equal(write.mock.callCount(), 0);
  accepted.write('by the stream ');
  accepted.end();
  const numbers = Array.from({ length: 1000 }, (_, n) => `${n} `);
  assert.equal(await received, `first ${numbers.join('')}by the stream `);
});

test('when the kernel takes no more, the stream goes on, behind what was written', async () => {
  using both = await pair();
  const { client, accepted } = both;
  const written = fill(accepted);
  const more = 'x'.repeat(100_000);
  accepted.write(more);
  assert.equal(writeThrough(accepted, Buffer.from('between')), false);
  accepted.end('end');
  assert.equal(await readAll(client), `${written}${more}end`);
});

test('when the kernel has taken what was left, writes go past the stream again', async () => {
  using both = await pair();
  const { client, accepted } = both;
  const written = fill(accepted);
  const drained = once(accepted, 'drain');
  accepted.write('y'.repeat(100_000));
  const received = readAll(client);
  await drained;
  assert.ok(writeThrough(accepted, Buffer.from('again')));
  accepted.end();
  const text = await received;
  assert.equal(text.length, written.length + 100_000 + 'again'.length);
  assert.ok(text.endsWith('yagain'));
});

test('large pieces, and sockets that are ended or closed, are left to the stream', async () => {
  using both = await pair();
  const { client, accepted } = both;
  assert.equal(writeThrough(accepted, Buffer.alloc(16_385)), false);
  const closed = once(accepted, 'close');
  accepted.end();
  assert.equal(writeThrough(accepted, Buffer.from('late')), false);
  client.resume().end();
  accepted.resume();
  await closed;
  assert.equal(writeThrough(accepted, Buffer.from('later')), false);
});

test('a client that is gone while bytes wait for it closes the socket, and nothing is thrown', async () => {
  using both = await pair();
  const { client, accepted } = both;
  fill(accepted);
  accepted.on('error', () => undefined);
  const closed = new Promise((resolve) => accepted.once('close', resolve));
  client.resetAndDestroy();
  await closed;
});
