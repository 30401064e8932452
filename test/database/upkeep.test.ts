// What keeps the embedded engine's log and tables from growing for ever: done where it is due, and nowhere else.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { EngineUpkeep } from '../../src/database/embedded/engine-upkeep.ts';
import type { EmbeddedDatabase } from '../../src/database/embedded/embedded-database.ts';
import { openPrepared } from './support/embedded.ts';

const observer = { observe: () => undefined };

async function open(context: TestContext): Promise<{ database: EmbeddedDatabase; upkeep: EngineUpkeep }> {
  const { database } = await openPrepared(context);
  return { database, upkeep: new EngineUpkeep(database, observer) };
}

async function one(database: EmbeddedDatabase, sql: string): Promise<string | null> {
  const { rows } = await database.query(sql);
  return rows[0]?.[0] ?? null;
}

const CHECKPOINT = 'select redo_lsn from pg_control_checkpoint()';

/** Statements count what they did when a later one ends, at most once a second unless they are told to. */
async function counted(database: EmbeddedDatabase): Promise<void> {
  await database.query('select pg_stat_force_next_flush()');
  await database.query('select 1');
}

test('a checkpoint is made when the log has grown by 32 MB, and its files are used again', async (context) => {
  const { database, upkeep } = await open(context);
  const first = await one(database, CHECKPOINT);
  await upkeep.look();
  assert.equal(await one(database, CHECKPOINT), first);

  await database.exec('create table filler (text text storage plain)');
  const segments: number[] = [];
  for (let round = 0; round < 4; round++) {
    await database.exec(`insert into filler select repeat('x', 7000) from generate_series(1, 10000)`);
    await database.exec('truncate filler');
    await upkeep.look();
    segments.push(Number(await one(database, 'select count(*) from pg_ls_waldir()')));
  }
  assert.notEqual(await one(database, CHECKPOINT), first);
  const written = await one(database, `select pg_wal_lsn_diff(pg_current_wal_lsn(), '${first}')`);
  assert.ok(Number(written) > 256 * 1024 * 1024, `only ${written} bytes were written`);
  assert.ok(Math.max(...segments) * 16 < 256, `up to ${Math.max(...segments)} segments of 16 MB`);
});

test('tables are vacuumed and analyzed when autovacuum would, unless they are taken out of it', async (context) => {
  const { database, upkeep } = await open(context);
  await database.exec(`
    create table kept (id int primary key, text text);
    create table left_alone (id int primary key, text text) with (autovacuum_enabled = false);
    create table "Quiet" (id int primary key, text text);
    insert into kept select id, '' from generate_series(1, 1000) as ids (id);
    insert into left_alone select id, '' from generate_series(1, 1000) as ids (id);
    insert into "Quiet" select id, '' from generate_series(1, 20) as ids (id)`);
  for (const table of ['kept', 'left_alone', '"Quiet"'])
    await database.exec(`update ${table} set text = 'x'`);
  await counted(database);
  await upkeep.look();
  const { rows } = await database.query(`
    select relname, last_vacuum is not null, last_analyze is not null
    from pg_stat_user_tables where relname in ('kept', 'left_alone', 'Quiet') order by relname`);
  assert.deepEqual(rows, [
    ['Quiet', 'f', 'f'],
    ['kept', 't', 't'],
    ['left_alone', 'f', 'f'],
  ]);

  await database.exec(`create table changed as select id from generate_series(1, 60) as ids (id)`);
  await counted(database);
  await upkeep.look();
  assert.equal(
    await one(
      database,
      `select (last_vacuum is null) || ' ' || (last_analyze is not null) from pg_stat_user_tables where relname = 'changed'`,
    ),
    'true true',
  );
});

test('a table that is vacuumed does not grow with each of its updates', async (context) => {
  const { database, upkeep } = await open(context);
  await database.exec(
    `create table counters (id int primary key, at int); create index on counters (at);
     insert into counters select id, 0 from generate_series(1, 1000) as ids (id)`,
  );
  const sizes: number[] = [];
  for (let round = 0; round < 6; round++) {
    await database.exec('update counters set at = at + 1');
    await database.exec('update counters set at = at + 1');
    await counted(database);
    await upkeep.look();
    sizes.push(Number(await one(database, `select pg_relation_size('counters')`)));
  }
  assert.equal(sizes.at(-1), sizes[1], sizes.join(' '));
});
