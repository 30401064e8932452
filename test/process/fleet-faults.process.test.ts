// What goes wrong in a fleet, and what is done to it, from outside and under load: whose requests fail, and that nobody else's do.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { availablePostgres } from '../support/postgres.ts';
import {
  assertNoFailures,
  openConnections,
  runs,
  startFleet,
  startLoad,
  type Fleet,
  type Load,
  type Worker,
} from './fleet-fixture.ts';

const skip = availablePostgres().length === 0 && 'no PostgreSQL is installed';

const CLIENTS = 12;

const serving = (all: readonly Worker[]): boolean =>
  all.length > 0 && all.every(({ state, pid }) => state === 'serving' && runs(pid));

/** Until the number of failures does not grow while so many answers come. */
async function calm(load: Load, answers = 200): Promise<number> {
  for (;;) {
    const before = load.failures.length;
    await load.more(answers);
    if (load.failures.length === before) return before;
  }
}

describe('a fleet of two workers under load', { skip, timeout: 240_000 }, () => {
  let fleet: Fleet;
  let load: Load;
  before(async () => {
    fleet = await startFleet(['--workers', '2', '--worker-timeout', '3s']);
    await fleet.workers((all) => all.length === 2 && serving(all));
    load = startLoad(`${fleet.url}/quick`, CLIENTS);
    await load.more(500);
    assertNoFailures(fleet, load.failures);
  });
  after(async () => {
    await load?.stop();
    await fleet?.[Symbol.asyncDispose]();
  });

  it('replaces its workers one after another without a failed request', async () => {
    const old = await fleet.workers(serving);
    await fleet.sql.query('select howdah.restart_workers()');
    await fleet.workers((all) => serving(all) && all.every(({ pid }) => old.every((one) => one.pid !== pid)));
    while (old.some(({ pid }) => runs(pid))) await load.more(50);
    await load.more(500);
    assertNoFailures(fleet, load.failures);
  });

  it('loses with a killed worker only what that had in flight, and replaces it', async () => {
    const [victim, other] = await fleet.workers(serving);
    assert.ok(victim !== undefined && other !== undefined);
    process.kill(victim.pid, 'SIGKILL');
    const [fresh, same] = await fleet.workers(
      (all) => all.length === 2 && serving(all) && all[0]?.restarts === victim.restarts + 1,
    );
    assert.notEqual(fresh?.pid, victim.pid);
    assert.equal(same?.pid, other.pid);
    const failures = await calm(load);
    assert.ok(failures <= CLIENTS, `${failures} of ${CLIENTS} clients failed`);
    // 500: a call that it ran for the other worker, of which nobody knows whether it has committed.
    for (const failure of load.failures)
      assert.match(failure, /ECONNRESET|socket hang up|aborted|status 500/);
  });

  it('lets connections wait while all workers are dead, and refuses none', async () => {
    const before = load.failures.length;
    const old = await fleet.workers(serving);
    for (const { pid } of old) process.kill(pid, 'SIGKILL');
    const [socket] = await openConnections(fleet.port, 1);
    socket?.destroy();
    await fleet.workers((all) => serving(all) && all.every(({ pid }) => old.every((one) => one.pid !== pid)));
    const failures = (await calm(load)) - before;
    assert.ok(failures <= CLIENTS, `${failures} of ${CLIENTS} clients failed`);
    assert.equal(load.failures.filter((failure) => failure.includes('REFUSED')).length, 0);
  });

  it('replaces a worker that does not react any more, while the other goes on', async () => {
    const [victim] = await fleet.workers(serving);
    assert.ok(victim !== undefined);
    process.kill(victim.pid, 'SIGSTOP');
    // Those whose connections are with the other are answered meanwhile.
    await load.more(100);
    await fleet.served.process.prints(/worker 1 does not answer for \d+ ms and is replaced/, 'err');
    await fleet.workers((all) => serving(all) && all[0]?.pid !== victim.pid);
    await calm(load);
  });

  it('goes on serving when a worker has no file descriptor left, and accepts again when it has', async () => {
    const workers = await fleet.workers(serving);
    // The load may be about to connect anew, which is what fails here.
    const kept = await openConnections(fleet.port, 4);
    for (const { pid } of workers) execFileSync('prlimit', ['--pid', String(pid), '--nofile=60:4096']);
    const crowd = Array.from({ length: 150 }, () =>
      connect(fleet.port, '127.0.0.1').on('error', () => undefined),
    );
    // Whom nobody has a descriptor for is let go at once, rather than left to wait for one.
    await Promise.race(crowd.map((socket) => once(socket.resume(), 'close')));
    for (const socket of kept) {
      for (let i = 0; i < 20; i += 1) {
        socket.write('GET /quick HTTP/1.1\r\nhost: localhost\r\n\r\n');
        assert.match(String((await once(socket, 'data'))[0]), /^HTTP\/1\.1 200 /);
      }
    }
    for (const { pid } of workers) execFileSync('prlimit', ['--pid', String(pid), '--nofile=4096:4096']);
    for (const socket of [...crowd, ...kept]) socket.destroy();
    const [socket] = await openConnections(fleet.port, 1);
    socket?.destroy();
    assert.deepEqual(
      (await fleet.workers(serving)).map(({ pid }) => pid),
      workers.map(({ pid }) => pid),
    );
  });
});

describe('a fleet whose configuration changes under load', { skip, timeout: 240_000 }, () => {
  let fleet: Fleet;
  let load: Load;
  before(async () => {
    fleet = await startFleet([]);
    await fleet.workers(serving);
    load = startLoad(`${fleet.url}/quick`, CLIENTS);
    await load.more(200);
  });
  after(async () => {
    await load?.stop();
    await fleet?.[Symbol.asyncDispose]();
  });

  it('has as many workers as omni_httpd.http_workers says, from the next reload on, without a failed request', async () => {
    for (const count of [3, 1, 2]) {
      await fleet.sql.query(`alter database postgres set omni_httpd.http_workers = ${count}`);
      await fleet.sql.query('select omni_httpd.reload_configuration()');
      await fleet.workers((all) => all.length === count && serving(all));
      await load.more(200);
    }
    assertNoFailures(fleet, load.takeFailures());
  });

  it('keeps the former listeners where new ones cannot be had, and says why in SQL and in the log', async () => {
    await fleet.sql.query("insert into omni_httpd.listeners (address, port) values ('192.0.2.1', 0)");
    await fleet.served.process.prints(/new configuration is refused: 192\.0\.2\.1:0: .*EADDRNOTAVAIL/, 'err');
    for (;;) {
      const { rows } = await fleet.sql.query<{ refused_configuration: string | null }>(
        'select * from howdah.nodes',
      );
      if (rows[0]?.refused_configuration?.includes('EADDRNOTAVAIL') === true) break;
    }
    await load.more(100);
    await fleet.sql.query("delete from omni_httpd.listeners where address = '192.0.2.1'");
    for (;;) {
      const { rows } = await fleet.sql.query<{ refused_configuration: string | null }>(
        'select * from howdah.nodes',
      );
      if (rows[0]?.refused_configuration === null) break;
    }
    assertNoFailures(fleet, load.takeFailures());
  });

  // HOWDAH_TEST_CHANGE_SECONDS=60 for the long run.
  it('takes ten changes a second without a failed request', async () => {
    const seconds = Number(process.env['HOWDAH_TEST_CHANGE_SECONDS'] ?? 3);
    for (let change = 0; change < seconds * 10; change += 2) {
      await fleet.sql.query("insert into omni_httpd.listeners (address, port) values ('127.0.0.1', 0)");
      await wait(100);
      await fleet.sql.query(
        'delete from omni_httpd.listeners where id <> (select min(id) from omni_httpd.listeners)',
      );
      await wait(100);
    }
    await load.more(100);
    assertNoFailures(fleet, load.takeFailures());
  });

  it('ends with its master, which was killed: workers finish what they have, and nothing is left', async () => {
    await load.stop();
    const workers = await fleet.workers(serving);
    const sleeping = fleet.get('/sleep');
    for (;;) {
      const { rowCount } = await fleet.sql.query("select from pg_stat_activity where wait_event = 'PgSleep'");
      if (rowCount === 1) break;
    }
    const { child } = fleet.served.process;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    assert.match(await sleeping, /"pid"/);
    while (workers.some(({ pid }) => runs(pid))) await wait(10);
    await assert.rejects(fleet.get('/quick'));
  });
});
