// Sockets that read into a buffer that they share.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import { isReadIntoAvailable, readFrom, readInto } from '../../src/server/read-into.ts';

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

test('this Node has what it is built on', () => {
  assert.ok(isReadIntoAvailable());
});

test('two sockets get their own bytes, each time in the same memory, and their end', async () => {
  using one = await pair();
  using other = await pair();
  const got = ['', ''];
  const memories = new Set<ArrayBufferLike>();
  const ends: Promise<unknown>[] = [];
  for (const [i, { accepted }] of [one, other].entries()) {
    accepted.resume();
    assert.ok(
      readInto(accepted, (chunk) => {
        memories.add(chunk.buffer);
        got[i] += chunk.toString();
      }),
    );
    ends.push(once(accepted, 'end'));
  }
  for (let n = 0; n < 100; n += 1) {
    one.client.write(`a${n} `);
    other.client.write(`b${n} `);
  }
  one.client.end();
  other.client.end();
  await Promise.all(ends);
  const numbers = Array.from({ length: 100 }, (_, n) => n);
  assert.deepEqual(got, [numbers.map((n) => `a${n} `).join(''), numbers.map((n) => `b${n} `).join('')]);
  assert.equal(memories.size, 1);
});

test('a paused socket reads nothing until it is resumed', async () => {
  using both = await pair();
  const { client, accepted } = both;
  accepted.resume();
  let bytes = 0;
  let isPaused = false;
  assert.ok(
    readInto(accepted, (chunk) => {
      assert.ok(!isPaused);
      bytes += chunk.length;
      isPaused = true;
      accepted.pause();
    }),
  );
  const total = 20_000_000;
  client.end(Buffer.alloc(total));
  while (!accepted.readableEnded) {
    await new Promise((resolve) => setImmediate(resolve));
    isPaused = false;
    accepted.resume();
  }
  assert.equal(bytes, total);
});

test('a socket with bytes that nobody has taken yet is left as it is', async () => {
  using both = await pair();
  both.accepted.pause();
  both.accepted.read(0);
  both.client.write('early');
  await once(both.accepted, 'readable');
  assert.equal(
    readInto(both.accepted, () => assert.fail('read')),
    false,
  );
  assert.equal(String(both.accepted.read()), 'early');
});

test('who stops reading leaves the rest, in order, to whoever comes next: by the shared buffer or by events', async () => {
  using both = await pair();
  const { client, accepted } = both;
  const got: string[] = [];
  /** Reads until a whole word has come, in the way given, and sends the next. */
  async function readWord(
    word: string,
    read: (receive: (chunk: Buffer) => void) => () => void,
  ): Promise<void> {
    let text = '';
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = read((chunk) => {
      text += chunk.toString();
      if (text === word) resolve();
    });
    client.write(word);
    await promise;
    stop();
    got.push(text);
  }
  await readWord('first', (receive) => readFrom(accepted, receive));
  await readWord('second', (receive) => readFrom(accepted, receive));
  await readWord('third', (receive) => {
    accepted.on('data', receive);
    return () => accepted.off('data', receive);
  });
  assert.deepEqual(got, ['first', 'second', 'third']);
  const ended = once(accepted, 'end');
  accepted.resume();
  client.end();
  await ended;
});
