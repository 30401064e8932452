// A fleet from outside: how connections and requests spread over its workers, and how its size and configuration change under load.
import assert from 'node:assert/strict';
import { connect as connectHttp2 } from 'node:http2';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { availablePostgres } from '../support/postgres.ts';
import { openConnections, runs, startFleet, type Fleet } from './fleet-fixture.ts';

const skip = availablePostgres().length === 0 && 'no PostgreSQL is installed';

interface Slept {
  readonly pid: number;
  readonly began: number;
  readonly ended: number;
}

/** Answers of requests made at the same time on one HTTP/2 connection. */
async function onOneConnection(url: string, paths: readonly string[]): Promise<string[]> {
  const session = connectHttp2(url);
  try {
    return await Promise.all(
      paths.map(async (path) => {
        const stream = session.request({ ':path': path });
        let text = '';
        stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        await once(stream, 'end');
        return text;
      }),
    );
  } finally {
    session.close();
  }
}

describe('a fleet of two workers with one session each', { skip, timeout: 180_000 }, () => {
  let fleet: Fleet;
  before(async () => {
    fleet = await startFleet(['--workers', '2', '--sessions', '2']);
    await fleet.get('/quick');
  });
  after(async () => {
    await fleet?.[Symbol.asyncDispose]();
  });

  it('shows its workers in SQL, and their sessions with the backends behind them', async () => {
    const workers = await fleet.workers(
      (all) => all.length === 2 && all.every(({ state }) => state === 'serving'),
    );
    assert.deepEqual(
      workers.map(({ worker, restarts }) => [worker, restarts]),
      [
        [1, 0],
        [2, 0],
      ],
    );
    for (const { pid } of workers) assert.ok(runs(pid));
    await fleet.workers((all) => all.every(({ calls_sent }) => calls_sent !== null));
    for (;;) {
      const { rows } = await fleet.sql.query(
        'select worker from howdah.sessions join pg_stat_activity using (pid) order by worker',
      );
      if (rows.length === 2) break;
    }
  });

  it('runs two requests of one HTTP/2 connection at the same time, in different backends', async () => {
    for (let round = 0; round < 2; round++) {
      const [one, other] = (await onOneConnection(fleet.url, ['/sleep', '/sleep'])).map(
        (text) => JSON.parse(text) as Slept,
      );
      assert.ok(one !== undefined && other !== undefined);
      assert.notEqual(one.pid, other.pid);
      assert.ok(one.began < other.ended && other.began < one.ended, JSON.stringify([one, other]));
    }
    const workers = await fleet.workers((all) => all.some(({ calls_sent }) => Number(calls_sent) > 0));
    assert.ok(workers.some(({ calls_taken }) => Number(calls_taken) > 0));
  });

  it('answers more requests of one connection than there are sessions, each once', async () => {
    const texts = await onOneConnection(
      fleet.url,
      Array.from({ length: 5 }, () => '/sleep'),
    );
    const slept = texts.map((text) => JSON.parse(text) as Slept);
    assert.equal(new Set(slept.map(({ pid }) => pid)).size, 2);
    assert.equal(new Set(slept.map(({ began }) => began)).size, 5);
  });

  it('spreads few long connections evenly', async () => {
    const sockets = await openConnections(fleet.port, 10);
    await fleet.workers((all) => {
      const counts = all.map(({ connections }) => connections);
      const sum = counts.reduce((a, b) => a + b, 0);
      return sum >= 10 && Math.max(...counts) - Math.min(...counts) <= 2;
    });
    for (const socket of sockets) socket.destroy();
  });

  it('serves a connection that was handed over with the address of its client', async () => {
    const sockets = await openConnections(fleet.port, 6);
    for (const socket of sockets) {
      socket.write('GET /peer HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n');
      let text = '';
      for await (const chunk of socket) text += String(chunk);
      assert.match(text, /\r\n\r\n127\.0\.0\.1$/);
    }
  });
});
