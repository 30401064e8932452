// What workers do for one another, over the sockets between them: who gets a call, and that none is lost when one of them leaves. With
// sessions that the test holds in its hands.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CallResult, PreparedStatement, SqlCall } from '../../src/database/call.ts';
import { FrameReader, helloFrame, type SiblingFrame } from '../../src/fleet/sibling-frames.ts';
import { Siblings } from '../../src/fleet/siblings.ts';
import { temporaryDirectory } from '../cli/howdah-process.ts';

const STATEMENT: PreparedStatement = { name: 's', text: 'select 1', parameterTypes: [], resultFormat: 0 };

/** A worker's sessions, of which each runs one call until the test completes it. */
class Sessions {
  readonly running: SqlCall[] = [];
  readonly putBackCalls: SqlCall[] = [];
  readonly #sessions: number;
  #changed: (() => void)[] = [];

  constructor(sessions: number) {
    this.#sessions = sessions;
  }

  get idleSessions(): number {
    return this.#sessions - this.running.length;
  }

  runIfIdle(call: SqlCall): boolean {
    if (this.idleSessions === 0) return false;
    this.running.push(call);
    this.#wake();
    return true;
  }

  /** Whether there was one. */
  complete(result: CallResult): boolean {
    const call = this.running.shift();
    call?.complete(result);
    return call !== undefined;
  }

  abandon(): void {}

  offerWaiting(): void {
    this.#wake();
  }

  putBack(call: SqlCall): void {
    this.putBackCalls.push(call);
    this.#wake();
  }

  /** Until something has changed such that it is so. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => void this.#changed.push(resolve));
  }

  #wake(): void {
    for (const resolve of this.#changed.splice(0)) resolve();
  }
}

const failing = {
  observe(observation: unknown): void {
    assert.fail(JSON.stringify(observation));
  },
};

/** Workers with so many sessions each, linked with one another. */
async function makeFleet(...sessions: readonly number[]) {
  const directory = temporaryDirectory();
  const workers = sessions.map((count, i) => {
    const own = new Sessions(count);
    return { own, siblings: new Siblings(i + 1, directory.path, own, () => 0, failing) };
  });
  for (const { siblings } of workers) await siblings.listen();
  for (const { siblings } of workers) siblings.setNumbers(workers.map((_, i) => i + 1));
  return {
    workers,
    async [Symbol.asyncDispose]() {
      await Promise.all(workers.map(({ siblings }) => siblings.close()));
      directory[Symbol.dispose]();
    },
  };
}

const makeCall = (complete: (result: CallResult) => void): SqlCall => ({
  statement: STATEMENT,
  parameters: [],
  epoch: null,
  resetAfter: true,
  complete,
});

test('a call that is on its way to a worker that leaves is put back, and not lost, however soon that one ends', async () => {
  await using fleet = await makeFleet(0, 1);
  const [here, there] = fleet.workers;
  assert.ok(here !== undefined && there !== undefined);
  const results: CallResult[] = [];
  const call = makeCall((result) => results.push(result));
  // The first one finds out whether the sibling is known to have a session.
  await here.own.until(() => here.siblings.take(call));
  await there.own.until(() => there.own.complete({ kind: 'no-row' }));
  await here.own.until(() => results.length === 1);
  const left = there.siblings.leave();
  const crossing = makeCall((result) => results.push(result));
  assert.equal(here.siblings.take(crossing), true);
  await left;
  await there.siblings.close();
  await here.own.until(() => here.own.putBackCalls.length > 0);
  assert.deepEqual([results, here.own.putBackCalls], [[{ kind: 'no-row' }], [crossing]]);
  assert.equal(here.siblings.take(crossing), false);
  assert.equal(here.siblings.callsSent, 1);
});

test('a call of a sibling is not passed on where it has to be run again', async () => {
  await using fleet = await makeFleet(0, 1, 1);
  const [here, there, third] = fleet.workers;
  assert.ok(here !== undefined && there !== undefined && third !== undefined);
  // Both others know one another, and that they have a session.
  const own = makeCall(() => undefined);
  await there.own.until(() => there.siblings.take(own));
  await third.own.until(() => third.own.complete({ kind: 'no-row' }));
  const call = makeCall(() => undefined);
  await here.own.until(() => here.siblings.take(call));
  await Promise.race([
    there.own.until(() => there.own.running.length === 1),
    third.own.until(() => third.own.running.length === 1),
  ]);
  const [runner, other] = there.own.running.length === 1 ? [there, third] : [third, there];
  const [received] = runner.own.running;
  assert.ok(received !== undefined);
  const ended = Promise.withResolvers<CallResult>();
  const another = makeCall(ended.resolve);
  await runner.own.until(() => runner.siblings.take(another));
  await other.own.until(() => other.own.complete({ kind: 'no-row' }));
  await ended.promise;
  assert.equal(runner.siblings.take(received), false);
  assert.equal(runner.siblings.take(makeCall(() => undefined)), true);
});

test('who comes while a worker leaves is told so, and offered nothing', async () => {
  const directory = temporaryDirectory();
  const leaving = new Siblings(1, directory.path, new Sessions(1), () => 0, failing);
  await leaving.listen();
  await leaving.leave();
  const late = connect(join(directory.path, '1.sock'));
  const frames: SiblingFrame[] = [];
  const reader = new FrameReader((frame) => frames.push(frame));
  late.on('data', (chunk: Buffer) => reader.read(chunk)).write(helloFrame(2));
  while (frames.length < 2) await once(late, 'data');
  late.end();
  await leaving.close();
  assert.deepEqual(frames, [{ kind: 'hello', number: 1 }, { kind: 'leave' }]);
  directory[Symbol.dispose]();
});
