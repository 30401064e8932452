// A call that a sibling runs is the call that it was: whatever of it decides how it runs travels with it.
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import type { CallResult, PreparedStatement, SqlCall } from '../../src/database/call.ts';
import { FrameReader } from '../../src/fleet/sibling-frames.ts';
import { SiblingLink, type SiblingLinkEvents } from '../../src/fleet/sibling-link.ts';

const statement = (name: string): PreparedStatement => ({
  name,
  text: `select '${name}'`,
  parameterTypes: [25],
  resultFormat: 0,
});

function nothing(): void {}

const ALONE = { connections: 0, taken: 0 };

const call = (more: Partial<SqlCall> = {}): SqlCall => ({
  statement: statement('call'),
  parameters: [],
  epoch: null,
  resetAfter: false,
  complete: nothing,
  ...more,
});

/** Two links with one another; what the second is asked to run goes to `run`, and what the first is asked to `answersTo`. */
async function makePair(
  run: (call: SqlCall) => boolean,
  answersTo: (call: SqlCall) => boolean = () => false,
) {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [far] = await accepted;
  const refused: SqlCall[] = [];
  const failures: unknown[] = [];
  /** Of the first. */
  const changes = new EventEmitter();
  /** Of the second. */
  const asked = new EventEmitter();
  const events = (runs: SiblingLinkEvents['run'], own: Partial<SiblingLinkEvents>): SiblingLinkEvents => ({
    opened: nothing,
    changed: nothing,
    run: runs,
    asked: nothing,
    abandon: nothing,
    refused: (call) => void refused.push(call),
    closed: nothing,
    failed: (error) => void failures.push(error),
    ...own,
  });
  const link = new SiblingLink(near, 1, events(answersTo, { changed: () => changes.emit('changed') }));
  const other = new SiblingLink(far, 2, events(run, { asked: () => asked.emit('asked') }));
  return {
    link,
    other,
    near,
    far,
    changes,
    asked,
    refused,
    failures,
    async untilRefused(): Promise<void> {
      while (refused.length === 0) await new Promise((resolve) => setImmediate(resolve));
    },
    async [Symbol.asyncDispose]() {
      near.destroy();
      far.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

test('what is asked behind a call, and whether it may be repeated, travel with it', async () => {
  const ran: SqlCall[] = [];
  await using pair = await makePair((call) => {
    ran.push(call);
    const columns = [
      Buffer.from('outcome'),
      ...(call.followUp === undefined ? [] : [Buffer.from('stopped')]),
    ];
    call.complete({ kind: 'row', columns });
    return true;
  });
  const send = (more: Partial<SqlCall>): Promise<string[]> =>
    new Promise((resolve) => {
      pair.link.send({
        statement: statement('procedure'),
        parameters: ['é', Buffer.from([0, 255]), null],
        epoch: '42',
        resetAfter: true,
        complete: (result: CallResult) =>
          resolve(result.kind === 'row' ? result.columns.map(String) : [result.kind]),
        ...more,
      });
    });
  assert.deepEqual(await send({ followUp: statement('stopped?') }), ['outcome', 'stopped']);
  assert.deepEqual(await send({ repeatable: true, epoch: null }), ['outcome']);
  assert.deepEqual(await send({ followUp: statement('stopped?'), interruptible: true, resetAfter: false }), [
    'outcome',
    'stopped',
  ]);
  const common = {
    complete: null,
    statement: statement('procedure'),
    parameters: ['é', Buffer.from([0, 255]), null],
  };
  const flags = { epoch: '42', resetAfter: true, interruptible: false, repeatable: false };
  assert.deepEqual(
    ran.map((call) => ({ ...call, complete: null })),
    [
      { ...common, ...flags, followUp: statement('stopped?') },
      { ...common, ...flags, epoch: null, repeatable: true },
      { ...common, ...flags, resetAfter: false, interruptible: true, followUp: statement('stopped?') },
    ],
  );
});

test('a call that the sibling has no session for comes back as it was', async () => {
  await using pair = await makePair(() => false);
  const sent = call({ followUp: statement('stopped?'), resetAfter: true, repeatable: true });
  pair.link.send(sent);
  await pair.untilRefused();
  assert.equal(pair.refused[0], sent);
});

test('a session that a quick call has used counts as idle for the next one, without a word of the sibling', async () => {
  await using pair = await makePair((call) => {
    call.complete({ kind: 'no-row' });
    return true;
  });
  const told = once(pair.changes, 'changed');
  pair.other.tell(1, ALONE);
  await told;
  for (let i = 0; i < 3; i++) {
    assert.equal(pair.link.isIdle, true);
    const free = once(pair.changes, 'changed');
    const result = await new Promise<CallResult>((resolve) => {
      pair.link.send({
        statement: statement('quick'),
        parameters: [],
        epoch: null,
        resetAfter: false,
        complete: resolve,
      });
      assert.equal(pair.link.isIdle, false);
    });
    assert.equal(result.kind, 'no-row');
    await free;
  }
});

test('a session that the sibling uses itself for less than the time between two words is not told of', async () => {
  await using pair = await makePair(() => false);
  const told: boolean[] = [];
  pair.changes.on('changed', () => told.push(pair.link.isIdle));
  const idle = once(pair.changes, 'changed');
  pair.other.tell(1, ALONE);
  await idle;
  // A request after the other: none idle, one idle, none idle …
  for (let i = 0; i < 5; i++) {
    assert.equal(pair.other.noticeSessions(0), true);
    assert.equal(pair.other.noticeSessions(1), false);
  }
  pair.other.noticeSessions(0);
  pair.other.tell(0, ALONE);
  // What is sent behind it comes behind it.
  const behind = once(pair.changes, 'changed');
  pair.other.tell(0, { connections: 3, taken: 0 });
  await behind;
  assert.deepEqual(told, [true, false]);
  assert.equal(pair.link.connections, 3);
});

test('a call that crosses the word of a worker that leaves comes back, and that one has not left before', async () => {
  let ran = 0;
  await using pair = await makePair(() => {
    ran += 1;
    return true;
  });
  const idle = once(pair.changes, 'changed');
  pair.other.tell(1, ALONE);
  await idle;
  const left = pair.other.leave();
  // The word is on its way: nobody knows of it here.
  assert.equal(pair.link.isIdle, true);
  const results: CallResult[] = [];
  const crossing = call({ complete: (result) => results.push(result) });
  pair.link.send(crossing);
  await left;
  await pair.other.end();
  await once(pair.near, 'close');
  assert.deepEqual([pair.refused, results, ran], [[crossing], [], 0]);
});

test('a worker that leaves gets neither a call nor a connection any more, and runs on what it has', async () => {
  const begun = Promise.withResolvers<SqlCall>();
  await using pair = await makePair((received) => {
    begun.resolve(received);
    return true;
  });
  const idle = once(pair.changes, 'changed');
  pair.other.tell(2, ALONE);
  await idle;
  const result = new Promise((resolve) => pair.link.send(call({ complete: resolve })));
  const running = await begun.promise;
  assert.deepEqual([pair.link.isIdle, pair.link.connections], [true, 0]);
  await pair.other.leave();
  assert.deepEqual([pair.link.isIdle, pair.link.connections], [false, Infinity]);
  // What it says of its sessions after that is no offer.
  pair.other.tell(2, { connections: 1, taken: 0 });
  running.complete({ kind: 'no-row' });
  assert.deepEqual(await result, { kind: 'no-row' });
  assert.equal(pair.link.isIdle, false);
});

test('who leaves does not wait for a sibling that has ended', async () => {
  await using pair = await makePair(() => false);
  const left = pair.other.leave();
  pair.near.destroy();
  await left;
});

test('a sibling that has ended is not given a call, although its end is not known in full yet', async () => {
  await using pair = await makePair(() => false);
  const idle = once(pair.changes, 'changed');
  pair.other.tell(1, ALONE);
  await idle;
  const ended = once(pair.near, 'end').then(() => pair.link.isIdle);
  await pair.other.end();
  assert.equal(await ended, false);
});

test('a call that a sibling had to put back, and found no session for, comes back', async () => {
  await using pair = await makePair((received) => {
    setImmediate(() => received.complete({ kind: 'unavailable', reason: 'the database is closed' }));
    return true;
  });
  const sent = call({ complete: () => assert.fail('it has not run') });
  pair.link.send(sent);
  await pair.untilRefused();
  assert.deepEqual(pair.refused, [sent]);
});

test('a worker that refuses a call although it has a session for others says so with the next word', async () => {
  await using pair = await makePair(() => false);
  const told = once(pair.changes, 'changed');
  pair.other.tell(2, ALONE);
  await told;
  const asked = once(pair.asked, 'asked').then(() => pair.other.noticeSessions(1));
  pair.link.send(call());
  assert.equal(await asked, true);
  await pair.untilRefused();
  const anew = once(pair.changes, 'changed');
  pair.other.tell(1, ALONE);
  await anew;
  assert.equal(pair.link.isIdle, true);
});

test('when a sibling that took nothing of what was sent to it takes it, it may get calls again', async () => {
  const large = Buffer.alloc(8_000_000);
  await using pair = await makePair(
    () => false,
    (received) => {
      received.complete({ kind: 'row', columns: [large] });
      return true;
    },
  );
  const told = once(pair.changes, 'changed');
  pair.other.tell(1, ALONE);
  await told;
  pair.far.pause();
  const result = new Promise<CallResult>((resolve) => pair.other.send(call({ complete: resolve })));
  while (pair.link.isIdle) await new Promise((resolve) => setImmediate(resolve));
  const room = once(pair.changes, 'changed');
  pair.far.resume();
  await room;
  assert.equal(pair.link.isIdle, true);
  assert.equal((await result).kind, 'row');
});

test('a link has ended when the system has all that was to be sent: its process may end then', async () => {
  const large = Buffer.alloc(8_000_000);
  await using pair = await makePair((received) => {
    received.complete({ kind: 'row', columns: [large] });
    return true;
  });
  const result = new Promise<CallResult>((resolve) => pair.link.send(call({ complete: resolve })));
  await once(pair.asked, 'asked');
  pair.near.pause();
  let ended = false;
  const end = pair.other.end().then(() => (ended = true));
  for (let turns = 0; turns < 100; turns++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(ended, false);
  pair.near.resume();
  await end;
  const { kind, columns = [] } = (await result) as { kind: string; columns?: readonly (Buffer | null)[] };
  assert.deepEqual([kind, columns[0]?.length], ['row', large.length]);
});

test('statements that are new again and again do not pile up in the sibling, and none is taken for another', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [far] = await accepted;
  const link = new SiblingLink(near, 1, {
    opened: nothing,
    changed: nothing,
    run: () => false,
    asked: nothing,
    abandon: nothing,
    refused: nothing,
    closed: nothing,
    failed: nothing,
  });
  const CALLS = 3001;
  const names: string[] = [];
  const ran: string[] = [];
  const all = Promise.withResolvers<void>();
  const reader = new FrameReader((frame) => {
    if (frame.kind === 'statement') names[frame.index] = frame.statement.name;
    if (frame.kind !== 'call') return;
    ran.push(`${names[frame.call.statement]} ${names[frame.call.followUp ?? -1]}`);
    if (ran.length === CALLS) all.resolve();
  });
  far.on('data', (chunk: Buffer) => reader.read(chunk));
  const expected: string[] = [];
  for (let i = 0; i < CALLS; i++) {
    link.send(call({ statement: statement(`s${i}`), followUp: statement('stopped?') }));
    expected.push(`s${i} stopped?`);
  }
  await all.promise;
  assert.deepEqual(ran, expected);
  assert.ok(names.length <= 2000, `${names.length} statements are known`);
  near.destroy();
  far.destroy();
  server.close();
});

test('what is no frame ends the link, and is told of', async () => {
  await using pair = await makePair(() => false);
  pair.far.write(Buffer.from([0, 0, 0, 5, 99, 0, 0, 0, 0]));
  await once(pair.near, 'close');
  assert.match(String(pair.failures), /a frame of type 99/);
});

test('where there was no session for it, a sibling is told at once that there is one', async () => {
  await using pair = await makePair(() => false);
  const told = once(pair.changes, 'changed');
  assert.equal(pair.other.noticeSessions(2), false);
  await told;
  assert.equal(pair.link.isIdle, true);
  assert.equal(pair.other.noticeSessions(3), true, 'one more is told with the next word');
});

test('a sibling that was refused a call is told anew, but not at once: it would be refused again and again', async () => {
  await using pair = await makePair(() => false);
  const told = once(pair.changes, 'changed');
  pair.other.tell(1, ALONE);
  await told;
  pair.link.send({
    statement: statement('long'),
    parameters: [],
    epoch: null,
    resetAfter: false,
    complete: nothing,
  });
  await pair.untilRefused();
  assert.equal(pair.link.isIdle, false);
  assert.equal(pair.other.noticeSessions(1), true);
  const anew = once(pair.changes, 'changed');
  pair.other.tell(1, ALONE);
  await anew;
  assert.equal(pair.link.isIdle, true);
});

test('a session that runs a call of the sibling is one for it, and not one for more', async () => {
  const begun = Promise.withResolvers<SqlCall>();
  await using pair = await makePair((call) => {
    begun.resolve(call);
    return true;
  });
  const tell = async (idle: number, connections: number): Promise<void> => {
    const told = once(pair.changes, 'changed');
    pair.other.tell(idle, { connections, taken: 0 });
    await told;
  };
  await tell(1, 0);
  const ended = new Promise((resolve) =>
    pair.link.send({
      statement: statement('long'),
      parameters: [],
      epoch: null,
      resetAfter: false,
      complete: resolve,
    }),
  );
  const running = await begun.promise;
  // None is idle, and one runs a call of who is told.
  await tell(0, 1);
  assert.equal(pair.link.isIdle, false);
  running.complete({ kind: 'no-row' });
  await ended;
  assert.equal(pair.link.isIdle, true);
});
