// The stream handlers that look on: metrics and tracer.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Observation } from '../../src/observe/observation.ts';
import { metrics, type StreamMetrics } from '../../src/server/metrics.ts';
import type { StreamHandlerFactory } from '../../src/server/stream-handler.ts';
import { tracer } from '../../src/server/tracer.ts';
import type { ExchangeHandler } from '../../src/web/exchange.ts';
import { requestHandler } from '../../src/web/request-handler.ts';
import { get, startHttp } from '../support/http-fixture.ts';

const echo: ExchangeHandler = (exchange) => {
  if (exchange.head.path === '/abort') exchange.abort();
  else if (exchange.head.path === '/fail') throw new Error('boom');
  else if (exchange.head.path === '/never') exchange.inform(103, []);
  else exchange.collectBody(100, (body) => exchange.respond({ status: 201, fields: ['x-a', '1'], body }));
};

describe('metrics', () => {
  async function measured(request: string, leave = false): Promise<[StreamMetrics, Observation]> {
    const reported = Promise.withResolvers<StreamMetrics>();
    const observations: Observation[] = [];
    const handlers: [StreamHandlerFactory, StreamHandlerFactory] = [
      metrics({ report: reported.resolve, observer: { observe: (seen) => observations.push(seen) } }),
      requestHandler(echo),
    ];
    await using http = await startHttp(echo, { handlers });
    const client = await http.connect();
    client.send(request);
    if (leave) {
      await client.untilText('103');
      client.socket.resetAndDestroy();
    }
    const metric = await reported.promise;
    const [observation, ...others] = observations;
    assert.ok(observation !== undefined && others.length === 0);
    return [metric, observation];
  }

  test('tell times, sizes, status and end of each stream', async () => {
    const post = 'POST /p HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nhello';
    const [{ head, status, responseFields, requestBodyBytes, responseBodyBytes, end, ...times }, seen] =
      await measured(post);
    assert.deepEqual(
      [head.path, status, responseFields, requestBodyBytes, responseBodyBytes, end],
      ['/p', 201, ['x-a', '1'], 5, 5, 'answered'],
    );
    const { startedMs, requestEndedMs, respondedMs, endedMs } = times;
    assert.ok(requestEndedMs !== null && respondedMs !== null);
    assert.ok(startedMs <= requestEndedMs && requestEndedMs <= respondedMs && respondedMs <= endedMs);
    assert.ok(seen.kind === 'stream-measured');
    assert.deepEqual(
      [seen.method, seen.status, seen.requestBodyBytes, seen.end],
      ['POST', 201, 5, 'answered'],
    );
    assert.equal(seen.durationMs, endedMs - startedMs);
  });

  test('tell how a stream ended that was not answered, and why', async () => {
    const [aborted] = await measured(get('/abort'));
    assert.deepEqual([aborted.end, aborted.status, aborted.respondedMs], ['aborted', 0, null]);
    const [failed] = await measured(get('/fail'));
    assert.deepEqual([failed.end, String(failed.error)], ['failed', 'Error: boom']);
    const [left] = await measured(get('/never'), true);
    assert.deepEqual([left.end, left.informs, left.status], ['client-left', [103], 0]);
  });

  test('that fail to be reported harm nobody', async () => {
    const handlers: [StreamHandlerFactory, StreamHandlerFactory] = [
      metrics({
        report: () => {
          throw new Error('no disk');
        },
      }),
      requestHandler(echo),
    ];
    await using http = await startHttp(echo, { handlers });
    const client = await http.connect();
    client.send(get('/'));
    assert.match(await client.untilText('\r\n\r\n'), /^HTTP\/1.1 201/);
    assert.match(String((await http.observed('internal-error')).error), /no disk/);
    client.send(get('/'));
    await client.untilText('HTTP/1.1 201', 2);
  });
});

describe('a tracer', () => {
  test('tells of all events and commands of the streams that its predicate chooses, and of no others', async () => {
    const told: string[] = [];
    const observations: Observation[] = [];
    const handlers: [StreamHandlerFactory, StreamHandlerFactory] = [
      tracer({
        when: ({ head, connection }) => head.path === '/traced' && connection.peerAddress === '127.0.0.1',
        trace: (event, stream, sinceMs) => {
          assert.ok(sinceMs >= 0);
          told.push(
            `${stream.head.method} ${event.kind}${event.kind === 'command' ? ` ${event.command.kind}` : ''}`,
          );
        },
        observer: { observe: (seen) => observations.push(seen) },
      }),
      requestHandler(echo),
    ];
    await using http = await startHttp(echo, { handlers });
    const client = await http.connect();
    client.send(get('/other'));
    await client.untilText('HTTP/1.1 201');
    assert.deepEqual(told, []);
    client.send('POST /traced HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nhello');
    await client.untilText('HTTP/1.1 201', 2);
    assert.deepEqual(told, [
      'POST init',
      'POST command flow',
      'POST data',
      'POST end',
      'POST command response',
      'POST terminate',
    ]);
    const details = observations.map(
      (seen) => seen.kind === 'stream-traced' && `${seen.event}: ${seen.detail}`,
    );
    assert.deepEqual(details, [
      'init: ',
      'flow: 101 bytes',
      'data: 5 bytes',
      'end: ',
      'response: 201, 5 bytes',
      'terminate: answered',
    ]);
  });

  test('tells of what is thrown and cast, and changes nothing of it', async () => {
    const told: string[] = [];
    const inner: StreamHandlerFactory = {
      open: (stream) => ({
        init: () => {
          stream.cast({ hello: 1 });
          return { kind: 'headers', status: 200, fields: [] };
        },
        data: () => null,
        end: () => null,
        info: () => [{ kind: 'data', data: Buffer.from('x'), last: true }],
        terminate: () => {},
      }),
    };
    const observer = {
      observe: (seen: Observation) => {
        if (seen.kind === 'stream-traced') told.push(`${seen.event}: ${seen.detail}`);
      },
    };
    {
      await using http = await startHttp(echo, { handlers: [tracer({ when: () => true, observer }), inner] });
      const client = await http.connect();
      client.send(get('/'));
      assert.match(await client.untilText('\r\n0\r\n'), /1\r\nx\r\n0/);
    }
    await using http = await startHttp(echo, {
      handlers: [tracer({ when: () => true, observer }), requestHandler(echo)],
    });
    const client = await http.connect();
    client.send(get('/fail'));
    assert.match(await client.untilText('request '), /^HTTP\/1.1 500/);
    assert.deepEqual(told, [
      'init: ',
      'headers: 200',
      'info: object',
      'data: 1 bytes, the last',
      'terminate: answered',
      'init: ',
      'thrown: Error: boom',
      'terminate: failed',
    ]);
  });
});
