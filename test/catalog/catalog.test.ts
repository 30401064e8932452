// The catalog's own logic, with a dispatcher that answers what a test tells it to: swapping, refusals, failures.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Catalog } from '../../src/catalog/catalog.ts';
import type { CatalogRows, RouteRow } from '../../src/catalog/catalog-rows.ts';
import type { CallResult, SqlCall, SqlError } from '../../src/database/call.ts';
import type { Observation } from '../../src/observe/observation.ts';
import { ask, askShort, FakeExchange } from './fake-exchange.ts';

const TYPES = {
  httpRequest: 1,
  httpMethod: 2,
  httpHeader: 3,
  httpHeaderArray: 4,
  httpHeaders: 5,
  httpOutcome: 6,
};

function route(name: string, more: Partial<RouteRow> = {}): RouteRow {
  return {
    router: 'public.r',
    row: '()',
    match: {},
    priority: 0,
    handler: `${name}()`,
    name,
    kind: 'function',
    volatility: 'stable',
    returnsSet: false,
    securityDefiner: false,
    outcome: 'result',
    arguments: [],
    role: null,
    standIn: null,
    ...more,
  };
}

function rows(epoch: number, ...routes: RouteRow[]): CatalogRows {
  return { epoch: String(epoch), types: TYPES, listeners: [], routes, webSockets: [], problems: [] };
}

function text(body: string): CallResult {
  const bytes = Buffer.concat([Buffer.from([0, 0, 200, 255, 255, 255, 255, 1]), Buffer.from(body)]);
  return { kind: 'row', columns: [bytes] };
}

function error(code: string): CallResult {
  const failure: SqlError = { severity: 'ERROR', code, message: 'no' };
  return { kind: 'failed', error: failure };
}

interface Fixture {
  readonly catalog: Catalog;
  readonly calls: SqlCall[];
  readonly observations: Observation[];
  loads: number;
}

/** `load` gives the rows of the nth reading, `answer` the result of the nth call; both count from 1. */
function fixture(
  load: (n: number) => CatalogRows | Promise<CatalogRows>,
  answer: (n: number, call: SqlCall) => CallResult,
): Fixture {
  const observations: Observation[] = [];
  const calls: SqlCall[] = [];
  const made: Fixture = {
    calls,
    observations,
    loads: 0,
    catalog: new Catalog({
      loadRows: async () => load(++made.loads),
      dispatcher: {
        dispatch: (call) => {
          calls.push(call);
          call.complete(answer(calls.length, call));
        },
      },
      observer: { observe: (observation) => void observations.push(observation) },
      proxy: () => {
        throw new Error('not expected');
      },
      file: () => Promise.reject(new Error('not expected')),
      maxBodyBytes: 10,
      maxResultBytes: 1_000_000,
      handlerTimeoutMs: 1000,
      dev: false,
    }),
  };
  return made;
}

function kinds(observations: readonly Observation[]): string[] {
  return observations.map(({ kind }) => kind);
}

describe('the catalog', () => {
  test('is read before the first request is routed', async () => {
    const { catalog, calls } = fixture(
      () => rows(3, route('f')),
      () => text('ok'),
    );
    assert.equal(await askShort(catalog.handle), '200 ok');
    assert.equal(calls.length, 1);
    assert.equal(calls[0]?.epoch, '3');
  });

  test('answers 503 where it cannot be read at all, and tries again for the next request', async () => {
    const made = fixture(
      (n) => (n === 1 ? Promise.reject(new Error('gone')) : rows(1, route('f'))),
      () => text('ok'),
    );
    assert.equal(await askShort(made.catalog.handle), 'fail 503');
    assert.deepEqual(kinds(made.observations), ['catalog-refused']);
    assert.equal(await askShort(made.catalog.handle), '200 ok');
  });

  test('keeps the old snapshot when a new one cannot be read', async () => {
    const made = fixture(
      (n) => (n === 2 ? Promise.reject(new Error('gone')) : rows(1, route('f'))),
      () => text('ok'),
    );
    const first = await made.catalog.refresh();
    assert.equal(await made.catalog.refresh(), first);
    assert.equal(made.catalog.current, first);
    assert.deepEqual(kinds(made.observations), ['catalog-swapped', 'catalog-refused']);
  });

  test('keeps the snapshot, and with it what it has learnt, when nothing has changed', async () => {
    const made = fixture(
      (n) => rows(1, ...(n < 3 ? [route('f')] : [])),
      () => text('ok'),
    );
    const first = await made.catalog.refresh();
    assert.equal(await made.catalog.refresh(), first);
    assert.notEqual(await made.catalog.refresh(), first, 'same epoch, but a route has gone');
  });

  test('refreshes asked for while one is being read share the one after it', async () => {
    let release: (rows: CatalogRows) => void = () => {};
    const made = fixture(
      (n) => (n === 1 ? new Promise((resolve) => void (release = resolve)) : rows(n)),
      () => text('ok'),
    );
    const first = made.catalog.refresh();
    const later = [made.catalog.refresh(), made.catalog.refresh(), made.catalog.refresh()];
    release(rows(1));
    assert.equal((await first).epoch, '1');
    assert.deepEqual(
      (await Promise.all(later)).map(({ epoch }) => epoch),
      ['2', '2', '2'],
    );
    assert.equal(made.loads, 2);
    assert.equal((await made.catalog.refresh()).epoch, '3');
  });

  test('a refused call is routed again on a fresh snapshot', async () => {
    const made = fixture(
      (n) => rows(n, route(n === 1 ? 'f' : 'g')),
      (n) => (n === 1 ? { kind: 'stale' } : text('ok')),
    );
    assert.equal(await askShort(made.catalog.handle), '200 ok');
    assert.deepEqual(
      made.calls.map(({ epoch, statement }) => [epoch, statement.text]),
      [
        ['1', 'select f()'],
        ['2', 'select g()'],
      ],
    );
  });

  test('a request whose calls are always refused gets 503 in the end', async () => {
    const made = fixture(
      (n) => rows(n, route('f')),
      () => ({ kind: 'stale' }),
    );
    assert.equal(await askShort(made.catalog.handle), 'fail 503');
    assert.ok(made.calls.length > 1 && made.calls.length < 20);
  });

  test('asks whether it is still true that nothing matches', async () => {
    const made = fixture(
      (n) => rows(n, ...(n === 1 ? [] : [route('f')])),
      (n) => (n === 1 ? { kind: 'stale' } : text('ok')),
    );
    assert.equal(await askShort(made.catalog.handle), '200 ok');
    assert.equal(made.calls[0]?.epoch, '1');
  });

  test('answers 204 where nothing matches', async () => {
    const made = fixture(
      (n) => rows(n),
      () => ({ kind: 'row', columns: [null] }),
    );
    assert.equal(await askShort(made.catalog.handle), '204');
  });
});

describe('how a call ended', () => {
  const cases: [string, CallResult, string, string[]][] = [
    ['an error is 500', error('P0001'), 'fail 500', ['handler-failed']],
    ['a timeout is 504', { kind: 'timeout' }, 'fail 504', ['handler-timeout']],
    ['no session in time is 503', { kind: 'unavailable', reason: 'full' }, 'fail 503', []],
    ['a lost session is 500', { kind: 'lost', reason: 'gone' }, 'fail 500', ['handler-failed']],
    ['no row is no outcome', { kind: 'no-row' }, '204', []],
    [
      'what is no outcome is 500',
      { kind: 'row', columns: [Buffer.from([9])] },
      'fail 500',
      ['handler-failed'],
    ],
  ];
  for (const [name, result, answer, observed] of cases) {
    test(name, async () => {
      const made = fixture(
        (n) => rows(n, route('f')),
        () => result,
      );
      await made.catalog.refresh();
      made.observations.length = 0;
      assert.equal(await askShort(made.catalog.handle), answer);
      assert.deepEqual(kinds(made.observations), observed);
    });
  }

  test('a missing object makes a function run again where the catalog has changed, once', async () => {
    const made = fixture(
      (n) => rows(n, route(n === 1 ? 'f' : 'g')),
      (n) => (n === 1 ? error('42883') : text('ok')),
    );
    assert.equal(await askShort(made.catalog.handle), '200 ok');
    const again = fixture(
      (n) => rows(n, route('f')),
      () => error('42883'),
    );
    assert.equal(await askShort(again.catalog.handle), 'fail 500');
    assert.equal(again.calls.length, 2);
  });

  test('a missing object is an error where the catalog has not changed', async () => {
    const made = fixture(
      () => rows(1, route('f')),
      () => error('42883'),
    );
    assert.equal(await askShort(made.catalog.handle), 'fail 500');
    assert.equal(made.calls.length, 1);
  });

  test('a procedure, which may have committed, is never run again', async () => {
    const made = fixture(
      (n) => rows(n, route('p', { kind: 'procedure', outcome: 'none' })),
      () => error('42883'),
    );
    assert.equal(await askShort(made.catalog.handle), 'fail 500');
    assert.equal(made.calls.length, 1);
  });

  test('after a first step that committed, no session in time is 500, and only the first step is guarded', async () => {
    const made = fixture(
      (n) =>
        rows(
          n,
          route('p', { kind: 'procedure', outcome: 'none', priority: 2 }),
          route('m', {
            outcome: 'inout',
            arguments: [{ mode: 'inout', pass: 'outcome', type: 'omni_httpd.http_outcome' }],
          }),
        ),
      (n) => (n === 1 ? { kind: 'no-row' } : { kind: 'unavailable', reason: 'full' }),
    );
    assert.equal(await askShort(made.catalog.handle), 'fail 500');
    assert.deepEqual(
      made.calls.map(({ epoch }) => epoch),
      ['1', null],
    );
  });

  test('a client that has left gets no answer, and the handler runs to its end', async () => {
    let exchange: FakeExchange | null = null;
    const made = fixture(
      (n) => rows(n, route('f', { volatility: 'volatile' })),
      () => {
        if (exchange !== null) exchange.closed = true;
        return { kind: 'row', columns: [Buffer.from([9])] };
      },
    );
    await made.catalog.refresh();
    exchange = new FakeExchange({});
    made.catalog.handle(exchange);
    assert.equal(made.calls.length, 1);
    // The outcome would be refused, if anybody looked at it.
    assert.deepEqual(kinds(made.observations), ['catalog-swapped']);
  });
});

describe('requests that are not routed', () => {
  const { catalog, calls } = fixture(
    (n) => rows(n, route('f')),
    () => text('ok'),
  );

  test('a method that the type has not is 501', async () => {
    assert.equal(await askShort(catalog.handle, { method: 'get' }), 'fail 501');
    assert.equal(await askShort(catalog.handle, { method: 'PROPFIND' }), 'fail 501');
  });

  test('a path that is no text is 400', async () => {
    assert.equal(await askShort(catalog.handle, { path: '/%00' }), 'fail 400');
  });

  test('a target that is no URL is 400', async () => {
    assert.equal(await askShort(catalog.handle, { authority: 'a b' }), 'fail 400');
  });

  test('a body over the limit is 413', async () => {
    assert.equal(await askShort(catalog.handle, { method: 'POST', body: '12345678901' }), 'fail 413');
  });

  test('none of them was called; one without an authority is', async () => {
    assert.equal(calls.length, 0);
    assert.equal(await askShort(catalog.handle, { authority: '' }), '200 ok');
  });
});

describe('routes that cannot be called', () => {
  const cases: [string, RouteRow, RegExp][] = [
    ['one that returns a set', route('f', { returnsSet: true }), /set/],
    [
      'one whose role nothing enforces',
      route('f', { role: 'someone' }),
      /nothing runs it as the role someone/,
    ],
    [
      'one whose pattern is none',
      route('f', { match: { pathname: '/:a/:a' } }),
      /not a valid URL pattern: pathname/,
    ],
    [
      'one with a polymorphic parameter',
      route('f', { arguments: [{ mode: 'in', pass: 'null', type: 'anyelement' }] }),
      /anyelement/,
    ],
    [
      'one with two outcomes',
      route('f', {
        kind: 'procedure',
        outcome: 'out',
        arguments: [
          { mode: 'out', pass: 'null', type: 'omni_httpd.http_outcome' },
          { mode: 'out', pass: 'null', type: 'omni_httpd.http_outcome' },
        ],
      }),
      /2 OUT/,
    ],
  ];
  for (const [name, broken, problem] of cases) {
    test(`${name} is reported and left out; the others work`, async () => {
      const made = fixture(
        (n) => rows(n, { ...broken, priority: 1, handler: 'broken()' }, route('f')),
        () => text('ok'),
      );
      const snapshot = await made.catalog.refresh();
      assert.equal(snapshot.routes.length, 1);
      assert.equal(snapshot.problems.length, 1);
      assert.match(snapshot.problems[0]?.problem ?? '', problem);
      assert.deepEqual(kinds(made.observations), ['catalog-swapped', 'route-problem']);
      assert.equal(await askShort(made.catalog.handle), '200 ok');
    });
  }

  test('is told once, and again when it has gone and come back', async () => {
    const broken = route('broken', { match: { pathname: '/(' } });
    const never = route('never', { match: { pathname: 'no-slash' } });
    const odd = route('odd', {
      match: { pathname: '/:note_id' },
      arguments: [{ mode: 'in', pass: 'listener', type: 'integer', parameter: 'id' }],
    });
    const made = fixture(
      (n) =>
        n === 3 ? rows(n) : rows(n, broken, never, odd, ...Array.from({ length: n }, () => route('f'))),
      () => text('ok'),
    );
    const told: number[][] = [];
    for (let n = 1; n <= 4; n += 1) {
      await made.catalog.refresh();
      const seen = kinds(made.observations);
      told.push(['route-problem', 'route-doubt'].map((kind) => seen.filter((each) => each === kind).length));
    }
    assert.deepEqual(told, [
      [2, 1],
      [2, 1],
      [2, 1],
      [4, 2],
    ]);
  });

  test('what the database found wrong is reported too', async () => {
    const found = { router: 'r', match: '', handler: '', problem: 'permission denied' };
    const made = fixture(
      (n) => ({ ...rows(n), problems: [found] }),
      () => text('ok'),
    );
    assert.deepEqual((await made.catalog.refresh()).problems, [found]);
  });
});

test('only calls that may leave something in the session ask for a reset', async () => {
  const cases: [Partial<RouteRow>, boolean][] = [
    [{ volatility: 'immutable' }, false],
    [{ volatility: 'stable', securityDefiner: true }, false],
    [{ volatility: 'volatile' }, true],
    [{ kind: 'procedure', outcome: 'none', volatility: 'stable' }, true],
  ];
  for (const [more, reset] of cases) {
    const made = fixture(
      (n) => rows(n, route('f', more)),
      () => text('ok'),
    );
    const answer = await ask(made.catalog.handle);
    assert.equal(answer.kind, 'response');
    assert.equal(made.calls[0]?.resetAfter, reset, JSON.stringify(more));
  }
});
