// websocket(): WebSockets as routes in TypeScript.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { route, websocket, type LiveSocket } from '../../src/index.ts';
import { Client, frame, rawWebSocket } from '../server/websocket-fixture.ts';
import { startApplication } from '../support/application-fixture.ts';
import { RawClient, statusOf } from '../support/http-fixture.ts';
import { upgradeRequest } from '../server/websocket-fixture.ts';

const wsOf = (origin: string): string => origin.replace('http', 'ws');

describe('websocket()', () => {
  test('gives each socket data, bindings and messages, and tells of its end', async () => {
    const ended = Promise.withResolvers<unknown[]>();
    await using app = await startApplication({
      routes: [
        route(
          '/rooms/:room',
          websocket<{ user: string }, { room: string }>({
            accept: (request, { bindings }) => ({
              data: { user: `${new URL(request.url).searchParams.get('user') ?? ''} in ${bindings.room}` },
            }),
            open: (socket, { bindings }) => void socket.send(`welcome to ${bindings.room}`),
            message: (socket, message) =>
              void socket.send(typeof message === 'string' ? `${socket.data.user}: ${message}` : message),
            close: (socket, code, reason) => ended.resolve([socket.data.user, code, reason, socket.isOpen]),
          }),
        ),
      ],
    });
    const client = await Client.open(`${wsOf(app.origin)}/rooms/blue?user=ada`);
    client.send('hi');
    client.send(Buffer.from([1, 2]));
    assert.deepEqual(await client.until(3), ['welcome to blue', 'ada in blue: hi', Buffer.from([1, 2])]);
    client.socket.close(3000, 'done');
    assert.deepEqual(await ended.promise, ['ada in blue', 3000, 'done', false]);
  });

  test('decides with accept: false is 403, a Response is sent, a rejection is 500, and it may wait (RFC 6455 §4.2.2)', async () => {
    const decisions: Record<string, () => boolean | Response | Promise<boolean | Response>> = {
      '/no': () => false,
      '/teapot': () => new Response('no coffee', { status: 418 }),
      '/later': async () => true,
      '/never': async () => false,
      '/broken': () => Promise.reject(new Error('broken')),
      '/thrown': () => {
        throw new Error('thrown');
      },
    };
    await using app = await startApplication({
      routes: [
        route('/*', websocket({ accept: (request) => decisions[new URL(request.url).pathname]?.() ?? true })),
      ],
    });
    const statusAt = async (path: string): Promise<number> => {
      const client = await RawClient.connect(app.port);
      client.send(upgradeRequest().replace('/chat', path));
      const text = await client.untilText('\r\n\r\n');
      client.socket.destroy();
      return statusOf(text);
    };
    const found = await Promise.all([...Object.keys(decisions), '/open'].map(statusAt));
    assert.deepEqual(found, [403, 418, 101, 403, 500, 500, 101]);
  });

  test('pages of other origins are refused unless they are named; a request that asks for no WebSocket is a 426 (RFC 6455 §10.2)', async () => {
    await using app = await startApplication({
      routes: [
        route('/same', websocket({})),
        route('/listed', websocket({ origins: ['https://friend.example'] })),
        route('/any', websocket({ origins: 'any' })),
      ],
    });
    const ask = async (path: string, origin: string): Promise<number> => {
      const client = await RawClient.connect(app.port);
      client.send(upgradeRequest(`Origin: ${origin}`).replace('/chat', path));
      const text = await client.untilText('\r\n\r\n');
      client.socket.destroy();
      return statusOf(text);
    };
    assert.deepEqual(
      await Promise.all([
        ask('/same', 'http://h'),
        ask('/same', 'https://foe.example'),
        ask('/same', 'null'),
        ask('/listed', 'https://friend.example'),
        ask('/listed', 'https://foe.example'),
        ask('/any', 'https://foe.example'),
      ]),
      [101, 403, 403, 101, 403, 101],
    );
    // Some say the port that goes without saying.
    for (const [host, origin, status] of [
      ['h:80', 'http://h', 101],
      ['h:443', 'https://h', 101],
      ['h:8080', 'http://h', 403],
      ['H', 'http://h', 101],
    ] as const) {
      const client = await RawClient.connect(app.port);
      client.send(
        upgradeRequest(`Origin: ${origin}`).replace('/chat', '/same').replace('Host: h', `Host: ${host}`),
      );
      assert.equal(statusOf(await client.untilText('\r\n\r\n')), status, host);
      client.socket.destroy();
    }
    const plain = await app.fetch('/same');
    assert.equal(plain.status, 426);
    assert.equal(plain.headers.get('upgrade'), 'websocket');
  });

  test('a promise of another library than the platform’s is waited for: nobody is let in before it has decided', async () => {
    const refusing = {
      // oxlint-disable-next-line no-thenable -- that is what is tested
      then: (resolve: (accepted: boolean) => void) => void setImmediate(resolve, false),
    } as unknown as Promise<boolean>;
    await using app = await startApplication({
      routes: [route('/chat', websocket({ accept: () => refusing }))],
    });
    const client = await RawClient.connect(app.port);
    client.send(upgradeRequest());
    assert.equal(statusOf(await client.untilText('\r\n\r\n')), 403);
    client.socket.destroy();
  });

  test('a handshake without an origin is not a browser’s, and where there is no route it is a 404 (RFC 6455 §4.2.1, §4.2.2)', async () => {
    await using app = await startApplication({ routes: [route('/same', websocket({}))] });
    const ask = async (path: string): Promise<number> => {
      const client = await RawClient.connect(app.port);
      client.send(upgradeRequest().replace('/chat', path));
      const text = await client.untilText('\r\n\r\n');
      client.socket.destroy();
      return statusOf(text);
    };
    assert.deepEqual([await ask('/same'), await ask('/nowhere')], [101, 404]);
  });

  test('subprotocols, limits and compression per message are the route’s', async () => {
    await using app = await startApplication({
      routes: [
        route(
          '/chat',
          websocket({
            subprotocols: ['b'],
            limits: { maxFrameBytes: 1000, maxMessageBytes: 1000, maxFragments: 10, maxInflateRatio: 10 },
            message: (socket, message) => void socket.send(message, { compress: message.length > 3 }),
          }),
        ),
      ],
    });
    const client = await Client.open(`${wsOf(app.origin)}/chat`, ['a', 'b']);
    assert.equal(client.socket.protocol, 'b');
    client.send('x'.repeat(1001));
    assert.equal((await client.closed).code, 1009);
    const raw = await rawWebSocket(app, 'Sec-WebSocket-Extensions: permessage-deflate');
    raw.send(Buffer.concat([frame(0x81, 'abc'), frame(0x81, 'abcd')]));
    const text = await raw.untilText('\x81\x03abc\xc1');
    assert.ok(!text.includes('abcd'));
  });

  test('a handler that throws, or whose promise rejects, closes with 1011', async () => {
    await using app = await startApplication({
      routes: [
        route(
          '/',
          websocket({
            message: (_socket, message) => {
              if (message === 'throw') throw new Error('thrown');
              return Promise.reject(new Error('rejected'));
            },
          }),
        ),
      ],
    });
    for (const how of ['throw', 'reject']) {
      const client = await Client.open(`${wsOf(app.origin)}/`);
      client.send(how);
      assert.equal((await client.closed).code, 1011);
    }
  });

  test('pause holds the client back, resume goes on, and drain tells that it takes messages again', async () => {
    const drained = Promise.withResolvers<void>();
    const sockets: LiveSocket<undefined>[] = [];
    const messages: unknown[] = [];
    await using app = await startApplication({
      routes: [
        route(
          '/chat',
          websocket({
            maxUnsentBytes: 100_000_000,
            open: (socket) => {
              sockets.push(socket);
              socket.pause();
            },
            message: (_socket, message) => void messages.push(message),
            drain: () => drained.resolve(),
          }),
        ),
      ],
    });
    const raw = await rawWebSocket(app);
    raw.send(frame(0x81, 'held'));
    const [socket] = sockets;
    assert.ok(socket !== undefined);
    raw.socket.pause();
    // Until also the system holds as much as it will.
    while (socket.unsentBytes === 0) {
      while (socket.writable) socket.send(Buffer.alloc(100_000));
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(socket.writable, false);
    assert.deepEqual(messages, []);
    raw.socket.resume();
    await drained.promise;
    socket.resume();
    while (messages.length === 0) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(messages, ['held']);
  });

  test('topics reach their subscribers in this process, without the one that publishes', async () => {
    const chat = websocket({
      open: (socket) => void socket.subscribe('room'),
      message(socket, message) {
        if (message === 'leave') socket.unsubscribe('room');
        else socket.send(`to ${socket.publish('room', message)}`);
      },
    });
    await using app = await startApplication({ routes: [route('/', chat)] });
    const [a, b, c] = await Promise.all([1, 2, 3].map(() => Client.open(`${wsOf(app.origin)}/`)));
    assert.ok(a !== undefined && b !== undefined && c !== undefined);
    a.send('hello');
    assert.deepEqual(
      [await a.until(1), await b.until(1), await c.until(1)],
      [['to 2'], ['hello'], ['hello']],
    );
    c.send('leave');
    b.send(Buffer.from([7]));
    assert.deepEqual(
      [await b.until(2), await a.until(2)],
      [
        ['hello', 'to 1'],
        ['to 2', Buffer.from([7])],
      ],
    );
    await b.close();
    while (chat.publish('room', 'all') !== 1);
    assert.deepEqual(await a.until(3), ['to 2', Buffer.from([7]), 'all']);
  });

  test('what is published is compressed once for all who take it compressed, and plain for others', async () => {
    const room = websocket({
      open: (socket) => void socket.subscribe('room'),
      message: (_socket, message) => void room.publish('room', String(message).repeat(400)),
    });
    await using app = await startApplication({ routes: [route('/room', room)] });
    const raw = async (...fields: string[]): Promise<RawClient> => {
      const client = await RawClient.connect(app.port);
      client.send(upgradeRequest(...fields).replace('/chat', '/room'));
      await client.untilText('\r\n\r\n');
      return client;
    };
    const [plain, ...packed] = await Promise.all([
      raw(),
      raw('Sec-WebSocket-Extensions: permessage-deflate'),
      raw('Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover'),
    ]);
    const node = await Client.open(`ws://127.0.0.1:${app.port}/room`);
    for (const n of [1, 2]) {
      node.send('news');
      assert.equal((await node.until(n))[n - 1], 'news'.repeat(400));
      // A text of 1600 bytes; one that is final, compressed, and short.
      await plain.untilText('\x81\x7e\x06\x40news', n);
      for (const client of packed) await client.untilText('\xc1', n);
    }
    const [first, second] = packed.map(({ text }) => text.slice(text.indexOf('\xc1')));
    assert.equal(first, second);
    for (const client of [plain, ...packed]) client.socket.destroy();
    await node.close();
  });

  test('a drain closes with 1001', async () => {
    const app = await startApplication({ routes: [route('/', websocket({}))] });
    const client = await Client.open(`${wsOf(app.origin)}/`);
    const disposed = app[Symbol.asyncDispose]();
    assert.equal((await client.closed).code, 1001);
    await disposed;
  });
});
