// The load generator that asks at a constant rate, on a server in this process: what a latency counts from, and which answers it
// takes. A slow machine makes latencies longer, and they are held against least values only.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { parseConstantRate, runConstantRate } from '../../bench/harness/constant-rate.ts';
import type { ConstantRateSummary } from '../../bench/harness/constant-rate.ts';
import { percentile } from '../../bench/harness/statistics.ts';
import { itemBody } from '../../bench/servers/items.ts';

const rightBody = (url: string | undefined): string => itemBody(Number(url?.split('/').at(-1)));

/** Half a second at a hundred requests a second, on one connection. */
async function load(answer: RequestListener): Promise<ConstantRateSummary | string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    const rate = { connections: 1, perSecond: 100, warmUpSeconds: 0.1, seconds: 0.5 };
    return await runConstantRate({ port, ...rate }, null);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

function failureOf(summary: ConstantRateSummary | string): string {
  assert.ok(typeof summary === 'string', 'no failure was found');
  return summary;
}

describe('requests at a constant rate', () => {
  it('are as many as are due, whatever the server does', async () => {
    const summary = await load((request, response) => response.end(rightBody(request.url)));
    assert.ok(typeof summary !== 'string', 'the load failed');
    assert.equal(summary.requests, 50);
    assert.ok(summary.p50Us > 0 && summary.p50Us <= summary.p99Us && summary.p99Us <= summary.maxUs);
  });

  it('have waited since they were due, not since there was a connection for them', async () => {
    const EACH_MS = 20;
    const summary = await load((request, response) =>
      setTimeout(() => response.end(rightBody(request.url)), EACH_MS),
    );
    assert.ok(typeof summary !== 'string', 'the load failed');
    // The last of 60 is answered after 60 × 20 ms and was due after 590.
    assert.ok(summary.maxUs >= 550_000, String(summary.maxUs));
    assert.ok(summary.p50Us >= 250_000, String(summary.p50Us));
  });

  it('do not count where an answer is wrong, or the server closes a connection', async () => {
    assert.match(
      failureOf(await load((_, response) => response.end(itemBody(1)))),
      /^a wrong answer under load/,
    );
    const failing: RequestListener = (request, response) =>
      response.writeHead(500).end(rightBody(request.url));
    assert.match(failureOf(await load(failing)), /^a wrong answer under load: HTTP\/1\.1 500/);
    const closing: RequestListener = (request, response) =>
      response.setHeader('connection', 'close').end(rightBody(request.url));
    assert.match(failureOf(await load(closing)), /^the server has closed a connection/);
  });
});

describe('the summary of a constant rate', () => {
  it('is what it prints, or what went wrong', () => {
    const summary = { requests: 5, p50Us: 1, p99Us: 2, maxUs: 3, ownP99Us: 0, cpuUs: 4 };
    assert.deepEqual(parseConstantRate(`${JSON.stringify(summary)}\n`, ''), summary);
    assert.equal(parseConstantRate('{"failure":"lost"}\n', ''), 'lost');
    assert.equal(parseConstantRate('', 'TypeError: x\n'), 'the load generator failed: TypeError: x');
  });

  it('has percentiles that so many values are at most', () => {
    const values = Array.from({ length: 200 }, (_, index) => index + 1);
    assert.deepEqual(
      [0.5, 0.99, 1].map((share) => percentile(values, share)),
      [100, 198, 200],
    );
    assert.equal(percentile([7], 0.5), 7);
    assert.equal(percentile([], 0.99), 0);
  });
});
