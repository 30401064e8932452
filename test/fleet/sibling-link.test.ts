// A call that a sibling runs is the call that it was: whatever of it decides how it runs travels with it.
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import type { CallResult, PreparedStatement, SqlCall } from '../../src/database/call.ts';
import { SiblingLink, type SiblingLinkEvents } from '../../src/fleet/sibling-link.ts';

const statement = (name: string): PreparedStatement => ({
  name,
  text: `select '${name}'`,
  parameterTypes: [25],
  resultFormat: 0,
});

function nothing(): void {}

const ALONE = { connections: 0, taken: 0 };

/** Two links with one another; what the second is asked to run goes to `run`. */
async function makePair(run: (call: SqlCall) => boolean) {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [far] = await accepted;
  const refused: SqlCall[] = [];
  const changes = new EventEmitter();
  const events = (runs: SiblingLinkEvents['run']): SiblingLinkEvents => ({
    opened: nothing,
    changed: () => changes.emit('changed'),
    run: runs,
    abandon: nothing,
    refused: (call) => void refused.push(call),
    closed: nothing,
  });
  const link = new SiblingLink(
    near,
    1,
    events(() => false),
  );
  const other = new SiblingLink(far, 2, events(run));
  return {
    link,
    other,
    changes,
    refused,
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
  const call: SqlCall = {
    statement: statement('procedure'),
    followUp: statement('stopped?'),
    parameters: [],
    epoch: null,
    resetAfter: true,
    repeatable: true,
    complete: nothing,
  };
  pair.link.send(call);
  while (pair.refused.length === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(pair.refused[0], call);
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

test('a worker that leaves says at once that it has no session, though it had one a moment ago', async () => {
  await using pair = await makePair(() => false);
  const idle = once(pair.changes, 'changed');
  pair.other.tell(1, ALONE);
  await idle;
  assert.equal(pair.link.isIdle, true);
  pair.other.noticeSessions(1);
  const left = once(pair.changes, 'changed');
  pair.other.tellLeaving(ALONE);
  await left;
  assert.equal(pair.link.isIdle, false);
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
  while (pair.refused.length === 0) await new Promise((resolve) => setImmediate(resolve));
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
