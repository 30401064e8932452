// The embedded engine: the session suite over it, epochs, limits, losses, and what else only it does.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { EmbeddedDatabase } from '../../src/database/embedded/embedded-database.ts';
import { call, type Answer } from './session-subject.ts';
import { sessionSuite } from './session-suite.ts';
import { openPrepared, openTestEmbedded, preparedDirectory, type TestEmbedded } from './support/embedded.ts';

/**
 * For calls that do not end, among others that do, also right after a start on a busy machine: these take their time, and those
 * behind them wait for another engine, or for several.
 */
const SHORT = { handlerTimeoutMs: 1000, queueTimeoutMs: 600_000 };

const ENDLESS = `create or replace function endless() returns int language plpgsql as $$ begin loop end loop; end $$`;

function row(...columns: (string | null)[]): Answer {
  return { kind: 'row', columns };
}

describe('the embedded database', () => {
  let embedded: TestEmbedded;
  let database: EmbeddedDatabase;

  before(async () => {
    embedded = await openTestEmbedded();
    database = embedded.database;
  });
  after(() => database.close());

  sessionSuite(
    'the embedded engine',
    () => ({
      dispatcher: database,
      query: (text) => database.query(text),
      exec: (text) => database.exec(text),
    }),
    { resetsReads: false },
  );

  it('refuses a call of an older epoch without running it, from the notification on', async () => {
    await database.exec('drop table if exists ran; create table ran (x text)');
    const insert = (epoch: string): Promise<Answer> =>
      call(database, 'insert into ran values ($1) returning x', [epoch], { epoch });
    assert.deepEqual(await insert('5'), row('5'));
    const answers = await Promise.all([
      insert('6'),
      call(database, "select pg_notify('howdah_catalog', '7')::text"),
      insert('6'),
      call(database, 'select 1'),
      insert('7'),
    ]);
    assert.deepEqual(answers, [row('6'), row(''), { kind: 'stale' }, row('1'), row('7')]);
    database.setEpoch('9');
    assert.deepEqual(await insert('8'), { kind: 'stale' });
    assert.deepEqual(await insert('9'), row('9'));
    assert.deepEqual((await database.query('select x from ran order by x')).rows, [
      ['5'],
      ['6'],
      ['7'],
      ['9'],
    ]);
  });

  it('prepares a statement whose first use was refused', async () => {
    database.setEpoch('100');
    const text = 'select 1 as first_use_is_refused';
    assert.deepEqual(await call(database, text, [], { epoch: '99' }), { kind: 'stale' });
    assert.deepEqual(await call(database, text, [], { epoch: '100' }), row('1'));
  });

  it('hears the catalog also after a call that said UNLISTEN', async () => {
    await database.exec(`create or replace function unlistens() returns int language plpgsql as
      $$ begin execute 'unlisten *'; return 1; end $$`);
    await call(database, 'select unlistens()', [], { resetAfter: true });
    await call(database, "select pg_notify('howdah_catalog', '200')::text");
    assert.deepEqual(await call(database, 'select 1', [], { epoch: '199' }), { kind: 'stale' });
  });

  it('hands notifications to who asked for them, and observes notices', async (context) => {
    const { database, observed } = await openPrepared(context);
    const heard: string[] = [];
    await database.exec('listen heard');
    const stop = database.onNotification('heard', (payload) => heard.push(payload));
    await database.exec(`notify heard, 'one'; do $$ begin raise warning 'two'; end $$`);
    stop();
    await database.exec(`notify heard, 'three'`);
    assert.deepEqual(heard, ['one']);
    assert.equal((await observed('sql-notice')).message, 'two');
  });

  it('fails COPY FROM STDIN where nobody has data for it, and lives', async () => {
    await database.exec('drop table if exists copied; create table copied (x int)');
    await assert.rejects(database.exec('copy copied from stdin'), /COPY from stdin failed/);
    assert.deepEqual(await call(database, 'select 1'), row('1'));
  });

  it('refuses calls beyond the queue, and runs the others', async (context) => {
    const small = await openPrepared(context, { maxQueuedCalls: 10 });
    const answers = await Promise.all(Array.from({ length: 300 }, () => call(small.database, 'select 1')));
    const kinds = answers.map(({ kind }) => kind);
    // 128 are on their way to the engine, 10 wait.
    assert.deepEqual(kinds, [
      ...Array.from({ length: 138 }, () => 'row'),
      ...Array.from({ length: 162 }, () => 'unavailable'),
    ]);
  });

  it('finishes what is queued when it is closed, and refuses what comes later', async (context) => {
    const { database } = await openPrepared(context);
    const answers = Array.from({ length: 400 }, (_, index) =>
      call(database, 'select $1::int', [String(index)]),
    );
    const closed = database.close();
    assert.equal((await call(database, 'select 1')).kind, 'unavailable');
    await assert.rejects(database.query('select 1'), /closing/);
    await closed;
    for (const [index, answer] of (await Promise.all(answers)).entries())
      assert.deepEqual(answer, row(String(index)));
  });
});

describe('a call that runs too long', () => {
  it('is ended, those before it keep their answers, those behind it run, and nothing committed is lost', async (context) => {
    const { database, observed } = await openPrepared(context, SHORT);
    await database.exec(`${ENDLESS}; create table kept (x int)`);
    const insert = (value: number): Promise<Answer> =>
      call(database, 'insert into kept values ($1::int) returning x', [String(value)]);
    await insert(0);
    const answers = await Promise.all([
      insert(1),
      insert(2),
      call(database, 'select endless()'),
      insert(3),
      insert(4),
    ]);
    assert.deepEqual(answers, [row('1'), row('2'), { kind: 'timeout' }, row('3'), row('4')]);
    assert.match((await observed('session-lost')).reason, /1000 ms/);
    assert.deepEqual((await database.query('select x from kept order by x')).rows.flat(), [
      '0',
      '1',
      '2',
      '3',
      '4',
    ]);
  });

  it('leaves calls that waited too long for another engine unavailable', async (context) => {
    const { database } = await openPrepared(context, { handlerTimeoutMs: 300, queueTimeoutMs: 500 });
    await database.exec(ENDLESS);
    const answers = await Promise.all([
      call(database, 'select endless()'),
      ...Array.from({ length: 130 }, () => call(database, 'select 1')),
    ]);
    assert.equal(answers[0]?.kind, 'timeout');
    assert.deepEqual([...new Set(answers.slice(1).map(({ kind }) => kind))], ['unavailable']);
  });

  it('does not end statements of the cold path, which may run longer', async (context) => {
    const { database, observations } = await openPrepared(context, {
      handlerTimeoutMs: 100,
      gatewayStatementMs: 600,
    });
    await database.exec(ENDLESS);
    const work = `do $$ declare until timestamptz := clock_timestamp() + '300 ms'; begin
      while clock_timestamp() < until loop end loop; end $$`;
    await database.exec(work);
    assert.ok(observations.every(({ kind }) => kind !== 'session-lost'));
    await assert.rejects(database.query('select endless()'), /too long/);
    await database.query('select 1');
  });
});

describe('an engine that is lost', () => {
  it('starts again with onStart, and keeps the epoch', async (context) => {
    const starts: boolean[] = [];
    const { database, observed } = await openPrepared(context, {
      ...SHORT,
      onStart: async (session) => {
        starts.push(session.initialised);
        await session.exec(`create table if not exists made (x int); ${ENDLESS}`);
        assert.deepEqual((await session.query('select $1::int + 1', ['1'])).rows, [['2']]);
      },
    });
    await call(database, "select pg_notify('howdah_catalog', '50')::text");
    assert.equal((await call(database, 'select endless()')).kind, 'timeout');
    assert.deepEqual(await call(database, 'select count(*) from made', [], { epoch: '50' }), row('0'));
    assert.deepEqual(await call(database, 'select 1', [], { epoch: '49' }), { kind: 'stale' });
    assert.deepEqual(starts, [false, false]);
    await observed('session-ready');
    assert.match((await observed('session-ready')).description, /embedded PostgreSQL 18\S* in \//);
  });

  it('is tried again after a start that failed', async (context) => {
    let starts = 0;
    const { database, observed } = await openPrepared(context, {
      ...SHORT,
      onStart: async (session) => {
        starts += 1;
        await session.exec(ENDLESS);
        if (starts === 2) throw new Error('not this time');
      },
    });
    assert.equal((await call(database, 'select endless()')).kind, 'timeout');
    assert.deepEqual(await call(database, 'select 1'), row('1'));
    assert.equal(starts, 3);
    assert.match(String((await observed('internal-error')).error), /not this time/);
  });

  it('is not opened at all where the first start fails', async (context) => {
    const dataDirectory = await preparedDirectory(context);
    const failing = openTestEmbedded({
      dataDirectory,
      onStart: () => Promise.reject(new Error('no schema')),
    });
    await assert.rejects(failing, /no schema/);
    const { database } = await openTestEmbedded({ dataDirectory });
    await database.close();
  });
});
