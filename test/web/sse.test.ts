// sse(): streams of server-sent events as routes in TypeScript, and the format (HTML Standard §9.2).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { route, sse, type SseStream } from '../../src/index.ts';
import { encodeServerSentEvent } from '../../src/web/server-sent-event.ts';
import { EventSourceClient } from '../live/event-source.ts';
import { startApplication } from '../support/application-fixture.ts';

describe('the text of an event', () => {
  for (const [event, text] of [
    [{ data: 'x' }, 'data: x\n\n'],
    [{ data: '' }, 'data: \n\n'],
    [{ data: 'a\nb\rc\r\nd' }, 'data: a\ndata: b\ndata: c\ndata: d\n\n'],
    [{ data: ' x' }, 'data:  x\n\n'],
    [{ id: '7', event: 'e', retry: 10, data: 'x' }, 'id: 7\nevent: e\nretry: 10\ndata: x\n\n'],
    [{ comment: 'a\nb' }, ': a\n: b\n\n'],
    [{ id: '' }, 'id: \n\n'],
  ] as const) {
    test(JSON.stringify(event), () => assert.equal(encodeServerSentEvent(event), text));
  }
  for (const event of [{ id: 'a\nb' }, { id: 'a\0' }, { event: 'a\rb' }, { retry: -1 }, { retry: 0.5 }]) {
    test(`${JSON.stringify(event)} is refused`, () =>
      assert.throws(() => encodeServerSentEvent(event), TypeError));
  }
});

describe('sse()', () => {
  for (const http2 of [false, true]) {
    test(`sends events until it closes, and knows where the client was, over HTTP/${http2 ? '2' : '1.1'}`, async () => {
      await using app = await startApplication({
        routes: [
          route(
            'GET /news/:topic',
            sse<{ topic: string }>((stream, request, { bindings }) => {
              stream.send({ id: '8', event: bindings.topic, data: `after ${stream.lastEventId}` });
              stream.send(new URL(request.url).search);
              stream.close();
              assert.equal(stream.send('too late'), false);
            }),
          ),
        ],
      });
      const client = await EventSourceClient.open(`${app.origin}/news/cats?x`, { lastEventId: '7', http2 });
      await client.ended;
      assert.equal(client.contentType, 'text/event-stream; charset=utf-8');
      assert.deepEqual(client.heard, [
        { id: '8', event: 'cats', data: 'after 7' },
        { id: '8', event: 'message', data: '?x' },
      ]);
      client.close();
    });
  }

  test('sends what an async generator gives, no faster than the client reads, and ends it when the client leaves', async () => {
    let given = 0;
    const ended = Promise.withResolvers<void>();
    await using app = await startApplication({
      routes: [
        route(
          'GET /',
          sse(async function* () {
            try {
              for (;;) {
                given += 1;
                yield { data: `${given} ${'x'.repeat(100_000)}` };
              }
            } finally {
              ended.resolve();
            }
          }),
        ),
        route(
          'GET /few',
          sse(async function* () {
            yield 'one';
            yield { event: 'second', data: 'two' };
          }),
        ),
      ],
    });
    const few = await EventSourceClient.open(`${app.origin}/few`);
    await few.ended;
    assert.deepEqual(few.texts, ['message one', 'second two']);
    const slow = await EventSourceClient.open(`${app.origin}/`);
    await slow.untilTexts(3);
    slow.pause();
    let before = -1;
    while (given !== before) {
      before = given;
      for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(given < 1000);
    slow.resume();
    slow.close();
    await ended.promise;
  });

  test('a client that is too far behind loses what waits for it and is told by a reset', async () => {
    const opened = Promise.withResolvers<SseStream>();
    await using app = await startApplication({
      routes: [
        route(
          'GET /',
          sse((stream) => opened.resolve(stream), { maxUnsentBytes: 100_000 }),
        ),
      ],
    });
    const client = await EventSourceClient.open(`${app.origin}/`);
    const stream = await opened.promise;
    client.pause();
    let sent = 0;
    while (stream.send({ data: 'x'.repeat(50_000) })) {
      sent += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(stream.send('dropped'), false);
    client.resume();
    await client.until(({ texts }) => texts.includes('reset '));
    assert.ok(client.texts.length <= sent + 1);
    assert.ok(stream.send('again'));
    await client.until(({ texts }) => texts.includes('message again'));
    assert.ok(!client.texts.includes('message dropped'));
    client.close();
  });

  test('a silent stream is kept alive by comments', async () => {
    await using app = await startApplication({
      routes: [
        route(
          'GET /',
          sse(() => {}, { heartbeatMs: 1 }),
        ),
      ],
    });
    const client = await EventSourceClient.open(`${app.origin}/`);
    await client.until(({ comments }) => comments >= 3);
    assert.deepEqual(client.heard, []);
    client.close();
  });

  test('accept decides before the response begins; HEAD gets the head; what fails later cuts the stream', async () => {
    let streams = 0;
    await using app = await startApplication({
      routes: [
        route(
          'GET /no',
          sse(() => {}, { accept: () => false }),
        ),
        route(
          'GET /other',
          sse(() => {}, { accept: async () => new Response('other', { status: 402 }) }),
        ),
        route(
          'GET /head',
          sse(() => void (streams += 1)),
        ),
        route(
          'GET /fails',
          sse(async (stream) => {
            stream.send('first');
            await Promise.resolve();
            throw new Error('broken');
          }),
        ),
      ],
    });
    assert.equal((await app.fetch('/no')).status, 403);
    const other = await app.fetch('/other');
    assert.deepEqual([other.status, await other.text()], [402, 'other']);
    const head = await app.fetch('/head', { method: 'HEAD' });
    assert.equal(head.headers.get('content-type'), 'text/event-stream; charset=utf-8');
    assert.equal(streams, 0);
    await assert.rejects(app.fetch('/fails').then((response) => response.text()));
    assert.match(String((await app.observed('internal-error')).error), /broken/);
  });

  test('a client that leaves aborts the signal, and so does a drain, which ends the stream in good order', async () => {
    const streams: SseStream[] = [];
    const app = await startApplication({
      routes: [
        route(
          'GET /',
          sse((stream) => void streams.push(stream)),
        ),
      ],
    });
    const leaving = await EventSourceClient.open(`${app.origin}/`);
    const staying = await EventSourceClient.open(`${app.origin}/`);
    while (streams.length < 2) await new Promise((resolve) => setImmediate(resolve));
    leaving.close();
    while (!streams.some(({ signal }) => signal.aborted))
      await new Promise((resolve) => setImmediate(resolve));
    const disposed = app[Symbol.asyncDispose]();
    await staying.ended;
    await disposed;
    assert.ok(streams.every(({ signal }) => signal.aborted));
  });
});
