// A fleet from outside: how connections and requests spread over its workers, and how its size and configuration change under load.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { connect as connectHttp2 } from 'node:http2';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { availablePostgres } from '../support/postgres.ts';
import { runHowdah } from '../cli/howdah-process.ts';
import { openConnections, runs, startFleet, type Fleet, type Worker } from './fleet-fixture.ts';

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
    fleet = await startFleet(['--workers', '2', '--sessions', '2', '--admin-listen', '127.0.0.1:0']);
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
      assert.notEqual(one.pid, other.pid, JSON.stringify([one, other]));
      assert.ok(one.began < other.ended && other.began < one.ended, JSON.stringify([one, other]));
    }
    const workers = await fleet.workers((all) => all.some(({ calls_sent }) => Number(calls_sent) > 0));
    assert.ok(workers.some(({ calls_taken }) => Number(calls_taken) > 0));
  });

  it('has a sibling run a request with a body in many pieces: whole, and with the address of its client', async () => {
    await fleet.sql.query(`
      select route('/held', $$ begin
        perform pg_advisory_xact_lock(4711);
        return omni_httpd.http_response(pg_backend_pid()::text);
      end $$);
      select route('/digest', $$ begin
        return omni_httpd.http_response(concat_ws(' ', pg_backend_pid(), md5(request.body),
          omni_http.http_header_get(request.headers, 'omnigres-connecting-ip')));
      end $$)`);
    await fleet.sql.query('select pg_advisory_lock(4711)');
    const session = connectHttp2(fleet.url);
    try {
      const held = session.request({ ':path': '/held' }).setEncoding('utf8');
      for (;;) {
        const { rowCount } = await fleet.sql.query(
          "select from pg_stat_activity where wait_event_type = 'Lock' and wait_event = 'advisory'",
        );
        if (rowCount === 1) break;
      }
      const body = randomBytes(300_000);
      const asked = session.request({ ':path': '/digest', ':method': 'POST' }).setEncoding('utf8');
      asked.end(body);
      const [answer] = (await once(asked, 'data')) as [string];
      await fleet.sql.query('select pg_advisory_unlock(4711)');
      const [holder] = (await once(held, 'data')) as [string];
      const [backend, digest, peer] = answer.split(' ');
      assert.notEqual(backend, holder);
      assert.equal(digest, createHash('md5').update(body).digest('hex'));
      assert.equal(peer, '127.0.0.1');
    } finally {
      session.close();
      await fleet.sql.query('select pg_advisory_unlock_all()');
    }
  });

  it('answers more requests of one connection than there are sessions, each once', async () => {
    await fleet.sql.query(`
      create table ran (asked text, pid int);
      select route('/logged', $$ begin
        insert into ran values (request.query_string, pg_backend_pid());
        perform pg_sleep(0.2);
        return omni_httpd.http_response(request.query_string || ' in ' || pg_backend_pid());
      end $$)`);
    const asked = Array.from({ length: 5 }, (_, i) => `n=${i}`);
    const answers = await onOneConnection(
      fleet.url,
      asked.map((query) => `/logged?${query}`),
    );
    const { rows } = await fleet.sql.query<{ run: string }>(
      `select asked || ' in ' || pid as run from ran order by asked`,
    );
    assert.deepEqual(
      rows.map(({ run }) => run),
      answers,
    );
    assert.deepEqual(
      answers.map((answer) => answer.replace(/ in .*/, '')),
      asked,
    );
    const backends = new Set(answers.map((answer) => answer.replace(/.* in /, '')));
    assert.equal(backends.size, 2, `all of these were to be used by two backends: ${answers.join(', ')}`);
  });

  it('spreads few long connections evenly, and shows them in SQL', async () => {
    const sockets = await openConnections(fleet.port, 10);
    await fleet.workers((all) => {
      const counts = all.map(({ connections }) => connections);
      const sum = counts.reduce((a, b) => a + b, 0);
      return sum >= 10 && Math.max(...counts) - Math.min(...counts) <= 2;
    });
    for (;;) {
      const { rows } = await fleet.sql.query<{ worker: number; protocol: string; peer: string }>(
        'select worker, protocol, peer from howdah.connections',
      );
      if (rows.length < 10) continue;
      assert.ok(
        rows.every(({ protocol, peer }) => protocol.startsWith('HTTP/') && /^127\.0\.0\.1\b/.test(peer)),
      );
      assert.equal(new Set(rows.map(({ worker }) => worker)).size, 2);
      break;
    }
    for (const socket of sockets) socket.destroy();
  });

  it('says on its admin listener that it lives, is ready, and what it has counted', async () => {
    const [, admin = ''] = /^(http\S+) +for \/livez/m.exec(fleet.served.process.out) ?? [];
    const ask = async (path: string): Promise<string> => {
      const response = await fetch(new URL(path, admin));
      return `${response.status} ${await response.text()}`;
    };
    assert.equal(await ask('/livez'), '200 alive\n');
    assert.equal(await ask('/readyz'), '200 ready\n');
    assert.match(await ask('/quick'), /^404 /);
    for (;;) {
      const text = await ask('/metrics');
      const counts = Array.from(
        text.matchAll(/^howdah_requests_total\{worker="\d",status="2xx"\} (\d+)$/gm),
        ([, n]) => Number(n),
      );
      assert.equal(counts.length, 2, text);
      if (counts.reduce((a, b) => a + b, 0) < 20) continue;
      assert.match(text, /^howdah_request_duration_seconds_bucket\{worker="1",le="\+Inf"\} \d+$/m);
      assert.match(text, /^howdah_worker_up\{worker="2"\} 1$/m);
      break;
    }
  });

  it('is shown by howdah status, and its workers are replaced by howdah restart', async () => {
    const options = { cwd: '/' };
    const before = await fleet.workers((all) => all.every(({ calls_sent }) => calls_sent !== null));
    const shown = await runHowdah(['status', '--url', fleet.database], options);
    assert.equal(shown.code, 0, shown.err);
    assert.match(shown.out, /, serving \([0-9a-f-]{36}\)\nhttp:\/\/127\.0\.0\.1:\d+\n/);
    assert.match(shown.out, new RegExp(`^ +1 \\| +${before[0]?.pid} \\| serving `, 'm'));
    const restarted = await runHowdah(['restart', '--url', fleet.database], options);
    assert.deepEqual([restarted.code, restarted.out], [0, '2 workers replaced\n'], restarted.err);
    const { out } = await runHowdah(['status', '--json', '--url', fleet.database], options);
    const { workers } = JSON.parse(out) as { workers: Worker[] };
    assert.equal(workers.length, 2);
    assert.ok(workers.every(({ pid }) => before.every((old) => old.pid !== pid)));
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
