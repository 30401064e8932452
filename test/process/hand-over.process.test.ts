// Listening sockets that outlive a process, or come before it: hand-over to the program started anew, and socket activation.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { HowdahProcess, temporaryDirectory } from '../cli/howdah-process.ts';
import { availablePostgres } from '../support/postgres.ts';
import {
  assertNoFailures,
  httpsUrl,
  runs,
  startFleet,
  startLoad,
  tlsArguments,
  visitTls,
  type Fleet,
} from './fleet-fixture.ts';

const skip = availablePostgres().length === 0 && 'no PostgreSQL is installed';

const BIN = fileURLToPath(new URL('../../bin/howdah.js', import.meta.url));

/** In place of systemd's own program, which wants a service manager: writes down what it is told. */
function fakeNotify(directory: string): { readonly env: Record<string, string>; told(): string[] } {
  const log = join(directory, 'told');
  const program = join(directory, 'systemd-notify');
  writeFileSync(log, '');
  writeFileSync(program, `#!/bin/sh\necho "$NOTIFY_SOCKET $@" >> '${log}'\n`);
  chmodSync(program, 0o755);
  return {
    env: { PATH: `${directory}:${process.env['PATH'] ?? ''}`, NOTIFY_SOCKET: '/run/somewhere' },
    told: () => readFileSync(log, 'utf8').trimEnd().split('\n'),
  };
}

/** The kernel takes connections while nobody accepts them, as many as before: what closes must not shorten the queue of what goes on. */
async function seeQueue(fleet: Fleet, port: number): Promise<void> {
  const workers = await fleet.workers(
    (all) => all.length === 2 && all.every(({ state, pid }) => state === 'serving' && runs(pid)),
  );
  for (const { pid } of workers) process.kill(pid, 'SIGSTOP');
  try {
    const clients = Array.from({ length: 60 }, () => connect(port, '127.0.0.1'));
    const signal = AbortSignal.timeout(30_000);
    await Promise.all(clients.map((client) => once(client, 'connect', { signal })));
    for (const client of clients) client.destroy();
  } finally {
    for (const { pid } of workers) process.kill(pid, 'SIGCONT');
  }
}

describe('hand-over', { skip, timeout: 120_000 }, () => {
  it('to the program started anew loses no request and refuses none, and the service manager is told', async () => {
    using directory = temporaryDirectory();
    const notify = fakeNotify(directory.path);
    const admitted = ['--admin-listen', '127.0.0.1:0', ...(await tlsArguments(directory.path))];
    await using fleet = await startFleet(['--workers', '2', ...admitted], notify.env);
    const { child } = fleet.served.process;
    const https = httpsUrl(fleet.served);
    const { session } = await visitTls(https);
    // A listener that has got any port, as the first has; both stay where they are.
    await fleet.sql.query("insert into omni_httpd.listeners (address, port) values ('127.0.0.1', 0)");
    const portOfLast = async (): Promise<number> => {
      const { rows } = await fleet.sql.query<{ port: number }>(
        `select served.effective_port as port from howdah.node_listeners as served
         where served.listener = (select max(id) from omni_httpd.listeners)`,
      );
      return rows.length === 1 ? (rows[0]?.port ?? 0) : 0;
    };
    let port = 0;
    while (port === 0) port = await portOfLast();
    const [, admin = ''] = /^(http\S+) +for \/livez/m.exec(fleet.served.process.out) ?? [];
    const kept = startLoad(`${fleet.url}/quick`, 6);
    const fresh = startLoad(`${fleet.url}/quick`, 24, false);
    const other = startLoad(`http://127.0.0.1:${port}/quick`, 4, false);
    const secure = startLoad(`${https}/quick`, 16, false);
    const loads = [kept, fresh, other, secure];
    const more = (): Promise<unknown> => Promise.all(loads.map((load) => load.more(100)));
    await more();
    const ended = once(child, 'exit', { signal: AbortSignal.timeout(60_000) });
    child.kill('SIGUSR2');
    const [code] = (await ended) as [number | null];
    assert.equal(code, 0, fleet.served.process.err);
    const { rows } = await fleet.sql.query<{ pid: number }>('select pid from howdah.nodes');
    const pid = rows[0]?.pid ?? 0;
    try {
      assert.equal(rows.length, 1);
      assert.notEqual(pid, child.pid);
      await more();
      assertNoFailures(
        fleet,
        loads.flatMap(({ failures }) => failures),
      );
      assert.equal(await portOfLast(), port);
      assert.equal((await visitTls(https, session)).resumed, true);
      assert.equal((await fetch(new URL('/readyz', admin))).status, 200);
      assert.deepEqual(notify.told(), [
        `/run/somewhere READY=1 MAINPID=${child.pid}`,
        `/run/somewhere READY=1 MAINPID=${pid}`,
      ]);
      await seeQueue(fleet, port);
    } finally {
      await Promise.all(loads.map((load) => load.stop()));
      process.kill(pid, 'SIGTERM');
      while (runs(pid)) await wait(10);
    }
    assert.equal(notify.told().at(-1), '/run/somewhere STOPPING=1');
  });

  it('that fails leaves the old process serving, and says why', async () => {
    await using server = new HowdahProcess(
      ['serve', '--memory', '--listen', '127.0.0.1:0', '--pg-listen', 'off'],
      { cwd: '/' },
    );
    const [, url = ''] = await server.prints(/^(http:\S+)/m);
    server.child.kill('SIGUSR2');
    await server.prints(/this process goes on serving: the server has no worker processes/, 'err');
    assert.equal((await fetch(url)).status, 200);
  });
});

describe('socket activation', { timeout: 60_000 }, () => {
  it('serves the first listener from the socket that the service manager holds', async () => {
    // What connects before the server is there waits: the service manager listens and does not accept.
    const holder = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    const child = spawn(
      '/bin/sh',
      [
        '-c',
        'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"',
        'sh',
        process.execPath,
        BIN,
        'serve',
        '--memory',
        '--pg-listen',
        'off',
      ],
      { stdio: ['ignore', 'pipe', 'inherit', Reflect.get(holder, '_handle') as 'ignore'] },
    );
    try {
      holder.close();
      let out = '';
      for await (const chunk of child.stdout ?? []) {
        out += String(chunk);
        if (out.includes(`http://127.0.0.1:${port}\n`)) break;
      }
      assert.match(out, new RegExp(`^http://127\\.0\\.0\\.1:${port}$`, 'm'));
      assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 200);
    } finally {
      child.kill('SIGKILL');
    }
  });
});
