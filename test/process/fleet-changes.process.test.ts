// What clients of a fleet see while its workers are replaced, stopped and ended: HTTP/2, TLS and WebSockets, and how short connections
// spread. Under load, from outside. (HTTP/1.1 is in fleet-faults.process.test.ts and hand-over.process.test.ts.)
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory } from '../cli/howdah-process.ts';
import { availablePostgres } from '../support/postgres.ts';
import { openWebSockets, startHttp2Load } from './clients.ts';
import {
  assertNoFailures,
  httpsUrl,
  runs,
  startFleet,
  startLoad,
  tlsArguments,
  visitTls,
  type Fleet,
  type Worker,
} from './fleet-fixture.ts';

const skip = availablePostgres().length === 0 && 'no PostgreSQL is installed';

const LIBRARY = fileURLToPath(new URL('../../src/index.ts', import.meta.url));

/** /worker says which process answers; /spin never comes back; where the file `crash` lies beside it, a worker ends when it has begun. */
const APPLICATION = `
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { application, route, websocket } from ${JSON.stringify(LIBRARY)};
if (existsSync(join(import.meta.dirname, 'crash'))) setTimeout(() => process.exit(7), 20);
export default application({
  routes: [
    route('GET /worker', () => new Response(String(process.pid))),
    route('GET /spin', () => { for (;;); }),
    route('/socket', websocket({ message: (socket, message) => socket.send(message) })),
  ],
});
`;

const serving = (all: readonly Worker[]): boolean =>
  all.length === 2 && all.every(({ state, pid }) => state === 'serving' && runs(pid));

/** The answer to one request on a connection of its own. */
async function visit(url: string): Promise<string> {
  const [response] = await once(get(url, { agent: new Agent() }), 'response');
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return text;
}

describe('a fleet that changes, as its clients see it', { skip, timeout: 280_000 }, () => {
  const directory = temporaryDirectory();
  let fleet: Fleet;
  let https = '';

  /** All workers are others, and the former ones have ended. */
  const replaced = async (old: readonly Worker[]): Promise<void> => {
    await fleet.workers((all) => serving(all) && all.every(({ pid }) => old.every((one) => one.pid !== pid)));
    while (old.some(({ pid }) => runs(pid))) await wait(10);
  };

  before(async () => {
    const application = join(directory.path, 'app.ts');
    writeFileSync(application, APPLICATION);
    fleet = await startFleet([
      application,
      '--workers',
      '2',
      '--worker-timeout',
      '3s',
      ...(await tlsArguments(directory.path)),
    ]);
    https = httpsUrl(fleet.served);
    await fleet.workers(serving);
  });
  after(async () => {
    await fleet?.[Symbol.asyncDispose]();
    directory[Symbol.dispose]();
  });

  it('spreads many short connections over all workers', async () => {
    const counts = new Map<string, number>();
    const VISITS = 2000;
    let left = VISITS;
    const client = async (): Promise<void> => {
      while (left-- > 0) {
        const pid = await visit(`${fleet.url}/worker`);
        counts.set(pid, (counts.get(pid) ?? 0) + 1);
      }
    };
    await Promise.all(Array.from({ length: 16 }, client));
    const spread = [...counts.values()];
    assert.equal(
      spread.reduce((a, b) => a + b, 0),
      VISITS,
    );
    assert.equal(spread.length, 2);
    // Half each would be even; whoever has time takes what comes, and no more than two thirds.
    assert.ok(Math.max(...spread) <= (VISITS * 2) / 3, spread.join(' and '));
  });

  it('answers a thousand requests one after another on one HTTP/2 connection', async () => {
    for (const path of ['/quick', '/worker']) {
      const load = startHttp2Load(fleet.url, path, 1, 1);
      await load.more(1000);
      await load.stop();
      assertNoFailures(fleet, load.failures);
      assert.equal(load.goaways, 0);
    }
  });

  it('resumes a TLS session with each of its workers', async () => {
    const { session } = await visitTls(https);
    const visits = await Promise.all(Array.from({ length: 12 }, () => visitTls(https, session)));
    assert.deepEqual(
      visits.map(({ resumed }) => resumed),
      visits.map(() => true),
    );
  });

  it('loses no request over HTTP/2 while its workers are replaced, and closes WebSockets with 1001', async () => {
    const clear = startHttp2Load(fleet.url, '/quick', 3, 4);
    const secure = startHttp2Load(https, '/worker', 3, 4);
    const fresh = startLoad(`${https}/worker`, 6, false);
    const sockets = await openWebSockets(`${fleet.url}/socket`, 6);
    await Promise.all([clear.more(200), secure.more(200), fresh.more(50)]);
    const old = await fleet.workers(serving);
    await fleet.sql.query('select howdah.restart_workers()');
    assert.deepEqual(
      await sockets.ended(6),
      Array.from({ length: 6 }, () => 1001),
    );
    await replaced(old);
    await Promise.all([clear.more(200), secure.more(200), fresh.more(50)]);
    await Promise.all([clear.stop(), secure.stop(), fresh.stop()]);
    assertNoFailures(fleet, [...clear.failures, ...secure.failures, ...fresh.failures]);
    assert.ok(clear.goaways >= 3 && secure.goaways >= 3, `${clear.goaways} and ${secure.goaways} GOAWAY`);
  });

  it('loses no request when a worker is told to end by itself', async () => {
    const load = startHttp2Load(https, '/quick', 3, 2);
    const fresh = startLoad(`${fleet.url}/quick`, 8, false);
    await Promise.all([load.more(50), fresh.more(50)]);
    const [victim] = await fleet.workers(serving);
    assert.ok(victim !== undefined);
    process.kill(victim.pid, 'SIGTERM');
    await fleet.workers((all) => serving(all) && all[0]?.pid !== victim.pid);
    await Promise.all([load.more(50), fresh.more(50)]);
    await Promise.all([load.stop(), fresh.stop()]);
    assertNoFailures(fleet, [...load.failures, ...fresh.failures]);
  });

  it('serves a certificate that was renewed from SIGHUP on, with all workers, and goes on with what is open', async () => {
    const serial = async (): Promise<string> => {
      const socket = connectTls({ port: Number(new URL(https).port), rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      const { fingerprint256 } = socket.getPeerX509Certificate() ?? {};
      socket.destroy();
      return fingerprint256 ?? '';
    };
    const former = await serial();
    const load = startLoad(`${https}/worker`, 4);
    await load.more(50);
    await tlsArguments(directory.path);
    fleet.served.process.child.kill('SIGHUP');
    while ((await serial()) === former) await wait(10);
    // A worker is told in a message: the other one has it a moment later.
    for (let same = 0; same < 20; same = (await serial()) === former ? 0 : same + 1);
    await load.more(50);
    await load.stop();
    assertNoFailures(fleet, load.failures);
  });

  it('stops and starts as a whole, by SQL', async () => {
    const old = await fleet.workers(serving);
    await fleet.sql.query('call omni_httpd.stop()');
    while (old.some(({ pid }) => runs(pid))) await wait(10);
    await assert.rejects(visit(`${fleet.url}/quick`), { code: 'ECONNREFUSED' });
    const sessions = "select from pg_stat_activity where application_name = 'howdah'";
    while ((await fleet.sql.query(sessions)).rowCount !== 0) await wait(10);
    await fleet.sql.query('call omni_httpd.start()');
    await fleet.workers((all) => serving(all) && all.every(({ pid }) => old.every((one) => one.pid !== pid)));
    assert.equal(await visit(`${fleet.url}/quick`), 'quick');
    assert.equal((await visitTls(https)).resumed, false);
  });

  it('replaces a worker whose handler never comes back, while the others serve', async () => {
    const spun = visit(`${fleet.url}/spin`);
    const failed = assert.rejects(spun, { code: 'ECONNRESET' });
    const old = await fleet.workers(serving);
    await fleet.served.process.prints(/does not answer for \d+ ms and is replaced/, 'err');
    await failed;
    const now = await fleet.workers((all) => serving(all) && all.some(({ restarts }) => restarts > 0));
    assert.equal(now.filter(({ pid }) => old.every((one) => one.pid !== pid)).length, 1);
    const load = startLoad(`${fleet.url}/worker`, 4, false);
    await load.more(50);
    await load.stop();
    assertNoFailures(fleet, load.failures);
  });

  it('waits longer and longer before it starts a worker that crashes anew, says so, and serves with the other', async () => {
    const crash = join(directory.path, 'crash');
    const [victim, other] = await fleet.workers(serving);
    assert.ok(victim !== undefined && other !== undefined);
    writeFileSync(crash, '');
    process.kill(victim.pid, 'SIGKILL');
    await fleet.served.process.prints(/worker 1 has ended 5 times soon after its start: exit code 7/, 'err');
    const load = startLoad(`${fleet.url}/worker`, 4, false);
    await load.more(100);
    await load.stop();
    assertNoFailures(fleet, load.failures);
    const waits = Array.from(
      fleet.served.process.err.matchAll(/worker 1 ended: exit code 7\n +restartMs: (\d+)/g),
      ([, ms]) => Number(ms),
    );
    assert.ok(waits.length >= 3, fleet.served.process.err);
    for (const [i, ms] of waits.entries()) assert.ok(i === 0 || ms > (waits[i - 1] ?? 0), waits.join(' '));
    rmSync(crash);
    assert.equal(existsSync(crash), false);
    const now = await fleet.workers(serving);
    assert.equal(now[1]?.pid, other.pid);
  });

  it('ends at SIGTERM: what was asked is answered, HTTP/2 is told GOAWAY, WebSockets 1001', async () => {
    const clear = startHttp2Load(fleet.url, '/quick', 2, 4);
    const secure = startHttp2Load(https, '/worker', 2, 4);
    const sockets = await openWebSockets(`${fleet.url}/socket`, 4);
    await Promise.all([clear.more(50), secure.more(50)]);
    const sleeping = visit(`${fleet.url}/sleep`);
    for (;;) {
      const { rowCount } = await fleet.sql.query("select from pg_stat_activity where wait_event = 'PgSleep'");
      if (rowCount === 1) break;
    }
    const { child } = fleet.served.process;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    assert.match(await sleeping, /"pid"/);
    assert.deepEqual(await sockets.ended(4), [1001, 1001, 1001, 1001]);
    await Promise.all([clear.stop(), secure.stop()]);
    assert.deepEqual(await ended, [0, null]);
    // Nothing but connections that nobody accepts any more, after each was told of the end.
    for (const { goaways, failures } of [clear, secure]) {
      assert.ok(goaways >= 2, String(goaways));
      for (const failure of failures)
        assert.match(failure, /^connection: .*ECONNREFUSED|^status 0, cut .*ECONNREFUSED/);
    }
  });
});
