// Connections that the kernel has taken and nobody has accepted when a listener closes: they are answered before it does. Seen from
// outside, with processes that are stopped for a moment, so that there are such connections for certain.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { runHowdah, startServe, temporaryDirectory } from '../cli/howdah-process.ts';
import { availablePostgres } from '../support/postgres.ts';
import { runs, startFleet, type Fleet } from './fleet-fixture.ts';

const skip = availablePostgres().length === 0 && 'no PostgreSQL is installed';

/** More than what one look for connections may accept. */
const CLIENTS = 60;

/** What each client got until its connection ended: the status lines, or the system's error. */
type Outcome = string;

/** Clients that are connected, as they see it, and have sent a request. */
async function connectAll(port: number): Promise<Promise<Outcome>[]> {
  const clients: Socket[] = Array.from({ length: CLIENTS }, () => connect(port, '127.0.0.1'));
  await Promise.all(clients.map((socket) => once(socket, 'connect')));
  const outcomes = clients.map(
    (socket) =>
      new Promise<Outcome>((resolve) => {
        let text = '';
        socket.setEncoding('latin1').on('data', (piece: string) => {
          text += piece;
          // One that is not to be kept is ended by the server.
          if (/\r\n\r\n./.test(text) && !/^connection: close/im.test(text)) socket.end();
        });
        socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
        socket.on('close', () => resolve(/^HTTP\/1\.1 \d+/.exec(text)?.[0] ?? 'nothing'));
      }),
  );
  for (const socket of clients) socket.write(`GET /quick HTTP/1.1\r\nhost: localhost\r\n\r\n`);
  return outcomes;
}

async function assertAllAnswered(outcomes: readonly Promise<Outcome>[]): Promise<void> {
  assert.deepEqual(await Promise.all(outcomes), Array<Outcome>(CLIENTS).fill('HTTP/1.1 200'));
}

/** Each worker closes the socket when it finds nobody there any more, which may be after the last answer. */
async function seeRefused(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const refused = await once(socket, 'connect').then(
      () => null,
      (error: NodeJS.ErrnoException) => error,
    );
    socket.on('error', () => undefined).destroy();
    if (refused?.code === 'ECONNREFUSED') return;
    assert.ok(refused === null || refused.code === 'ECONNRESET', refused?.code);
  }
}

describe('connections that a fleet has not accepted yet', { skip, timeout: 180_000 }, () => {
  let fleet: Fleet;
  let port = 0;
  const stopped = new Set<number>();

  /** Stops all workers, so that they accept nothing, until `goOn`. */
  const stopWorkers = async (): Promise<void> => {
    const workers = await fleet.workers(
      (all) => all.length === 2 && all.every(({ state, pid }) => state === 'serving' && runs(pid)),
    );
    for (const { pid } of workers) process.kill(pid, 'SIGSTOP');
    for (const { pid } of workers) stopped.add(pid);
  };
  const goOn = (): void => {
    for (const pid of stopped) if (runs(pid)) process.kill(pid, 'SIGCONT');
    stopped.clear();
  };
  /** The master has told the workers to stop, and does not wait for them any more. */
  const isClosed = (at: number): Promise<unknown> =>
    fleet.served.process.prints(new RegExp(`no longer listening on http://127\\.0\\.0\\.1:${at}\\b`), 'err');

  before(async () => {
    fleet = await startFleet(['--workers', '2', '--worker-timeout', '60s']);
    port = fleet.port;
  });
  after(async () => {
    goOn();
    await fleet?.[Symbol.asyncDispose]();
  });

  it('are answered when their listener is removed', async () => {
    await fleet.sql.query("insert into omni_httpd.listeners (address, port) values ('127.0.0.1', 0)");
    const opened = await fleet.served.process.prints(/listening on http:\/\/127\.0\.0\.1:(\d+)\n/, 'err');
    const other = Number(opened[1]);
    assert.notEqual(other, port);
    await stopWorkers();
    const outcomes = await connectAll(other);
    await fleet.sql.query('delete from omni_httpd.listeners where effective_port = $1', [other]);
    await isClosed(other);
    goOn();
    await assertAllAnswered(outcomes);
    await seeRefused(other);
  });

  it('are answered when omni_httpd.stop() is called', async () => {
    await stopWorkers();
    const outcomes = await connectAll(port);
    await fleet.sql.query('call omni_httpd.stop()');
    await isClosed(port);
    goOn();
    await assertAllAnswered(outcomes);
    await seeRefused(port);
    await fleet.sql.query('call omni_httpd.start()');
    await fleet.served.process.prints(/serving again/, 'err');
  });

  it('are answered when the master gets SIGTERM', async () => {
    await stopWorkers();
    const outcomes = await connectAll(port);
    const { process: master } = fleet.served;
    const said = master.err.length;
    master.child.kill('SIGTERM');
    await master.prints(new RegExp(`^[^]{${said}}[^]*no longer listening`), 'err');
    goOn();
    await assertAllAnswered(outcomes);
    assert.equal((await master.ended()).code, 0);
    await seeRefused(port);
  });
});

describe(
  'connections that a server on the embedded engine has not accepted yet',
  { timeout: 120_000 },
  () => {
    it('are answered when it gets SIGTERM', async () => {
      using directory = temporaryDirectory();
      await using served = await startServe(['--memory', '--no-access-log'], { cwd: directory.path });
      const port = Number(new URL(served.url).port);
      const ready = await runHowdah(
        [
          'sql',
          '--url',
          served.gatewayUrl ?? '',
          '-c',
          `create function quick() returns omni_httpd.http_outcome language sql as $$ select omni_httpd.http_response('quick') $$;
        insert into omni_httpd.urlpattern_router values (omni_httpd.urlpattern('/quick'), 'quick'::regproc);`,
        ],
        { cwd: directory.path },
      );
      assert.equal(ready.code, 0, ready.err);
      const { child } = served.process;
      child.kill('SIGSTOP');
      const outcomes = await connectAll(port);
      child.kill('SIGTERM');
      child.kill('SIGCONT');
      await assertAllAnswered(outcomes);
      assert.equal((await served.process.ended()).code, 0);
      await seeRefused(port);
    });
  },
);
