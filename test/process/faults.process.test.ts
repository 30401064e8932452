// What a server process survives: loops in SQL, its own sudden end, ten thousand silent clients.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { startServe, temporaryDirectory } from '../cli/howdah-process.ts';

const SCHEMA = `
create table written (id int primary key);
create function write(request omni_httpd.http_request) returns omni_httpd.http_outcome language plpgsql as $$
begin
  insert into written values (request.query_string::int);
  return omni_httpd.http_response('written');
end $$;
create function loop_for_ever(request omni_httpd.http_request) returns omni_httpd.http_outcome language plpgsql as $$
begin
  loop
  end loop;
end $$;
create function quick(request omni_httpd.http_request) returns omni_httpd.http_outcome
  return omni_httpd.http_response('quick');
insert into omni_httpd.urlpattern_router (match, handler) values
  (omni_httpd.urlpattern('/write'), 'write'::regproc),
  (omni_httpd.urlpattern('/loop'), 'loop_for_ever'::regproc),
  (omni_httpd.urlpattern('/quick'), 'quick'::regproc);
`;

function withSchema(path: string): string {
  const file = join(path, 'schema.sql');
  writeFileSync(file, SCHEMA);
  return file;
}

async function writtenIds(gatewayUrl: string | null): Promise<Set<number>> {
  const sql = new Client({ connectionString: gatewayUrl ?? '' });
  await sql.connect();
  const { rows } = await sql.query<{ id: number }>('select id from written');
  await sql.end();
  return new Set(rows.map(({ id }) => id));
}

describe('a server', () => {
  test('ends SQL that loops with 504, loses no commit, and serves again', async () => {
    using directory = temporaryDirectory();
    const args = ['--sql', withSchema(directory.path), '--handler-timeout', '1500ms'];
    await using server = await startServe(args, { cwd: directory.path });
    for (let id = 0; id < 50; id += 1) {
      assert.equal((await fetch(`${server.url}/write?${id}`)).status, 200);
    }
    const loop = fetch(`${server.url}/loop`);
    const meanwhile = Promise.all(Array.from({ length: 10 }, () => fetch(`${server.url}/quick`)));
    assert.equal((await loop).status, 504);
    // Others waited for the engine to start anew, or were told to come again.
    for (const response of await meanwhile)
      assert.ok([200, 503].includes(response.status), String(response.status));
    let status = 0;
    while (status !== 200) ({ status } = await fetch(`${server.url}/quick`));
    assert.equal((await writtenIds(server.gatewayUrl)).size, 50);
    assert.match(server.process.err, /loop_for_ever/);
  });

  test('killed while it writes has every acknowledged row at its next start', async () => {
    using directory = temporaryDirectory();
    const acknowledged = new Set<number>();
    {
      await using server = await startServe(['--sql', withSchema(directory.path)], { cwd: directory.path });
      let id = 0;
      const state = { running: true };
      const writers = Array.from({ length: 16 }, async () => {
        while (state.running) {
          const mine = (id += 1);
          try {
            const response = await fetch(`${server.url}/write?${mine}`);
            if (response.status === 200) acknowledged.add(mine);
          } catch {
            state.running = false;
          }
        }
      });
      while (acknowledged.size < 300 && state.running) await new Promise((resolve) => setImmediate(resolve));
      server.process.child.kill('SIGKILL');
      await Promise.all(writers);
    }
    await using again = await startServe([], { cwd: directory.path });
    const kept = await writtenIds(again.gatewayUrl);
    assert.deepEqual(
      [...acknowledged].filter((id) => !kept.has(id)),
      [],
    );
    assert.ok(acknowledged.size >= 300);
  });

  test('keeps ten thousand idle connections, and answers on one of them and on a new one', async () => {
    using directory = temporaryDirectory();
    await using server = await startServe(['--memory', '--sql', withSchema(directory.path)], {
      cwd: directory.path,
    });
    const port = Number(new URL(server.url).port);
    const sockets: Socket[] = [];
    for (let batch = 0; batch < 100; batch += 1) {
      const opened = Array.from({ length: 100 }, () => connect({ port, host: '127.0.0.1' }));
      await Promise.all(opened.map((socket) => once(socket, 'connect')));
      sockets.push(...opened);
    }
    const [first] = sockets;
    assert.ok(first);
    first.write('GET /quick HTTP/1.1\r\nHost: h\r\n\r\n');
    const [answer] = (await once(first, 'data')) as [Buffer];
    assert.match(answer.toString(), /quick$/);
    assert.equal((await fetch(`${server.url}/quick`)).status, 200);
    for (const socket of sockets) socket.destroy();
  });
});
