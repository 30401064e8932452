// An application with its database: `db` in handlers, SQL as the target of routes, SQL and TypeScript routes in one router, inject().
// The same cases on the embedded engine and on a PostgreSQL server.
import assert from 'node:assert/strict';
import { connect } from 'node:http2';
import { after, before, describe, it } from 'node:test';
import {
  application,
  HowdahError,
  int,
  json,
  route,
  serve,
  sql,
  SqlFailure,
  type ServerInProcess,
} from '../../src/index.ts';
import type { Context, SqlText } from '../../src/index.ts';
import { DEFAULT_OPTIONS } from '../../src/protocol/http2/options.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';

const SCHEMA = `
  create sequence fetched;
  create table note (id int generated always as identity primary key, text text not null);
  create function sql_hello(request omni_httpd.http_request) returns omni_httpd.http_outcome
    return omni_httpd.http_response(body => 'hello from SQL');
  insert into omni_httpd.urlpattern_router (match, handler) values
    (omni_httpd.urlpattern('/sql'), 'sql_hello'::regproc),
    (omni_httpd.urlpattern('/both'), 'sql_hello'::regproc);
  create table app_router (like omni_httpd.urlpattern_router, like omni_httpd.router_priority);
  insert into app_router values (omni_httpd.urlpattern('/above'), 'sql_hello'::regproc, 10);
`;

const MAX_RESULT_BYTES = 1_000_000;
const ROW_BYTES = 16_384;
let taken = 0;
let whenOver: () => void = () => undefined;

/** Rows without end, as octets; `taken` of them, and PostgreSQL's sequence says how many it has made. */
async function* wide({ db }: Context): AsyncGenerator<Buffer> {
  const rows = db.stream<{ text: string }>(
    sql`select nextval('fetched'), repeat('x', ${ROW_BYTES}) as text from generate_series(1, 10000000)`,
  );
  try {
    for await (const { text } of rows) {
      taken += 1;
      yield Buffer.from(text);
    }
  } finally {
    whenOver();
  }
}

let inside: (context: Context) => unknown = () => undefined;

const app = application({
  listeners: [{ port: 0 }],
  routes: [
    route('GET /inside', async (_, context) => Response.json((await inside(context)) ?? null)),
    route('GET /wide', (_, context) => new Response(ReadableStream.from(wide(context)))),
    route('GET /both', () => new Response('hello from TypeScript')),
    route('GET /above', () => new Response('hello from TypeScript')),
    route('GET /text', sql`select 'text'`),
    route('GET /json', sql`select jsonb_build_object('a', 1)`),
    route('GET /number', sql`select 7::int8`),
    route(
      'GET /rows/:n',
      { constraints: { n: int } },
      sql`select i, i * 9007199254740993 as large from generate_series(1, ${({ bindings }: Context) => bindings['n']}::int) i`,
    ),
    route('GET /outcome', sql`select omni_httpd.http_response('made', status => 201)`),
    route('GET /null', sql`select null::text`),
    route('GET /none', sql`select text from note where false`),
    route(
      'POST /insert/:text',
      sql`insert into note (text) values (${({ bindings }: Context) => bindings['text']}) returning text`,
    ),
    route('GET /fails', sql`select 1 / 0`),
    route('GET /large', sql`select repeat('x', 100000) as x, i from generate_series(1, 100) i`),
  ],
});

/** `rowsAhead`: rows of ROW_BYTES that may be fetched and wait for the reader of a stream. */
function cases(
  start: () => Promise<{ server: ServerInProcess; stop: () => Promise<void> }>,
  rowsAhead: number,
): void {
  let server: ServerInProcess;
  let stop: () => Promise<void>;
  let url = '';
  const run = async (next: (context: Context) => unknown): Promise<unknown> => {
    let failure: unknown;
    inside = async (context) => {
      try {
        return await next(context);
      } catch (error) {
        failure = error;
        return null;
      }
    };
    const response = await server.inject('/inside');
    const said: unknown = await response.json();
    if (failure !== undefined) throw failure;
    return said;
  };

  before(async () => {
    ({ server, stop } = await start());
    url = server.listeners[0]?.url ?? '';
    await run(({ db }) => db.query('select 1'));
    for (const statement of SCHEMA.split(/;\n(?= {2}\S|$)/)) {
      if (statement.trim() !== '') await run(({ db }) => db.execute(statement));
    }
  });
  after(() => stop());

  it('runs statements with parameters, and gives values of JavaScript', async () => {
    await run(async ({ db }) => {
      const [row] = await db<Record<string, unknown>>`
        select ${1}::int as int, ${2n}::int8 as int8, ${'9007199254740993'}::int8 as large, ${1.5}::float8 as float,
               ${'1.10'}::numeric as numeric, ${true}::bool as bool, ${'t\u00e4xt'} as text, ${null}::text as null,
               ${new Date(0)}::timestamptz as date, ${new Uint8Array([0, 255])}::bytea as bytes,
               ${{ a: [1] }}::jsonb as json, ${json([1, 2])}::jsonb as list, ${[1, 2, null]}::int[] as ints,
               ${['a"b', 'c,d', '{}', 'null', null]}::text[] as texts, ${[[1], [2]]}::int[] as nested,
               ${[new Date(0)]}::timestamptz[] as dates, ${undefined}::int as missing`;
      assert.deepEqual(row, {
        int: 1,
        int8: 2,
        large: 9007199254740993n,
        float: 1.5,
        numeric: '1.10',
        bool: true,
        text: 't\u00e4xt',
        null: null,
        date: new Date(0),
        bytes: Buffer.from([0, 255]),
        json: { a: [1] },
        list: [1, 2],
        ints: [1, 2, null],
        texts: ['a"b', 'c,d', '{}', 'null', null],
        nested: [[1], [2]],
        dates: [new Date(0)],
        missing: null,
      });
      assert.deepEqual(await db.query('select $1::int + $2::int as sum', [1, 2]), [{ sum: 3 }]);
      const condition = sql`text = ${'nothing'}`;
      assert.deepEqual(await db`select 1 from note where ${condition} or text = ${'none'}`, []);
      assert.equal(await db.execute('insert into note (text) values ($1), ($2)', ['a', 'b']), 2);
      assert.equal(await db.execute(sql`delete from note`), 2);
    });
  });

  it('says what is wrong with SQL and with values', async () => {
    await run(async ({ db }) => {
      await assert.rejects(
        db.query('select 1 / 0'),
        (error) => error instanceof SqlFailure && error.sql.code === '22012',
      );
      await assert.rejects(db.query('select $1', [() => 1]), /parameter \$1 is a function/);
      await assert.rejects(db.query('select $1', [new Date(Number.NaN)]), /parameter \$1 is an invalid Date/);
      await assert.rejects(db.query(7 as never), /SQL is a text/);
      await assert.rejects(db.query(sql`select 1`, [1]), /has its values in it/);
      await assert.rejects(
        (db as unknown as (text: string) => Promise<unknown>)('select 1'),
        /called as a tag/,
      );
      await assert.rejects(db`select ${() => 1}`, /has no request to be called with/);
    });
  });

  it('runs transactions: commits, rolls back, nests, and keeps them apart', async () => {
    await run(async ({ db }) => {
      const first = await db.transaction(async (tx) => {
        await tx`insert into note (text) values ('kept')`;
        return (await tx<{ text: string }>`select text from note`)[0]?.text;
      });
      assert.equal(first, 'kept');
      await assert.rejects(
        db.transaction(async (tx) => {
          await tx`insert into note (text) values ('lost')`;
          throw new Error('changed my mind');
        }),
        /changed my mind/,
      );
      await db.transaction(async (tx) => {
        await tx`insert into note (text) values ('outer')`;
        await assert.rejects(
          tx.transaction(async (inner) => {
            await inner`insert into note (text) values ('inner')`;
            await inner`select 1 / 0`;
          }),
          SqlFailure,
        );
      });
      assert.deepEqual(await db`select text from note order by id`, [{ text: 'kept' }, { text: 'outer' }]);
      await assert.rejects(
        db.transaction((tx) => tx`insert into note (text) values ('x')`, { readOnly: true }),
        /read-only transaction/,
      );
      assert.deepEqual(
        await db.transaction((tx) => tx`select current_setting('transaction_isolation') as isolation`, {
          isolation: 'serializable',
        }),
        [{ isolation: 'serializable' }],
      );
      // A failure that was swallowed does not pass for a commit.
      await assert.rejects(
        db.transaction(async (tx) => {
          await tx`select 1 / 0`.catch(() => undefined);
        }),
        /rolled back/,
      );
      await db`delete from note`;
    });
  });

  it('leaves nothing behind in a session: transactions, roles, settings, temporary tables', async () => {
    await run(async ({ db }) => {
      await db.execute('begin');
      await db.execute("insert into note (text) values ('autocommitted?')");
      await db.transaction(async (tx) => {
        await tx.execute("set search_path = 'pg_catalog'");
        await tx.execute('create temporary table left_behind ()');
      });
      assert.deepEqual(
        await db`select current_setting('search_path') as path, to_regclass('left_behind') as gone`,
        [{ path: '"$user", public', gone: null }],
      );
      await db.execute('delete from note');
    });
  });

  it('streams rows as they are taken, and stops when the reader does', async () => {
    await run(async ({ db }) => {
      let sum = 0;
      for await (const { i } of db.stream<{ i: number }>('select generate_series(1, $1) as i', [1000]))
        sum += i;
      assert.equal(sum, 500_500);
      let taken = 0;
      for await (const row of db.stream(sql`select generate_series(1, 100000000) as i`)) {
        assert.ok(row);
        if (++taken === 5) break;
      }
      // The session is free again.
      assert.deepEqual(await db`select 1 as one`, [{ one: 1 }]);
      await assert.rejects(async () => {
        for await (const row of db.stream('select 1 / (3 - i) from generate_series(1, 5) i')) assert.ok(row);
      }, SqlFailure);
      await db.transaction(async (tx) => {
        const rows: unknown[] = [];
        for await (const row of tx.stream('select generate_series(1, 3) as i')) rows.push(row);
        assert.deepEqual(rows, [{ i: 1 }, { i: 2 }, { i: 3 }]);
      });
    });
  });

  it('refuses rows beyond maxResultBytes, and goes on; streams them', async () => {
    const tooLarge = (error: unknown): boolean =>
      error instanceof HowdahError && error.code === 'HOWDAH_RESULT_TOO_LARGE' && error.status === 500;
    const rows = (count: number): SqlText =>
      sql`select repeat('x', 100000) as text from generate_series(1, ${count})`;
    await run(async ({ db }) => {
      assert.equal((await db.query(rows(MAX_RESULT_BYTES / 100_000 - 1))).length, 9);
      await assert.rejects(db.query(rows(MAX_RESULT_BYTES / 100_000)), tooLarge);
      await assert.rejects(db.query(rows(300)), tooLarge);
      await assert.rejects(db.execute(rows(300)), tooLarge);
      await assert.rejects(
        db.transaction(async (tx) => {
          await tx`insert into note (text) values ('not kept')`;
          await tx.query(rows(300));
        }),
        tooLarge,
      );
      assert.deepEqual(await db`select * from note`, []);
      let bytes = 0;
      for await (const { text } of db.stream<{ text: string }>(rows(300))) bytes += text.length;
      assert.equal(bytes, 30_000_000);
      await db.transaction(async (tx) => {
        for await (const { text } of tx.stream<{ text: string }>(rows(300))) bytes -= text.length;
      });
      assert.equal(bytes, 0);
      await assert.rejects(async () => {
        for await (const row of db.stream(sql`select repeat('x', 2000000)`)) assert.ok(row);
      }, tooLarge);
    });
    const answer = await server.inject('/large');
    assert.deepEqual([answer.status, (await answer.text()).includes('xxx')], [500, false]);
  });

  it('fetches no more rows than maxStreamBufferBytes for a client of HTTP/2 that does not read', async () => {
    const over = new Promise<void>((resolve) => (whenOver = resolve));
    taken = 0;
    const session = connect(url);
    const stream = session.request({ ':path': '/wide' });
    stream.on('error', () => undefined);
    // Nobody reads it: the client opens its window no further.
    const limit = DEFAULT_OPTIONS.maxStreamBufferBytes;
    const enough = (): boolean => taken * ROW_BYTES >= limit;
    while (!enough()) await new Promise(setImmediate);
    for (let before = -1; before !== taken;) {
      before = taken;
      for (let turn = 0; turn < 300; turn += 1) await new Promise(setImmediate);
    }
    const held = taken;
    session.destroy();
    await over;
    const [row] = (await run(({ db }) => db`select last_value::int as made from fetched`)) as {
      made: number;
    }[];
    const made = row?.made ?? 0;
    // Beside the buffer: what the client’s window took, and a few rows on their way.
    assert.ok(held * ROW_BYTES <= limit + 65_535 + 8 * ROW_BYTES, `${held} taken`);
    assert.ok(made >= held && made <= taken + rowsAhead, `${made} made, ${taken} taken`);
  });

  it('answers with what a statement gives', async () => {
    const said = async (path: string, init?: RequestInit): Promise<string> => {
      const response = await server.inject(path, init);
      return `${response.status} ${response.headers.get('content-type') ?? '-'} ${await response.text()}`;
    };
    assert.equal(await said('/text'), '200 text/plain; charset=utf-8 text');
    assert.equal(await said('/json'), '200 application/json {"a": 1}');
    assert.equal(await said('/number'), '200 application/json 7');
    assert.equal(
      await said('/rows/2'),
      '200 application/json [{"i":1,"large":9007199254740993},{"i":2,"large":18014398509481986}]',
    );
    assert.equal(await said('/outcome'), '201 text/plain; charset=utf-8 made');
    assert.equal(await said('/null'), '204 - ');
    assert.equal(await said('/insert/x', { method: 'POST' }), '200 text/plain; charset=utf-8 x');
    assert.match(await said('/none'), /^404 /);
    assert.match(await said('/fails'), /^500 /);
  });

  it('routes SQL and TypeScript together: by priority, and those of the application first among equals', async () => {
    const said = async (path: string): Promise<string> => (await fetch(url + path)).text();
    assert.equal(await said('/sql'), 'hello from SQL');
    assert.equal(await said('/both'), 'hello from TypeScript');
    assert.equal(await said('/above'), 'hello from SQL');
    assert.equal((await fetch(`${url}/nothing`)).status, 404);
    assert.equal((await fetch(`${url}/both`, { method: 'POST' })).status, 200);
    assert.equal((await fetch(`${url}/text`, { method: 'POST' })).status, 405);
  });

  it('serves another application from the next request on', async () => {
    server.useApplication(application({ routes: [route('GET /other', () => new Response('other'))] }));
    assert.equal(await (await fetch(`${url}/other`)).text(), 'other');
    assert.equal((await fetch(`${url}/text`)).status, 404);
    server.useApplication(app);
  });
}

describe('on the embedded engine', () => {
  cases(async () => {
    const server = await serve(app, { memory: true, maxResultBytes: MAX_RESULT_BYTES });
    return { server, stop: () => server.close(1000) };
    // What fills 8 MB, and a fetch of 256 KB.
  }, 520 + 16);
});

describe('on a PostgreSQL server', () => {
  let postgres: TestPostgres;
  cases(async () => {
    postgres = await startPostgres();
    const server = await serve(app, {
      database: `postgres://postgres@/postgres?host=${postgres.socketDir}&port=${postgres.port}`,
      sessions: 2,
      maxResultBytes: MAX_RESULT_BYTES,
    });
    return {
      server,
      stop: async () => {
        await server.close(1000);
        await postgres.stop();
      },
    };
    // Twice what fills 256 KB.
  }, 32);
});
