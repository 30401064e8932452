// An application from a PostgreSQL server: each worker process loads the module.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runHowdah, startServe, temporaryDirectory } from '../cli/howdah-process.ts';
import { startPostgres } from '../support/postgres.ts';

test('worker processes load the module of an application, and share its database', async () => {
  using directory = temporaryDirectory();
  const postgres = await startPostgres();
  const database = `postgres://postgres@/postgres?host=${postgres.socketDir}&port=${postgres.port}`;
  const write = (text: string): void => writeFileSync(join(directory.path, 'app.ts'), text);
  write(`import { application, route } from 'howdah';
    export default application({
      routes: [
        route('GET /pid', () => new Response(String(process.pid), { headers: { connection: 'close' } })),
        route('GET /sum/:n', async (_request, { bindings, db }) => {
          const [row] = await db\`select sum(i)::int as sum from generate_series(1, \${bindings.n}::int) i\`;
          return Response.json(row);
        }),
      ],
    });`);
  try {
    await using server = await startServe(['--database', database, '--workers', '2', 'app.ts'], {
      cwd: directory.path,
    });
    const pids = new Set<string>();
    while (pids.size < 2) {
      const answers = await Promise.all(
        Array.from({ length: 8 }, async () => (await fetch(`${server.url}/pid`)).text()),
      );
      for (const pid of answers) pids.add(pid);
    }
    assert.ok(!pids.has(String(server.process.child.pid)));
    assert.equal(await (await fetch(`${server.url}/sum/4`)).text(), '{"sum":10}');
    assert.equal((await fetch(`${server.url}/nothing`)).status, 404);
    server.process.child.kill('SIGTERM');
    assert.equal((await server.process.ended()).code, 0);
    // A module that cannot be loaded is one line and a hint.
    write('export default 7;');
    const failed = await runHowdah(['serve', '--database', database, 'app.ts'], { cwd: directory.path });
    assert.equal(failed.code, 1);
    assert.match(failed.err, /the application cannot be served: app\.ts: its default export is a number/);
    const missing = await runHowdah(['serve', '--database', database, 'none.ts'], { cwd: directory.path });
    assert.match(missing.err, /the application cannot be served: none\.ts: there is no such file$/m);
  } finally {
    await postgres.stop();
  }
});
