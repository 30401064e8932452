// Several howdah processes on one database, from outside: each with its own ports for the same listeners (omni_httpd.md §5.3).
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startServe, temporaryDirectory, type Served } from '../cli/howdah-process.ts';
import { freePort } from '../support/free-port.ts';
import { availablePostgres } from '../support/postgres.ts';
import { startFleet, type Fleet } from './fleet-fixture.ts';

const skip = availablePostgres().length === 0 && 'no PostgreSQL is installed';

interface NodeRow {
  readonly id: string;
  readonly pid: number;
  /** Of the listeners in the order of their ids. */
  readonly ports: readonly number[];
}

describe('two servers of one database', { skip, timeout: 180_000 }, () => {
  const directory = temporaryDirectory();
  let fleet: Fleet;
  let second: Served | null = null;
  let fixed: number;

  /** Until they are as they are waited for; a server writes of itself every other second at most. */
  const nodes = async (condition: (rows: readonly NodeRow[]) => boolean): Promise<readonly NodeRow[]> => {
    for (;;) {
      const { rows } = await fleet.sql.query<NodeRow>(
        `select id, pid, array(
           select effective_port from howdah.node_listeners where node = nodes.id order by listener
         ) as ports
         from howdah.nodes order by started_at`,
      );
      if (condition(rows)) return rows;
      await fleet.sql.query('select pg_sleep(0.1)');
    }
  };
  const shown = async (): Promise<number[]> => {
    const { rows } = await fleet.sql.query<{ port: number }>(
      'select effective_port as port from omni_httpd.listeners order by id',
    );
    return rows.map(({ port }) => port);
  };
  const startSecond = (): Promise<Served> =>
    startServe(['--database', fleet.database, '--no-access-log', '--workers', '1', '--sessions', '1'], {
      cwd: directory.path,
    });
  /** The node whose session has answered at `port`. */
  const answering = async (port: number): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${port}/pid`);
    const pid = await response.text();
    assert.equal(response.status, 200, pid);
    for (;;) {
      const { rows } = await fleet.sql.query<{ node: string }>(
        'select node from howdah.sessions where pid = $1',
        [pid],
      );
      if (rows[0] !== undefined) return rows[0].node;
      await fleet.sql.query('select pg_sleep(0.1)');
    }
  };

  before(async () => {
    fixed = await freePort();
    fleet = await startFleet(['--workers', '1', '--sessions', '1']);
    await fleet.sql.query('insert into omni_httpd.listeners (port) values (0), ($1)', [fixed]);
    await nodes(([first]) => first?.ports.length === 3);
    second = await startSecond();
  });
  after(async () => {
    await second?.[Symbol.asyncDispose]();
    await fleet?.[Symbol.asyncDispose]();
    directory[Symbol.dispose]();
  });

  it('each has a port of its own for each listener, and answers there', async () => {
    const rows = await nodes(([, late]) => late?.ports.length === 3);
    const [early, late] = rows;
    assert.ok(early !== undefined && late !== undefined);
    assert.deepEqual([early.ports[0], early.ports[2]], [fleet.port, fixed]);
    assert.equal(late.ports[0], Number(new URL(second?.url ?? '').port));
    assert.equal(new Set([...early.ports, ...late.ports]).size, 6);
    for (const { id, ports } of rows) for (const port of ports) assert.equal(await answering(port), id);
  });

  it('a listener shows the port of the server that opened it last, and a reload moves none', async () => {
    const rows = await nodes((all) => all.length === 2);
    assert.deepEqual(await shown(), rows[1]?.ports);
    await fleet.sql.query('delete from omni_httpd.configuration_reloads');
    await fleet.sql.query('select omni_httpd.reload_configuration()');
    await fleet.sql.query('call omni_httpd.wait_for_configuration_reloads(2)');
    assert.deepEqual(await nodes((all) => all.length === 2), rows);
    assert.deepEqual(await shown(), rows[1]?.ports);
  });

  it('the rows of one that was killed go, the listeners show the ports of the other, and it comes back to its own', async () => {
    const [early, late] = await nodes((all) => all.length === 2);
    second?.process.child.kill('SIGKILL');
    await second?.process.ended();
    // It counts as gone when it has not been heard of for a minute.
    await fleet.sql.query("update howdah.nodes set seen_at = seen_at - interval '2 minutes' where id = $1", [
      late?.id,
    ]);
    assert.deepEqual(await nodes((all) => all.length === 1), [early]);
    const { rows } = await fleet.sql.query('select from howdah.node_listeners where node <> $1', [early?.id]);
    assert.equal(rows.length, 0);
    assert.deepEqual(await shown(), early?.ports);
    // Its workers end by themselves.
    for (const port of late?.ports ?? []) {
      while (
        await fetch(`http://127.0.0.1:${port}/quick`).then(
          () => true,
          () => false,
        )
      );
    }
    second = await startSecond();
    const [, again] = await nodes((all) => all.length === 2);
    assert.notEqual(again?.id, late?.id);
    assert.deepEqual(again?.ports, late?.ports);
    assert.deepEqual(await shown(), late?.ports);
  });

  it('one that ends takes its rows with it', async () => {
    const [early] = await nodes((all) => all.length === 2);
    second?.process.child.kill('SIGTERM');
    await second?.process.ended();
    assert.deepEqual(await nodes(() => true), [early]);
    assert.deepEqual(await shown(), early?.ports);
  });
});
