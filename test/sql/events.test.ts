// Events as SQL has them: published in transactions, numbered in the order of their commits, read after an id, forgotten.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeOutcome } from '../../src/catalog/outcome.ts';
import { decodeEvents, type EventsRead } from '../../src/catalog/event-reads.ts';
import { onEachDatabase, one, value, type TestSession } from './databases.ts';

const ALL = 2_147_483_647;

async function read(
  session: TestSession,
  after: number,
  channels: string | null = null,
  max = ALL,
  maxBytes = ALL,
): Promise<EventsRead> {
  const bytes = await value(session, 'select howdah.read_events($1, $2::text[], $3, $4)', [
    String(after),
    channels,
    String(max),
    String(maxBytes),
  ]);
  return decodeEvents(Buffer.from(bytes as Uint8Array));
}

const lastId = async (session: TestSession): Promise<number> =>
  Number(String(await value(session, 'select howdah.last_event_id()')).split('.')[1]);

const texts = ({ events }: EventsRead): string[] =>
  events.map(({ channel, event, data }) => `${channel} ${event ?? '-'} ${data}`);

onEachDatabase((database) => {
  test('events are there after the commit, in the order of their publication, and not after a rollback', async () => {
    const db = database();
    const before = await lastId(db);
    await db.exec(`begin; select howdah.publish('a', 'said', 'undone'); rollback`);
    await db.exec(`begin; select howdah.publish('a', 'said', 'one'); select howdah.publish('b', null, '{"x": "ž"}'::jsonb);
      savepoint s; select howdah.publish('a', 'said', 'also undone'); rollback to s;
      select howdah.publish('a', '', 3); select howdah.publish('a', data => 'a default'); commit`);
    const found = await read(db, before);
    assert.deepEqual(texts(found), ['a said one', 'b - {"x": "ž"}', 'a - 3', 'a - a default']);
    assert.equal(found.completeTo, await lastId(db));
    assert.deepEqual(
      found.events.map(({ id }) => id).toSorted((a, b) => a - b),
      found.events.map(({ id }) => id),
    );
    assert.deepEqual(texts(await read(db, before, '{b,none}')), ['b - {"x": "ž"}']);
    assert.deepEqual(texts(await read(db, found.completeTo)), []);
    const waiting = await value(
      db,
      `select (select count(*) from howdah.unnumbered_events) + (select count(*) from howdah.publishing)`,
    );
    assert.equal(Number(waiting), 0);
  });

  test('a publication first made in a savepoint that is undone does not take the next one with it', async () => {
    const db = database();
    const before = await lastId(db);
    await db.exec(`begin; savepoint s; select howdah.publish('a', null, 'undone'); rollback to s;
      select howdah.publish('a', null, 'done'); commit`);
    assert.deepEqual(texts(await read(db, before)), ['a - done']);
  });

  test('an answer is cut at a number of events or bytes, says up to where it is complete, and the next goes on', async () => {
    const db = database();
    const before = await lastId(db);
    await db.exec(
      `select howdah.publish('cut ' || n % 2, null, repeat('x', 100) || n) from generate_series(1, 10) as n`,
    );
    for (const channels of [null, '{cut 0,cut 1}']) {
      const found: string[] = [];
      for (let after = before; ;) {
        const part = await read(db, after, channels, 3);
        found.push(...texts(part));
        if (part.events.length < 3) break;
        after = part.completeTo;
      }
      assert.equal(found.length, 10);
    }
    const few = await read(db, before, null, ALL, 250);
    assert.equal(few.events.length, 3);
    assert.equal(few.completeTo, few.events[2]?.id);
    assert.equal((await read(db, before, null, ALL, 1)).events.length, 1);
  });

  test('a notification names each channel of a transaction once; very many are one', async () => {
    const db = database();
    const told = await db.listen('howdah_events');
    await db.exec(`begin; select howdah.publish('x'), howdah.publish('y'), howdah.publish('x'); commit`);
    assert.deepEqual(told.toSorted(), ['x', 'y']);
    await db.exec(`select howdah.publish('c' || n) from generate_series(1, 101) as n`);
    assert.deepEqual(told.slice(2), ['']);
    await db.exec('unlisten howdah_events');
  });

  test('what cannot be sent is refused when it is published', async () => {
    const db = database();
    for (const [call, message] of [
      [`howdah.publish(null)`, /1 to 200 bytes/],
      [`howdah.publish('')`, /1 to 200 bytes/],
      [`howdah.publish(repeat('c', 201))`, /1 to 200 bytes/],
      [`howdah.publish('c', E'two\\nlines')`, /no line break/],
      [`howdah.publish('c', repeat('e', 201))`, /at most 200 bytes/],
      [`howdah.publish('c', null, repeat('d', 1048577))`, /at most 1048576 bytes/],
    ] as const) {
      await assert.rejects(db.query(`select ${call}`), message);
    }
  });

  test('old events are forgotten, so many at a time, and the place up to which is kept', async () => {
    const db = database();
    await db.exec(`select howdah.publish('old', null, n) from generate_series(1, 5) as n`);
    const last = await lastId(db);
    assert.equal(await value(db, `select howdah.prune_events('1 hour', 100)`), 0);
    await db.exec(`update howdah.events set published_at = published_at - interval '2 hours'`);
    await db.exec(`select howdah.publish('old', null, 'young')`);
    assert.equal(await value(db, `select howdah.prune_events('1 hour', 1)`), 1);
    assert.ok(Number(await value(db, `select howdah.prune_events('1 hour', 1000)`)) >= 4);
    const found = await read(db, 0, '{old}');
    assert.deepEqual([found.prunedTo, texts(found)], [last, ['old - young']]);
    await db.exec(`update howdah.events set published_at = published_at - interval '2 hours'`);
    assert.equal(await value(db, `select howdah.prune_events('1 hour', 1000)`), 1);
    assert.equal(await lastId(db), last + 1);
  });

  test('an outcome names channels, the place of the newest event, where to begin, and headers', async () => {
    const db = database();
    const place = String(await value(db, 'select howdah.last_event_id()'));
    assert.match(place, /^[0-9a-f]{8}\.\d+$/);
    const decode = async (call: string) =>
      decodeOutcome(Buffer.from((await value(db, `select ${call}::bytea`)) as Uint8Array));
    assert.deepEqual(await decode(`howdah.event_stream('žaba')`), {
      kind: 'event-stream',
      stream: { channels: ['žaba'], newest: place, since: null, fields: [] },
    });
    const call = `howdah.event_stream(array['a', 'b'], since => 'x.1', headers => array[omni_http.http_header('x-a', 'b')])`;
    assert.deepEqual(await decode(call), {
      kind: 'event-stream',
      stream: { channels: ['a', 'b'], newest: place, since: 'x.1', fields: ['x-a', 'b'] },
    });
    assert.equal(await value(db, `select omni_types.variant(${call})::text`), 'howdah.event_stream');
    for (const bad of [
      'null::text',
      `array['a', null]`,
      'array[]::text[]',
      `array_fill('x'::text, array[101])`,
    ]) {
      await assert.rejects(db.query(`select howdah.event_stream(${bad})`), /1 to 100 channels/);
      for (const bad of ["''", "repeat('x', 201)", "array['a', '']"])
        await assert.rejects(db.query(`select howdah.event_stream(${bad})`), /a channel has 1 to 200 bytes/);
    }
  });

  test('a transaction that commits later has the higher ids, however early it published', async (t) => {
    const db = database();
    if (db.kind === 'embedded') return t.skip('the embedded engine is one session');
    const before = await lastId(db);
    const slow = await db.connect();
    await slow.exec(`begin; select howdah.publish('race', null, 'slow')`);
    await db.exec(`select howdah.publish('race', null, 'fast')`);
    const first = await read(db, before, '{race}');
    assert.deepEqual(texts(first), ['race - fast']);
    await slow.exec('commit');
    const second = await read(db, first.completeTo, '{race}');
    assert.deepEqual(texts(second), ['race - slow']);
    await slow.close();
  });

  test('a reader that follows eight writers misses nothing and sees nothing twice', async (t) => {
    const db = database();
    if (db.kind === 'embedded') return t.skip('the embedded engine is one session');
    let at = await lastId(db);
    const writers = await Promise.all(Array.from({ length: 8 }, () => db.connect()));
    let writing = writers.length;
    const work = writers.map(async (writer, w) => {
      for (let n = 0; n < 60; n += 1) {
        // Of different lengths, so that they overlap in every way; some take it back.
        await writer.exec('begin');
        await writer.query(`select howdah.publish('many', null, $1::text)`, [`${w} ${n}`]);
        if (n % 3 === 0) await writer.query(`select howdah.publish('many', 'more', $1::text)`, [`${w} ${n}`]);
        if (n % 2 === w % 2)
          await writer.query('select pg_sleep(0.001 * (1 + $1::int % 4))', [String(n + w)]);
        await writer.exec(n % 7 === 6 ? 'rollback' : 'commit');
      }
      writing -= 1;
    });
    const seen: string[] = [];
    for (let over = false; !over;) {
      over = writing === 0;
      const found = await read(db, at, '{many}', 20);
      seen.push(...texts(found));
      at = found.completeTo;
      if (found.events.length > 0) over = false;
    }
    await Promise.all(work);
    const expected = writers.flatMap((_, w) =>
      Array.from({ length: 60 }, (__, n) => n).flatMap((n) => {
        if (n % 7 === 6) return [];
        return n % 3 === 0 ? [`many - ${w} ${n}`, `many more ${w} ${n}`] : [`many - ${w} ${n}`];
      }),
    );
    assert.deepEqual(seen.toSorted(), expected.toSorted());
    // Those of one writer are in its order.
    for (const w of writers.keys()) {
      const own = seen
        .filter((text) => text.startsWith(`many - ${w} `))
        .map((text) => Number(text.split(' ')[3]));
      assert.deepEqual(
        own,
        own.toSorted((a, b) => a - b),
      );
    }
    for (const writer of writers) await writer.close();
  });

  test('two transactions that publish and change the same rows in different order are no deadlock', async (t) => {
    const db = database();
    if (db.kind === 'embedded') return t.skip('the embedded engine is one session');
    await db.exec(
      `create table crossed (id int primary key, n int); insert into crossed values (1, 0), (2, 0)`,
    );
    const other = await db.connect();
    await db.exec(`begin; select howdah.publish('crossed', null, 'a')`);
    await other.exec(
      `begin; update crossed set n = 1 where id = 1; select howdah.publish('crossed', null, 'b')`,
    );
    const waiting = db.exec('update crossed set n = 2 where id = 1');
    await other.exec('commit');
    await waiting;
    await db.exec('commit');
    await other.close();
    assert.equal((await one(db, 'select n from crossed where id = 1'))['n'], 2);
  });

  test('a role without rights to the tables publishes and streams', async () => {
    const db = database();
    const role = `publisher_${db.kind}`;
    const admin = db.kind === 'owner' ? await db.administer() : null;
    await (admin ?? db).exec(`create role ${role}${admin === null ? '' : ' role owner'}`);
    await admin?.close();
    await db.exec(`grant usage on schema howdah, omni_httpd, omni_http to ${role}`);
    const before = await lastId(db);
    await db.exec(
      `begin; set local role ${role}; select howdah.publish('r', null, 'x'), howdah.event_stream('r'); commit`,
    );
    assert.deepEqual(texts(await read(db, before)), ['r - x']);
  });
});
