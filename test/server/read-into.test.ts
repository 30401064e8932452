// Sockets that read into a buffer that they share.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import { isReadIntoAvailable, SharedReads } from '../../src/server/read-into.ts';
import { giveSocket, type SocketOwner } from '../../src/server/socket-owner.ts';

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
  const sockets = [one.accepted, other.accepted];
  const reads = new SharedReads((socket, chunk) => {
    memories.add(chunk.buffer);
    got[sockets.indexOf(socket)] += chunk.toString();
  });
  for (const accepted of sockets) {
    accepted.resume();
    assert.ok(reads.begin(accepted));
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
  const reads = new SharedReads((socket, chunk) => {
    assert.ok(!isPaused);
    bytes += chunk.length;
    isPaused = true;
    socket.pause();
  });
  assert.ok(reads.begin(accepted));
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
  assert.equal(new SharedReads(() => assert.fail('read')).begin(both.accepted), false);
  assert.equal(String(both.accepted.read()), 'early');
});

/** Takes a word, and then answers and leaves the socket to whoever comes next. */
class WordReader implements SocketOwner {
  readonly events: string[] = [];
  readonly #word: string;
  readonly #next: (rest: string) => void;
  #text = '';

  constructor(word: string, next: (rest: string) => void) {
    this.#word = word;
    this.#next = next;
  }

  receiveBytes(chunk: Buffer): void {
    this.#text += chunk.toString();
    if (this.#text.startsWith(this.#word)) this.#next(this.#text.slice(this.#word.length));
  }

  receiveEof(): void {
    this.events.push('eof');
  }

  receiveRoom(): void {
    this.events.push('room');
  }

  receiveClosed(): void {
    this.events.push('closed');
  }
}

for (const early of [false, true]) {
  test(`who leaves a socket to another hears no more of it, ${early ? 'by events, since something was read before' : 'by the shared buffer'}`, async () => {
    using both = await pair();
    const { client, accepted } = both;
    if (early) {
      accepted.pause();
      accepted.read(0);
      client.write('fi');
      await once(accepted, 'readable');
    }
    const got: string[] = [];
    const readers: WordReader[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const read = ([word, ...more]: string[]): void => {
      if (word === undefined) {
        resolve();
        return;
      }
      const reader = new WordReader(word, (rest) => {
        got.push(word);
        assert.equal(rest, '');
        read(more);
        if (more.length > 0) client.write(more[0] ?? '');
      });
      readers.push(reader);
      giveSocket(accepted, reader);
    };
    read(['first', 'second', 'third']);
    accepted.resume();
    client.write(early ? 'rst' : 'first');
    await promise;
    assert.deepEqual(got, ['first', 'second', 'third']);
    const closed = once(accepted, 'close');
    client.end();
    await closed;
    assert.deepEqual(
      readers.map(({ events }) => events.join()),
      ['', '', 'eof,closed'],
    );
  });
}
